"""Order and distance of the states of a device: which of them coincide, and whether they follow their drive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def coinciding(means: Sequence[float | None], spreads: Sequence[float | None]) -> list[int]:
    """Numbers of the states whose mean is no farther from that of the next state than the larger standard deviation.

    Two normal states of the same width at such a distance exchange their order in at least 24 % of all pairs of values,
    so one read cannot tell them apart.

    Args:
        means: Mean of each state, in order; None or NaN for a state without values.
        spreads: Standard deviation of each state; None or NaN counts as zero.
    """
    places = np.array([np.nan if mean is None else mean for mean in means], np.float64)
    widths = np.nan_to_num([0.0 if spread is None else spread for spread in spreads])
    return [
        lower
        for lower, ((low, high), pair) in enumerate(zip(pairwise(places), pairwise(widths), strict=True))
        if high - low <= max(pair)
    ]


def is_monotonic(values: Sequence[float]) -> bool:
    """Whether values rise throughout or fall throughout; equal neighbours count as neither."""
    steps = np.diff(np.asarray(values, np.float64))
    return bool((steps > 0).all() or (steps < 0).all())
