"""Schedules of learning rates, by their name in a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from barkhausen.experiment.optimisation.settings import OptimizerRecipe

RATE_AT_THE_END = 1e-3
"""The cosine schedule ends at this fraction of the rate it starts with."""


@dataclass(frozen=True)
class Schedule:
    """One schedule.

    Attributes:
        factor: Function from the numbers of steps (or epochs) made and in all to the factor on the rate.
        every_step: Whether the rate changes at every step; otherwise it is that of the beginning of the epoch.
    """

    factor: Callable[[int, int, OptimizerRecipe], float]
    every_step: bool


def _cosine(done: int, every: int, settings: OptimizerRecipe) -> float:
    wave = 0.5 * (1 + math.cos(math.pi * done / every))
    return RATE_AT_THE_END + (1 - RATE_AT_THE_END) * wave


def _one_cycle(done: int, every: int, settings: OptimizerRecipe) -> float:
    progress = done / every
    if progress < settings.warm_up:
        return settings.start_factor + (1 - settings.start_factor) * progress / settings.warm_up
    return 1 + (settings.end_factor - 1) * (progress - settings.warm_up) / (1 - settings.warm_up)


def _linear(done: int, every: int, settings: OptimizerRecipe) -> float:
    return 1 + (settings.end_factor - 1) * done / every


SCHEDULES = {
    "cosine": Schedule(_cosine, every_step=False),
    "constant": Schedule(lambda done, every, settings: 1.0, every_step=False),
    "exponential": Schedule(lambda done, every, settings: settings.rate_decay**done, every_step=False),
    "one-cycle": Schedule(_one_cycle, every_step=True),
    "linear": Schedule(_linear, every_step=True),
}
"""Schedules; one-cycle is the triangle of L. N. Smith and N. Topin (arXiv:1708.07120)."""
