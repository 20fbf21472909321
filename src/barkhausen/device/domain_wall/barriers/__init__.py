"""Energy barriers of walls from paths of least energy in micromagnetics."""

from barkhausen.device.domain_wall.barriers.calibration import calibrated_landscapes
from barkhausen.device.domain_wall.barriers.string import string_barriers

__all__ = ["calibrated_landscapes", "string_barriers"]
