"""Constants of the interfaces of a film, and the ranges that are reported for its stack."""

from barkhausen.device.domain_wall.interfaces.constants import Interfaces
from barkhausen.device.domain_wall.interfaces.ranges import QUANTITIES, Range, Stack
from barkhausen.device.domain_wall.interfaces.stacks import STACKS, stack_named

__all__ = ["QUANTITIES", "STACKS", "Interfaces", "Range", "Stack", "stack_named"]
