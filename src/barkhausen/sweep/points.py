"""Points of a search: combinations of values of its axes."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

from barkhausen.core.limits import check_memory
from barkhausen.sweep.sweep_file import Axis, Range, Search

Point = dict[str, Any]

BYTES_OF_A_TASK = 8000
"""Memory of one planned task with its row of the table."""


def points(search: Search) -> Iterator[Point]:
    """Points of a grid, a list or a random search, each once for every repetition. The last axis varies fastest."""
    match search.kind:
        case "grid":
            chosen = _grid(search.over)
        case "list":
            chosen = iter(search.list)
        case "random":
            chosen = (_random(search, number) for number in range(search.samples))
        case _:
            raise AssertionError(f"the points of {search.kind} follow from its results")
    for point in chosen:
        yield from repeated(search, point)


def number_of_points(search: Search) -> int:
    """Number of points, each counted once for each repetition."""
    number = search.samples
    if search.kind == "grid":
        number = math.prod(len(axis) for axis in search.over.values())
    elif search.kind == "list":
        number = len(search.list)
    return number * math.prod(len(axis) for axis in search.repeat.values())


def check_number(search: Search) -> None:
    """Refuse a search whose plan alone would take too much memory.

    Raises:
        InputError: It has too many points.
    """
    number = number_of_points(search)
    check_memory(BYTES_OF_A_TASK * float(number), f"search: {number} points")


def repeated(search: Search, point: Point) -> Iterator[Point]:
    """A point once for each combination of the axes of ``repeat``."""
    for again in _grid(search.repeat):
        yield point | again


def ends(search: Search) -> Iterator[Point]:
    """Points that vary one axis at a time (all values of a list, ends of a range), other axes at their first value."""
    first = {key: _ends(axis)[0] for key, axis in search.over.items()}
    for again in _grid(search.repeat):
        for key, axis in search.over.items():
            for value in _ends(axis):
                yield first | {key: value} | again


def _ends(axis: Axis) -> tuple[Any, ...]:
    if not isinstance(axis, Range):
        return axis
    low, high = axis.low, axis.high
    return (int(low), int(high)) if axis.integer else (float(low), float(high))


def _grid(axes: dict[str, Any]) -> Iterator[Point]:
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _random(search: Search, number: int) -> Point:
    """Random point with the given number. It does not depend on the order of the axes or on the number of points."""
    return {key: _drawn(axis, _uniform(f"{search.seed}/{number}/{key}")) for key, axis in search.over.items()}


def _uniform(text: str) -> float:
    """Number in [0, 1) from the first 53 bits of the digest of a text."""
    return (int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") >> 11) * 2.0**-53


def _drawn(axis: Axis, uniform: float) -> Any:
    if not isinstance(axis, Range):
        return axis[int(uniform * len(axis))]
    # Integers at the ends of the range get a full interval, so that they are as likely as the others.
    half = 0.5 if axis.integer else 0.0
    low, high = axis.low - half, axis.high + half
    value = low * math.exp(uniform * math.log(high / low)) if axis.log else low + uniform * (high - low)
    return int(min(max(round(value), axis.low), axis.high)) if axis.integer else min(max(value, axis.low), axis.high)
