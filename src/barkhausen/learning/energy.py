"""What programming the devices of a network has cost."""

from __future__ import annotations

from torch import nn

from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse import AttemptEnergies, EnergyBreakdown


def programming_energy(model: nn.Module) -> EnergyBreakdown:
    """The breakdown in J of everything that the arrays of a model have counted, each at the prices of its own device.

    The initial programming, all attempts and all verify reads are in it; :attr:`.EnergyBreakdown.total` is their sum. A
    network without domain-wall layers costs nothing.
    """
    breakdown = EnergyBreakdown()
    for _, layer in synapse_layers(model):
        breakdown += AttemptEnergies.from_device(layer.synapses.kind.device).of_counters(layer.synapses.counters)
    return breakdown
