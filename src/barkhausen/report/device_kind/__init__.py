"""Pages about devices that are not reset and programmed to states: moved by pulses, or passing with a probability."""

from barkhausen.report.device_kind import probability, pulsed
from barkhausen.report.device_kind.page import PAGES, write_kind_page

__all__ = ["PAGES", "probability", "pulsed", "write_kind_page"]
