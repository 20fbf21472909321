"""Programming energy of a network."""

from __future__ import annotations

from torch import nn

from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse import EnergyBreakdown, Phase


def programming_energy(model: nn.Module, phase: Phase | None = None) -> EnergyBreakdown:
    """Programming energy in J of events that the arrays of a model have counted, with the energies of each device.

    It includes all attempts and all verify reads; :attr:`.EnergyBreakdown.total` is the sum. It is zero for a network
    without synapse layers.

    Args:
        model: Converted model.
        phase: Phase whose events count. Default: both, the initial programming and the training.
    """
    breakdown = EnergyBreakdown()
    for _, layer in synapse_layers(model):
        counted: EnergyBreakdown = layer.synapses.energy(phase)
        breakdown += counted
    return breakdown
