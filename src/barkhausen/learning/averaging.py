"""Programming of averaged networks: devices follow an average of latent weights that was made without them."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import synapse_layers

Model = TypeVar("Model", bound=nn.Module)


@torch.no_grad()
def program(model: Model, generator: torch.Generator | None = None) -> Model:
    """Program the devices of a network, in place, to the states of its latent weights where they are outside the
    margin; under a rule that programs at changes of level, where the level has changed by its hysteresis.

    It is the last step of weight averaging: :class:`~torch.optim.swa_utils.AveragedModel` (SWA, EMA) averages the
    latent weights, which are parameters, and copies the devices, which are buffers, from the model in training. Until
    they are programmed, the averaged network computes with the devices of the last step. Running statistics of
    normalisations belong to other weights then; :func:`torch.optim.swa_utils.update_bn` measures them anew.

    Args:
        model: Network with synapse layers, or an ``AveragedModel`` of one.
        generator: Random stream of the programming noise.

    Returns:
        The same network. Its counters hold the events of its model and these.

    Raises:
        InputError: The model has no synapse layer, or was averaged with ``use_buffers=True``, which averages the states
            and the numbers of devices.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    if not layers:
        raise InputError("program: the model has no synapse layer")
    if any(isinstance(module, AveragedModel) and module.use_buffers for module in model.modules()):
        raise InputError(
            "program: the model was averaged with use_buffers=True, which averages states and numbers of devices; "
            "use use_buffers=False, then update_bn for the running statistics"
        )
    for layer in layers:
        layer.latent_weight.clamp_(-1.0, 1.0)
        target = layer.quantiser.state(layer.latent_weight)
        if layer.held_state is None:
            where = layer.quantiser.error(layer.latent_weight, layer.synapses.weight) > layer.synapses.margin
        else:
            where = layer.quantiser.left(layer.latent_weight, layer.held_state, layer.hysteresis)
            layer.held_state.copy_(torch.where(where, target, layer.held_state))
        layer.synapses.program(target, where, generator)
    return model
