"""Pages about devices that are not reset and programmed to states: moved by pulses, passing with a probability,
or firing as neurons."""

from barkhausen.report.device_kind import neuron, probability, pulsed
from barkhausen.report.device_kind.page import PAGES, write_kind_page

__all__ = ["PAGES", "neuron", "probability", "pulsed", "write_kind_page"]
