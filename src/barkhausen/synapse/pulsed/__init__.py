"""Arrays of devices that identical pulses move, with one device a synapse or a pair."""

from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.pulsed.counters import PulseCounters

__all__ = ["PulseCounters", "PulsedArray"]
