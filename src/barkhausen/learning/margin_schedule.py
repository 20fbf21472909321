"""Tolerance margins that change in the course of training.

A schedule is any function from the number of steps made to the factor by which each layer's own margin is multiplied;
these are the usual ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MarginSchedule = Callable[[int], float]


@dataclass(frozen=True)
class LinearMargin:
    """From ``first`` to ``last`` times the margin, in a straight line over ``steps`` steps; constant after that."""

    first: float
    last: float
    steps: int

    def __call__(self, step: int) -> float:
        """The factor after ``step`` steps."""
        return self.first + (self.last - self.first) * min(1.0, step / self.steps)


@dataclass(frozen=True)
class CosineMargin:
    """From ``first`` to ``last`` times the margin along half a cosine over ``steps`` steps; constant after that."""

    first: float
    last: float
    steps: int

    def __call__(self, step: int) -> float:
        """The factor after ``step`` steps."""
        wave = 0.5 * (1 - math.cos(math.pi * min(1.0, step / self.steps)))
        return self.first + (self.last - self.first) * wave
