"""Spikes and energy of the neurons of a network, counted while it computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from barkhausen.learning.spiking.cell import Cell
from barkhausen.learning.spiking.device import DeviceCell, FiringCell

Number = TypeVar("Number", int, float)


@dataclass
class LayerUse:
    """What the neurons of one layer did.

    Attributes:
        samples: Number of samples.
        spikes: Number of spikes.
        numbers: Number of operations of devices for each purpose.
        by_purpose: Energy in J for each purpose.
        by_cause: Energy in J by cause of the device file.
    """

    samples: int = 0
    spikes: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    by_purpose: dict[str, float] = field(default_factory=dict)
    by_cause: dict[str, float] = field(default_factory=dict)


@contextmanager
def counted_neurons(model: nn.Module) -> Iterator[dict[str, LayerUse]]:
    """Count what the cells of a model do within the block, by layer; the model computes as without.

    Args:
        model: Network.
    """
    found: dict[str, LayerUse] = {}
    cells = [(name, module) for name, module in model.named_modules() if isinstance(module, Cell)]
    hooks = [
        module.register_forward_hook(partial(_record, found.setdefault(name, LayerUse()))) for name, module in cells
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def _record(use: LayerUse, cell: nn.Module, arguments: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
    spikes = output[0]
    use.samples += spikes.shape[1]
    use.spikes += int(spikes.sum())
    if not isinstance(cell, (DeviceCell, FiringCell)):
        return
    done, energies = cell.operations(arguments[0], spikes), cell.device.energies
    _add(use.numbers, done.numbers)
    spent = done.energy(energies)
    _add(use.by_purpose, done.by_purpose(spent, energies))
    _add(use.by_cause, spent)


def _add(sums: dict[str, Number], more: Mapping[str, Number]) -> None:
    for name, value in more.items():
        sums[name] = sums[name] + value if name in sums else value


@torch.no_grad()
def neuron_energy(model: nn.Module, inputs: Tensor) -> dict[str, dict[str, float]]:
    """Energy in J of the neurons of each layer by cause, per sample, in evaluation.

    Counted are pulses, reads and resets of neurons of device files that give energies. Synapses, normalisation and
    whatever drives the pulses are not part of it.

    Args:
        model: Network.
        inputs: Samples.
    """
    training = model.training
    model.eval()
    try:
        with counted_neurons(model) as found:
            model(inputs)
    finally:
        model.train(training)
    return {
        name: {cause: joule / len(inputs) for cause, joule in use.by_cause.items()}
        for name, use in found.items()
        if use.by_cause
    }
