"""Deployment: a trained network as plain torch layers with fixed weights."""

from __future__ import annotations

import copy

from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer, replace_modules, synapse_layers
from barkhausen.learning.layers.crossbar import crossbar_layers
from barkhausen.learning.layers.recurrent import SynapseRecurrent, recurrent_layers


def deployed(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode with torch's own layers in place of synapse layers, with the weights of their devices.

    The copy computes the same as the model without any devices and can be used like any torch model (ONNX,
    ``torch.compile``, other simulators). The keys of its ``state_dict`` are those of the float model.

    Raises:
        InputError: The network is on a crossbar, which does not compute with the weights of its devices alone.
    """
    if crossbar_layers(model):
        raise InputError("deployed: the network is on a crossbar; deploy the one that it was made of")
    if isinstance(model, (SynapseLayer, SynapseRecurrent)):
        return model.as_float().eval()
    target = copy.deepcopy(model)
    replace_modules(target, {layer: layer.as_float() for _, layer in recurrent_layers(target)})
    replace_modules(target, {layer: layer.as_float() for _, layer in synapse_layers(target)})
    return target.eval()
