"""Published systems reproduced; importing this package registers those that it holds."""

from barkhausen.reproduce import papers
from barkhausen.reproduce.systems import SYSTEMS, System

__all__ = ["SYSTEMS", "System", "papers"]
