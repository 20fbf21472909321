"""Tolerance margins that change during training.

A schedule is any function from the number of completed steps to the factor on each layer's own margin. This module has
the usual ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from barkhausen.core.errors import InputError

MarginSchedule = Callable[[int], float]


@dataclass(frozen=True)
class _Ramp:
    """Base of schedules from ``first`` to ``last`` times the margin over ``steps`` steps, constant afterwards."""

    first: float
    last: float
    steps: int

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.last >= 0):
            raise InputError(f"margin schedule: first = {self.first}, last = {self.last}: must be zero or positive")
        if not self.steps >= 1:
            raise InputError(f"margin schedule: steps = {self.steps}: must be 1 or more")

    def __call__(self, step: int) -> float:
        """The factor after ``step`` steps."""
        return self.first + (self.last - self.first) * self._share(min(1.0, step / self.steps))

    def _share(self, progress: float) -> float:
        """Fraction of the way from first to last, from 0 to 1."""
        return progress


class LinearMargin(_Ramp):
    """Linear schedule from ``first`` to ``last`` times the margin over ``steps`` steps, constant afterwards."""


class CosineMargin(_Ramp):
    """Half-cosine schedule from ``first`` to ``last`` times the margin over ``steps`` steps, constant afterwards."""

    def _share(self, progress: float) -> float:
        return 0.5 * (1 - math.cos(math.pi * progress))
