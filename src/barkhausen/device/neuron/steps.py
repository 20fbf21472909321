"""Law of a neuron from single steps: mean and spread on a grid of places, for each drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

STIFFNESS = 0.5
"""Weight of the differences of neighbouring nodes beside that of a step: nodes without steps follow the others."""


@dataclass(frozen=True)
class StepTables:
    """Steps at the nodes of drive and place.

    Attributes:
        mean, spread: Mean step and its standard deviation, in the unit of the place.
        count: Steps near each node, whole numbers; with few of them a node follows its neighbours.
    """

    mean: Float[np.ndarray, "drive place"]
    spread: Float[np.ndarray, "drive place"]
    count: Int[np.ndarray, "drive place"]


def step_tables(
    place: Float[np.ndarray, "record drive *ensemble"],
    step: Float[np.ndarray, "record drive *ensemble"],
    nodes: Float[np.ndarray, " place"],
) -> StepTables:
    """Mean and spread of steps, by the place from which they start.

    The mean is the line through the nodes with the least squares of the distances of all steps, and the variance that
    of their squared distances from it. Places beyond the outer nodes count there.

    Args:
        place: Place before each step; NaN where there is none.
        step: Length of each step.
        nodes: Evenly spaced places.
    """
    drives, size = place.shape[1], len(nodes)
    mean, spread = np.zeros((2, drives, size))
    count = np.zeros((drives, size), np.int64)
    difference = np.diff(np.eye(size), axis=0)
    for drive in range(drives):
        x, y = place[:, drive].ravel(), step[:, drive].ravel()
        held = np.isfinite(x) & np.isfinite(y)
        x, y = x[held], y[held]
        if not len(x):
            continue
        u = np.clip((x - nodes[0]) / (nodes[1] - nodes[0]), 0.0, size - 1)
        low = np.minimum(u.astype(np.int64), size - 2)
        weights = np.zeros((len(x), size))
        rows = np.arange(len(x))
        weights[rows, low], weights[rows, low + 1] = 1 - (u - low), u - low
        normal = weights.T @ weights + STIFFNESS * difference.T @ difference
        mean[drive] = np.linalg.solve(normal, weights.T @ y)
        variance = np.linalg.solve(normal, weights.T @ (y - weights @ mean[drive]) ** 2)
        spread[drive] = np.sqrt(np.maximum(variance, 0.0))
        count[drive] = np.round(weights.sum(axis=0))
    return StepTables(mean, spread, count)
