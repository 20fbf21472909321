"""Choice of gate voltages: of all voltages that were tried, one for each state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def shares(
    positions: Float[np.ndarray, "voltage device cycle"], places: Sequence[float]
) -> Float[np.ndarray, "state voltage"]:
    """Share of the walls that come to rest at the place of each state, at each voltage.

    A wall is at the place that is nearest to it, if it is nearer than half of the least distance between places.

    Args:
        positions: Resting positions in m; NaN where there is not a single wall.
        places: Places of the states in m, in order.
    """
    reach = 0.5 * np.diff(places).min()
    near = np.abs(positions[None] - np.asarray(places)[:, None, None, None]) < reach
    return np.asarray(near.mean(axis=(2, 3)))


def chosen(share: Float[np.ndarray, "state voltage"], reach: int = 1) -> list[int]:
    """Numbers of the voltages, rising from state to state, with the greatest sum of shares.

    The shares are smoothed over neighbouring voltages first (weights of a triangle, by default 1/4, 1/2, 1/4): a
    voltage in the middle of its window is preferred to one at the edge, which a small error of the model or of the gate
    would move out of it, and few walls at each of many voltages are taken together.

    Args:
        share: Share of the walls at the place of each state; at least as many voltages as states.
        reach: Number of neighbours on either side that count.
    """
    states, levels = share.shape
    triangle = np.concatenate([np.arange(1, reach + 2), np.arange(reach, 0, -1)]) / (reach + 1) ** 2
    padded = np.pad(share, ((0, 0), (reach, reach)), mode="edge")
    worth = np.stack([np.convolve(row, triangle, mode="valid") for row in padded])
    # total[k, j]: greatest sum of states 0 to k with state k at voltage j.
    total = np.full((states, levels), -np.inf)
    before = np.zeros((states, levels), dtype=int)
    total[0] = worth[0]
    for state in range(1, states):
        for level in range(state, levels):
            before[state, level] = int(np.argmax(total[state - 1, :level]))
            total[state, level] = total[state - 1, before[state, level]] + worth[state, level]
    path = [int(np.argmax(total[-1]))]
    for state in range(states - 1, 0, -1):
        path.append(int(before[state, path[-1]]))
    return path[::-1]
