"""Programming energy of a network."""

from __future__ import annotations

from torch import nn

from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse import AttemptEnergies, EnergyBreakdown


def programming_energy(model: nn.Module) -> EnergyBreakdown:
    """Programming energy in J of all events that the arrays of a model have counted, with the energies of each device.

    It includes the initial programming, all attempts and all verify reads; :attr:`.EnergyBreakdown.total` is the sum.
    It is zero for a network without synapse layers.
    """
    breakdown = EnergyBreakdown()
    for _, layer in synapse_layers(model):
        breakdown += AttemptEnergies.from_device(layer.synapses.kind.device).of_counters(layer.synapses.counters)
    return breakdown
