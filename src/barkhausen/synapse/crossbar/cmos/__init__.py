"""A chip of devices against CMOS: the same chip with SRAM cells, and digital logic in float32 and int8."""

from barkhausen.synapse.crossbar.cmos.comparison import Comparison, Ratio, compared
from barkhausen.synapse.crossbar.cmos.machine import Machine
from barkhausen.synapse.crossbar.cmos.sensitivity import Sensitivity, sensitivities

__all__ = ["Comparison", "Machine", "Ratio", "Sensitivity", "compared", "sensitivities"]
