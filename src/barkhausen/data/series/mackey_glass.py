"""The Mackey-Glass equation, a delay differential equation with chaotic solutions.

    dx/dt = a x(t − τ) / (1 + x(t − τ)ⁿ) − b x(t)        a = 0.2, b = 0.1, n = 10

M. C. Mackey, L. Glass, Science 197, 287 (1977). The defaults are those of a common benchmark (J.-S. R. Jang, IEEE
Trans. Syst. Man Cybern. 23, 665 (1993)): τ = 17, x(0) = 1.2 and x = 0 before, the values at t = 118, 119, …, 1117; the
value 6 steps ahead is forecast from four values with 6 steps between them; the first half is for training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import numpy as np
from jaxtyping import Float
from pydantic import Field

from barkhausen.core.config import Count, Positive
from barkhausen.data.registry import DATASETS, DatasetEntry
from barkhausen.data.series.windows import TASK, SeriesDataset, SeriesOptions, windows_of

PRODUCTION, DECAY, EXPONENT = 0.2, 0.1, 10
STEPS: Final = 20
"""Steps of integration in a unit of time."""


class MackeyGlassOptions(SeriesOptions):
    """The table ``[dataset.options]``; a step of the series is a unit of time."""

    look_back: Annotated[int, Field(ge=1)] = 4
    spacing: Annotated[int, Field(ge=1)] = 6
    horizon: Annotated[int, Field(ge=1)] = 6
    split: Annotated[float, Field(gt=0, lt=1)] = 0.5
    values: Annotated[int, Field(ge=4, le=100_000)] | None = 1000
    """Number of values."""
    delay: Count = 17
    """Delay τ."""
    initial: Positive = 1.2
    """Value at t = 0; before, it is zero."""
    skipped: Annotated[int, Field(ge=0, le=100_000)] = 118
    """Units of time before the first value."""


def mackey_glass(last: int, delay: int = 17, initial: float = 1.2) -> Float[np.ndarray, " time"]:
    """Values at t = 0, 1, …, ``last``.

    Runge and Kutta's method of fourth order with steps of 1/20; between steps, delayed values are those of the cubic
    polynomial through values and slopes of both ends. Steps end at all multiples of the delay, where derivatives jump.

    Args:
        last: Time of the last value.
        delay: Delay τ, a whole number.
        initial: Value at t = 0; before, it is zero.
    """
    step = 1.0 / STEPS
    behind, count = delay * STEPS, last * STEPS
    # Values at the ends of steps, and slopes at the start and at the end of each step, those of its own side.
    values = [initial]
    starts: list[float] = []
    ends: list[float] = []

    def slope(x: float, delayed: float) -> float:
        return PRODUCTION * delayed / (1.0 + delayed**EXPONENT) - DECAY * x

    for number in range(count):
        x, place = values[number], number - behind
        if place < 0:
            first = middle = second = 0.0
        else:
            first, second = values[place], values[place + 1]
            middle = (first + second) / 2 + step * (starts[place] - ends[place]) / 8
        k1 = slope(x, first)
        k2 = slope(x + step / 2 * k1, middle)
        k3 = slope(x + step / 2 * k2, middle)
        k4 = slope(x + step * k3, second)
        after = x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        values.append(after)
        starts.append(k1)
        ends.append(slope(after, second))
    return np.array(values[::STEPS])


def load(data_dir: Path | None, allow_download: bool, options: MackeyGlassOptions) -> SeriesDataset:
    """Integrate the equation; windows of the solution.

    Raises:
        InputError: The windows do not fit.
    """
    length = 1000 if options.values is None else options.values
    values = mackey_glass(options.skipped + length - 1, options.delay, options.initial)[options.skipped :]
    return windows_of("mackey-glass", "integrated", values, "", options)


MACKEY_GLASS = DATASETS.register(
    "mackey-glass",
    DatasetEntry(
        name="mackey-glass",
        label="Mackey-Glass",
        load=load,
        task=TASK,
        classes=1,
        citation="M. C. Mackey, L. Glass, Science 197, 287 (1977)",
        options=MackeyGlassOptions,
    ),
)
