"""Energy barriers of walls from paths of least energy in micromagnetics."""

from barkhausen.device.domain_wall.barriers.string import string_barriers

__all__ = ["string_barriers"]
