"""Arrays of programmable domain-wall synapses, and what programming them costs."""

from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.bank import SynapseBank
from barkhausen.synapse.counters import Phase, ProgrammingCounters
from barkhausen.synapse.energy import EnergyBill, EnergyLedger
from barkhausen.synapse.faults import Faults
from barkhausen.synapse.kind import SynapseKind
from barkhausen.synapse.programmed import WrittenWeights

__all__ = [
    "EnergyBill",
    "EnergyLedger",
    "Faults",
    "Phase",
    "ProgrammingCounters",
    "SynapseArray",
    "SynapseBank",
    "SynapseKind",
    "WrittenWeights",
]
