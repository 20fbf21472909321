"""What is asked of a design, in numbers: states apart, evenly spaced, on the track, and a wall that comes home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from barkhausen.core.config import NotNegative, Parameters

LARGEST_UNEVENNESS = 2.0
"""Gaps that uneven are no longer told apart."""

LARGEST_MISPLACEMENT = 2.0
"""Walls so many spacings from their place are no farther."""

PICOJOULE = 1e-12


class Weights(Parameters):
    """How much each part of a score adds to the cost; each part is 0 where all is well."""

    overlap: NotNegative = 2.0
    """Of the mean overlap of neighbours, which is 1/2 for two states that cannot be told apart."""
    misplacement: NotNegative = 0.5
    """Of the mean distance from the places, which are evenly spaced, over their spacing."""
    unevenness: NotNegative = 0.25
    """Of the standard deviation of the gaps between means over their mean."""
    gap: NotNegative = 0.25
    """Of the share by which the smallest gap falls short of states spread evenly from stop to stop."""
    failures: NotNegative = 1.0
    not_home: NotNegative = 0.5
    energy: NotNegative = 0.0
    """For each picojoule of one programming event (SOT and gate)."""


PARTS = ("overlap", "misplacement", "unevenness", "gap", "failures", "not_home", "energy")
"""Parts that a cost is made of, as in :class:`Weights`."""


@dataclass(frozen=True)
class Score:
    """The parts of a score, and the cost that they add up to."""

    overlap: float
    """Mean over neighbouring states of 1 − the probability that the upper one's wall lies farther (Mann-Whitney)."""
    worst_overlap: float
    """Greatest over the pairs."""
    misplaced: float
    """Share of events that rest nearer to the place of another state than to that of their own."""
    misplacement: float
    """Mean distance of a wall from the place of its state, over the spacing of the places."""
    unevenness: float
    """Standard deviation of the gaps between neighbouring means over their mean."""
    smallest_gap: float
    """Between neighbouring means, over the length of the track."""
    gap: float
    """Share by which the smallest gap falls short of (stop to stop)/(states − 1)."""
    failures: float
    """Share of programming events that leave no wall, or several."""
    not_home: float
    """Share of resets after which the wall is not at home: lost, or beyond the first state."""
    energy: float
    """Of one programming event (SOT and gate, mean over the states) in J."""
    cost: float

    def parts(self, weights: Weights) -> dict[str, float]:
        """What each part adds to the cost."""
        energy = self.energy / PICOJOULE
        return {name: getattr(weights, name) * (energy if name == "energy" else getattr(self, name)) for name in PARTS}


SCORES = tuple(Score.__dataclass_fields__)
"""Names of the entries of a score."""


@dataclass(frozen=True)
class StateStatistics:
    """Where the walls of each state rest, in order of mean position."""

    voltage: list[float]
    """In V."""
    mean: list[float]
    """In m; NaN where no event left a wall."""
    spread: list[float]
    """Standard deviation over devices and cycles in m."""
    misplaced: list[float]
    """Share of events nearer to the place of another state."""
    overlaps: list[float]
    """Of each pair of neighbours."""


def assess(
    positions: Float[np.ndarray, "state device cycle"],
    after_reset: Float[np.ndarray, " *event"],
    *,
    voltages: Sequence[float],
    places: Float[np.ndarray, " state"],
    energy: Float[np.ndarray, " state"],
    length: float,
    between_stops: float,
    weights: Weights,
) -> tuple[Score, StateStatistics]:
    """Score of a design, from the resting places of its walls.

    States are put in order of mean position; one without any wall comes last.

    Args:
        positions: In m, NaN where an event failed.
        after_reset: Where the wall is after resets, in m; NaN: lost.
        voltages: Gate voltage of each state in V.
        places: Where the states should rest, in m, in order.
        energy: Of one programming event to each state in J.
        length: Of the track in m.
        between_stops: Length in m that the end stops leave.
        weights: Of the parts in the cost.
    """
    states = sorted(
        ((rows[np.isfinite(rows)], voltage) for rows, voltage in zip(positions, voltages, strict=True)),
        key=lambda state: state[0].mean() if len(state[0]) else np.inf,
    )
    pools = [pool for pool, _ in states]
    means = np.array([pool.mean() if len(pool) else np.nan for pool in pools])
    overlaps = [_overlap(low, high) for low, high in pairwise(pools)]
    misplaced = [_misplaced(pool, places, state) for state, pool in enumerate(pools)]
    smallest, unevenness = 0.0, LARGEST_UNEVENNESS
    if np.isfinite(means).all():
        gaps = np.diff(means)
        smallest = float(gaps.min())
        if gaps.mean() > 0:
            unevenness = min(float(gaps.std() / gaps.mean()), LARGEST_UNEVENNESS)
    parts = {
        "overlap": float(np.mean(overlaps)),
        "worst_overlap": float(np.max(overlaps)),
        "misplaced": float(np.mean(misplaced)),
        "misplacement": float(np.mean([_misplacement(pool, places, state) for state, pool in enumerate(pools)])),
        "unevenness": unevenness,
        "smallest_gap": smallest / length,
        "gap": max(0.0, 1.0 - smallest * (len(pools) - 1) / between_stops),
        "failures": float(1.0 - np.isfinite(positions).mean()),
        "not_home": away_from_home(after_reset, means.tolist()),
        "energy": float(np.mean(energy)),
    }
    score = Score(**parts, cost=0.0)
    score = Score(**parts, cost=sum(score.parts(weights).values()))
    spread = [float(pool.std()) if len(pool) else float("nan") for pool in pools]
    return score, StateStatistics([voltage for _, voltage in states], means.tolist(), spread, misplaced, overlaps)


def away_from_home(resting: Float[np.ndarray, " *event"], means: Sequence[float]) -> float:
    """Share of resets that lost the wall, or left it nearer to the second state than to the first.

    Between the stop and the first state it may rest anywhere: every programming pulse takes it on from there.

    Args:
        resting: Where the wall is after the reset, in m; NaN: lost.
        means: Mean positions of the states in m, in order.
    """
    border = 0.5 * (means[0] + means[1])
    # Of states without any wall nothing is known, least of all that a reset ends before them.
    return float((~(resting < border)).mean())


def _overlap(low: Float[np.ndarray, " event"], high: Float[np.ndarray, " other"]) -> float:
    """Probability that a wall of the lower state lies beyond one of the upper; ties count half."""
    if not len(low) or not len(high):
        return 0.5
    beyond = low[:, None] - high[None, :]
    return float((beyond > 0).mean() + 0.5 * (beyond == 0).mean())


def _misplaced(pool: Float[np.ndarray, " event"], places: Float[np.ndarray, " state"], state: int) -> float:
    """Share of a state's events nearer to another state's place; all of a state without any."""
    if not len(pool):
        return 1.0
    return float((np.abs(pool[:, None] - places).argmin(axis=1) != state).mean())


def _misplacement(pool: Float[np.ndarray, " event"], places: Float[np.ndarray, " state"], state: int) -> float:
    """Mean distance of a state's events from its place, over the spacing of places."""
    if not len(pool):
        return LARGEST_MISPLACEMENT
    distance = np.abs(pool - places[state]) / np.diff(places).mean()
    return float(np.minimum(distance, LARGEST_MISPLACEMENT).mean())
