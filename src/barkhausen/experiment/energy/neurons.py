"""Spikes and energy of the neurons of a spiking network, as the summary of a run keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from barkhausen.learning.spiking import DeviceCell, FiringCell, LayerUse
from barkhausen.learning.spiking.cell import Cell
from barkhausen.learning.spiking.operations import CAUSES

NO_DEVICE = "neurons without a device file: their law has no energies"
NO_ENERGIES = "the neurons' device file gives no energies"
NOT_COUNTED = "the circuit that turns a current into pulses"
"""What the energy of neurons leaves out."""


def neuron_summary(model: nn.Module, counted: Mapping[str, LayerUse]) -> dict[str, Any] | None:
    """Spikes, operations and energies in J per inference; None for a network without spiking cells.

    ``per_inference_joule`` is None, and ``no_energies`` says why, where the law of the neurons has no energies.

    Args:
        model: Network.
        counted: What its cells did on some samples.
    """
    used = {name: use for name, use in counted.items() if use.samples}
    if not used:
        return None
    cells = [module for module in model.modules() if isinstance(module, Cell)]
    devices = [cell for cell in cells if isinstance(cell, (DeviceCell, FiringCell))]
    known = len(devices) == len(cells) and all(cell.device.energies for cell in devices)
    by_layer = {name: _layer(use, known) for name, use in used.items()}
    energies = [layer["by_cause"] for layer in by_layer.values()] if known else []
    numbers = [layer["operations"] for layer in by_layer.values()]
    by_cause = _sums(energies)
    return {
        "samples": max(use.samples for use in used.values()),
        "spikes_per_inference": sum(layer["spikes"] for layer in by_layer.values()),
        "operations_per_inference": _sums(numbers),
        "per_inference_joule": sum(by_cause.values()) if known else None,
        "by_cause": by_cause,
        "labels": {cause: CAUSES[cause] for cause in by_cause},
        "by_layer": by_layer,
        **({} if known else {"no_energies": NO_ENERGIES if devices else NO_DEVICE}),
    }


def _layer(use: LayerUse, known: bool) -> dict[str, Any]:
    """Spikes, operations and energies of a layer per sample."""
    return {
        "spikes": use.spikes / use.samples,
        "operations": {name: number / use.samples for name, number in use.numbers.items()},
        "by_cause": {name: joule / use.samples for name, joule in use.by_purpose.items()} if known else {},
    }


def _sums(parts: list[dict[str, float]]) -> dict[str, float]:
    """Sums of the entries of several dictionaries, in the order of the causes."""
    found = {cause: [part[cause] for part in parts if cause in part] for cause in CAUSES}
    return {cause: sum(values) for cause, values in found.items() if values}
