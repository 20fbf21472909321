"""Energy of the neurons of a network."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.learning.spiking.device import DeviceCell


@torch.no_grad()
def neuron_energy(model: nn.Module, inputs: Tensor) -> dict[str, dict[str, float]]:
    """Energy in J of the neurons of each layer by cause, per sample, in evaluation.

    Counted are pulses, reads and resets of :class:`.DeviceCell` layers. Synapses, normalisation and whatever drives the
    pulses are not part of it.

    Args:
        model: Network.
        inputs: Samples.
    """
    found: dict[str, dict[str, float]] = {}

    def record(name: str, cell: nn.Module, arguments: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        assert isinstance(cell, DeviceCell)
        for cause, joule in cell.energy(arguments[0], output[0]).items():
            layer = found.setdefault(name, {})
            layer[cause] = layer.get(cause, 0.0) + joule / len(inputs)

    cells = [(name, module) for name, module in model.named_modules() if isinstance(module, DeviceCell)]
    hooks = [module.register_forward_hook(partial(record, name)) for name, module in cells]
    training = model.training
    model.eval()
    try:
        model(inputs)
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return found
