"""States of a long series, computed as segments side by side.

A driven element forgets: after a washout its state no longer depends on where it began. A series is therefore cut into
segments, each preceded by the washout, which run as replicas of one batch.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.neuron.reservoir.base import Element
from barkhausen.neuron.reservoir.loops import Checkpoint, Done, drive


def forced_states(
    element: Element,
    series: Float[np.ndarray, " time"],
    first: int,
    last: int,
    *,
    washout: int,
    segments: int = 1,
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
    done: Done = lambda steps: None,
) -> tuple[Float[np.ndarray, "time node"], float]:
    """States after the values ``first`` to ``last − 1`` of a series.

    Args:
        element: Element.
        series: Inputs.
        first, last: Range of the series.
        washout: Values before each segment, which its states begin with.
        segments: Number of segments.
        seed: Seed of the noise.
        checkpoint, done: As of :func:`.drive`.

    Returns:
        The states, and the share of replicas that held their texture.

    Raises:
        InputError: The range does not lie in the series with its washout.
    """
    if not 0 <= first - washout <= first < last <= len(series):
        raise InputError(
            f"values {first} to {last - 1} with a washout of {washout}: must lie in a series of {len(series)} values"
        )
    length = math.ceil((last - first) / segments)
    # Segments of equal length: the last ones begin earlier where the range is no multiple of it.
    starts = np.minimum(first + length * np.arange(segments), max(last - length, first))
    places = starts[:, None] + np.arange(-washout, length)
    record = drive(element, series[places], seed=seed, checkpoint=checkpoint, done=done)
    states = np.empty((last - first, element.nodes))
    for start, found in zip(starts, record.states[:, washout:], strict=True):
        states[start - first : start - first + length] = found
    return states, record.intact
