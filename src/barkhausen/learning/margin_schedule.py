"""Tolerance margins that change in the course of training.

A schedule is any function from the number of steps made to the factor by which each layer's own margin is multiplied;
these are the usual ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from barkhausen.errors import InputError

MarginSchedule = Callable[[int], float]


@dataclass(frozen=True)
class LinearMargin:
    """From ``first`` to ``last`` times the margin, in a straight line over ``steps`` steps; constant after that."""

    first: float
    last: float
    steps: int

    def __post_init__(self) -> None:
        _check(self.first, self.last, self.steps)

    def __call__(self, step: int) -> float:
        """The factor after ``step`` steps."""
        return self.first + (self.last - self.first) * min(1.0, step / self.steps)


@dataclass(frozen=True)
class CosineMargin:
    """From ``first`` to ``last`` times the margin along half a cosine over ``steps`` steps; constant after that."""

    first: float
    last: float
    steps: int

    def __post_init__(self) -> None:
        _check(self.first, self.last, self.steps)

    def __call__(self, step: int) -> float:
        """The factor after ``step`` steps."""
        wave = 0.5 * (1 - math.cos(math.pi * min(1.0, step / self.steps)))
        return self.first + (self.last - self.first) * wave


def _check(first: float, last: float, steps: int) -> None:
    if not (first >= 0 and last >= 0):
        raise InputError(f"margin schedule: first = {first}, last = {last}: must be zero or positive")
    if not steps >= 1:
        raise InputError(f"margin schedule: steps = {steps}: must be 1 or more")
