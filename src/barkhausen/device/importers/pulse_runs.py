"""Sequences of pulses and values of a table: their turning points, and the cycles that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from barkhausen.core.errors import InputError

Run = list[tuple[int, float]]
"""Sign of the pulse before each value (0: none, or not known), and the value."""

FEWEST_PULSES = 4
"""Smallest number of pulses up, and of pulses down, of a cycle that is taken as one."""

SWING = 0.5
"""Share of the range by which a curve must return before this counts as a turn and not as noise."""


def up_and_down(up: Sequence[float], down: Sequence[float], factor: float = 1.0) -> Run:
    """Pulses up, then pulses down; what precedes the first value of either is not known.

    Args:
        up, down: Values after pulses up and down.
        factor: Factor on the values.
    """
    return [
        *((0 if k == 0 else 1, factor * value) for k, value in enumerate(up)),
        *((0 if k == 0 else -1, factor * value) for k, value in enumerate(down)),
    ]


def turned(values: Sequence[float], where: str) -> tuple[list[Run], str]:
    """Signs of a curve without directions, which turns at its largest value, or several times.

    Args:
        values: Values after each pulse, NaN where one is missing.
        where: Place of the curve, for messages.

    Returns:
        One run for each cycle, and a line that says what was assumed.

    Raises:
        InputError: The values do not change, or do not rise and then fall.
    """
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).any():
        raise InputError(f"{where}: the curve holds no values")
    if len(array) > 1 and np.nanmin(array) == np.nanmax(array):
        raise InputError(f"{where}: all {len(array)} values are equal: no pulse moves the device")
    turns = turning_points(array)
    if len(turns) > 1:
        signs = np.zeros(len(array), int)
        rises = bool(np.nanmean(array[: turns[0] + 1][-3:]) > array[np.isfinite(array)][0])
        for number, (start, stop) in enumerate(pairwise([0, *turns, len(array) - 1])):
            signs[start + 1 : stop + 1] = 1 if (number % 2 == 0) == rises else -1
        run = [(int(sign), float(value)) for sign, value in zip(signs, array, strict=True)]
        return cycles_of(run), f"no direction of the pulses is given: the curve turns {len(turns)} times"
    top = int(np.nanargmax(array))
    if not 2 < top < len(array) - 2:
        raise InputError(
            f"{where}: one curve of {len(array)} values whose largest is number {top + 1}: it does not rise and then "
            "fall; add a column 'direction' with up and down"
        )
    one = [(0 if k == 0 else 1 if k <= top else -1, float(value)) for k, value in enumerate(array)]
    return [one], f"no direction of the pulses is given: up until the largest value (number {top + 1}), then down"


def turning_points(values: np.ndarray) -> list[int]:
    """Places where a curve turns: extremes from which it returns by more than half of its range, in order."""
    places = np.flatnonzero(np.isfinite(values))
    if len(places) < 2:
        return []
    least = SWING * float(np.ptp(values[places]))
    turns: list[int] = []
    low = high = int(places[0])
    direction = 0
    for place in map(int, places[1:]):
        if direction >= 0 and values[place] > values[high]:
            high = place
        if direction <= 0 and values[place] < values[low]:
            low = place
        if direction >= 0 and values[high] - values[place] > least:
            if direction == 1:
                turns.append(high)
            direction, low = -1, place
        elif direction <= 0 and values[place] - values[low] > least:
            if direction == -1:
                turns.append(low)
            direction, high = 1, place
    return turns


def cycles_of(run: Run) -> list[Run]:
    """The cycles of a run of pulses up, down, up, down …, each of pulses in both directions; else the run itself.

    The pulse before the first value of a later cycle is known, but not the value before it, so that its sign is 0.
    """
    signs = [sign for sign, _ in run]
    known = [sign for sign in signs if sign]
    if not known:
        return [run]
    first = known[0]
    starts = [0]
    for place in range(1, len(run)):
        if signs[place] == first and signs[place - 1] == -first:
            starts.append(place)
    parts = [run[start:stop] for start, stop in pairwise([*starts, len(run)])]
    counts = [sum(sign == wanted for sign, _ in part) for part in parts for wanted in (1, -1)]
    if len(parts) == 1 or min(counts) < FEWEST_PULSES:
        return [run]
    return [[(0, part[0][1]), *part[1:]] for part in parts]
