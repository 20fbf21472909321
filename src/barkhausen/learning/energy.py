"""Programming energy of a network."""

from __future__ import annotations

from torch import nn

from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse import AttemptEnergies, EnergyBreakdown


def programming_energy(model: nn.Module) -> EnergyBreakdown:
    """Energy in J of everything that the arrays of a model have counted, each with the energies of its own device.

    It contains the initial programming, all attempts and all verify reads; :attr:`.EnergyBreakdown.total` is their sum.
    A network without layers of devices takes none.
    """
    breakdown = EnergyBreakdown()
    for _, layer in synapse_layers(model):
        breakdown += AttemptEnergies.from_device(layer.synapses.kind.device).of_counters(layer.synapses.counters)
    return breakdown
