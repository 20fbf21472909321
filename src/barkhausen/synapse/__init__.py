"""Arrays of programmable synapses, and the energy of programming them."""

from barkhausen.core.renamed import old_names
from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.bank import SynapseBank
from barkhausen.synapse.counters import Phase, ProgrammingCounters
from barkhausen.synapse.decay import Decay
from barkhausen.synapse.energy import AttemptEnergies, EnergyBreakdown
from barkhausen.synapse.faults import Faults
from barkhausen.synapse.kind import SynapseKind
from barkhausen.synapse.programmed import ProgrammedWeights
from barkhausen.synapse.pulsed import PulseCounters, PulsedArray
from barkhausen.synapse.write_verify import WriteVerify

__all__ = [
    "AttemptEnergies",
    "Decay",
    "EnergyBreakdown",
    "Faults",
    "Phase",
    "ProgrammedWeights",
    "ProgrammingCounters",
    "PulseCounters",
    "PulsedArray",
    "SynapseArray",
    "SynapseBank",
    "SynapseKind",
    "WriteVerify",
]

__getattr__ = old_names(__name__)
