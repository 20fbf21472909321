"""Gates of a track: what a voltage changes, what it costs, and how much of it the gate stands."""

from barkhausen.device.domain_wall.gates.base import DEFAULT_GATE, GATES, TrackGate, gate_from
from barkhausen.device.domain_wall.gates.strain import Piezoelectric
from barkhausen.device.domain_wall.gates.vcma import OxideGate

__all__ = ["DEFAULT_GATE", "GATES", "OxideGate", "Piezoelectric", "TrackGate", "gate_from"]
