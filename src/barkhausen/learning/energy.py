"""What programming the devices of a network has cost."""

from __future__ import annotations

from torch import nn

from barkhausen.learning.layers.base import domain_wall_layers
from barkhausen.synapse import EnergyBill, EnergyLedger


def programming_energy(model: nn.Module) -> EnergyBill:
    """The bill in J of everything that the arrays of a model have counted, each at the prices of its own device.

    The initial programming, all attempts and all verify reads are in it; :attr:`.EnergyBill.total` is their sum. A
    network without domain-wall layers costs nothing.
    """
    bill = EnergyBill()
    for _, layer in domain_wall_layers(model):
        bill += EnergyLedger.from_device(layer.synapses.kind.device).bill(layer.synapses.counters)
    return bill
