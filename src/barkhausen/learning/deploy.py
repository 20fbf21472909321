"""The trained network as plain torch layers with fixed weights."""

from __future__ import annotations

import copy

from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer, replace_modules, synapse_layers
from barkhausen.learning.layers.crossbar import crossbar_layers


def deployed(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose layers of devices are torch's own, with the weights that the devices hold.

    It computes what the model computes, knows nothing of devices, and goes wherever a torch model goes (ONNX,
    ``torch.compile``, other simulators). All keys of its ``state_dict`` are those of the float model.

    Raises:
        InputError: a network on a crossbar, which computes with more than its devices' weights.
    """
    if crossbar_layers(model):
        raise InputError("deployed: the network is on a crossbar; deploy the one that it was made of")
    if isinstance(model, SynapseLayer):
        return model.as_float().eval()
    target = copy.deepcopy(model)
    replace_modules(target, {layer: layer.as_float() for _, layer in synapse_layers(target)})
    return target.eval()
