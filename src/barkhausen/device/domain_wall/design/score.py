"""Score of a design: separation and spacing of its states, failures, and complete resets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from barkhausen.core.config import NotNegative, Parameters

LARGEST_UNEVENNESS = 2.0
"""Upper limit of the unevenness in a score."""

LARGEST_MISPLACEMENT = 2.0
"""Upper limit of the misplacement of a wall in a score, in spacings."""

PICOJOULE = 1e-12


class Weights(Parameters):
    """Weights of the parts of a score in the cost; each part is 0 for an ideal design."""

    overlap: NotNegative = 2.0
    """Weight of the mean overlap of neighbours, which is 1/2 for two indistinguishable states."""
    misplacement: NotNegative = 0.5
    """Weight of the mean distance from the target positions, in units of their spacing."""
    unevenness: NotNegative = 0.25
    """Weight of the relative standard deviation of the gaps between means."""
    gap: NotNegative = 0.25
    """Weight of the relative difference of the smallest gap from that of states evenly spaced between the stops."""
    failures: NotNegative = 1.0
    not_home: NotNegative = 0.5
    energy: NotNegative = 0.0
    """Weight of each picojoule of one programming event (SOT and gate)."""


PARTS = ("overlap", "misplacement", "unevenness", "gap", "failures", "not_home", "energy")
"""Parts of a cost, as in :class:`Weights`."""


@dataclass(frozen=True)
class Score:
    """Parts of a score, and their total cost."""

    overlap: float
    """Mean over neighbouring states of 1 − the probability that the upper state's wall lies beyond the lower state's
    (Mann-Whitney)."""
    worst_overlap: float
    """Largest overlap of the pairs."""
    misplaced: float
    """Share of events that end nearer to the target position of another state than to that of their own."""
    misplacement: float
    """Mean distance of a wall from the target position of its state, in units of the spacing of target positions."""
    unevenness: float
    """Relative standard deviation of the gaps between neighbouring means."""
    smallest_gap: float
    """Smallest gap between neighbouring means as a fraction of the track."""
    gap: float
    """Relative difference of the smallest gap from (distance of the stops)/(states − 1)."""
    failures: float
    """Share of programming events that leave no wall or several."""
    not_home: float
    """Share of incomplete resets: the wall is annihilated or nearer to the second state than to the first."""
    energy: float
    """Energy in J of one programming event (SOT and gate, mean over states)."""
    cost: float

    def parts(self, weights: Weights) -> dict[str, float]:
        """Contribution of each part to the cost."""
        energy = self.energy / PICOJOULE
        return {name: getattr(weights, name) * (energy if name == "energy" else getattr(self, name)) for name in PARTS}


SCORES = tuple(Score.__dataclass_fields__)
"""Names of the entries of a score."""


@dataclass(frozen=True)
class StateStatistics:
    """Statistics of the resting positions of each state, in order of mean position."""

    voltage: list[float]
    """Gate voltage in V."""
    mean: list[float]
    """Mean position in m; NaN if no event left a wall."""
    spread: list[float]
    """Standard deviation over devices and cycles in m."""
    misplaced: list[float]
    """Share of events nearer to the target position of another state."""
    overlaps: list[float]
    """Overlap of each pair of neighbours."""


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
    """Score of a design, computed from the resting positions of its walls.

    States are sorted by mean position; states without any wall come last.

    Args:
        positions: Resting positions in m, NaN where an event failed.
        after_reset: Wall positions in m after resets, NaN if annihilated.
        voltages: Gate voltage in V of each state.
        places: Target positions of the states in m, in order.
        energy: Energy in J of one programming event to each state.
        length: Length of the track in m.
        between_stops: Length in m between the end stops.
        weights: Weights of the parts in the cost.
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
        "not_home": incomplete_resets(after_reset, means.tolist()),
        "energy": float(np.mean(energy)),
    }
    score = Score(**parts, cost=0.0)
    score = Score(**parts, cost=sum(score.parts(weights).values()))
    spread = [float(pool.std()) if len(pool) else float("nan") for pool in pools]
    return score, StateStatistics([voltage for _, voltage in states], means.tolist(), spread, misplaced, overlaps)


def incomplete_resets(resting: Float[np.ndarray, " *event"], means: Sequence[float]) -> float:
    """Share of incomplete resets: the wall is annihilated or nearer to the second state than to the first.

    Any position between the stop and the first state counts as a complete reset, since programming pulses start from
    there.

    Args:
        resting: Wall positions in m after resets, NaN if annihilated.
        means: Mean positions of the states in m, in order.
    """
    border = 0.5 * (means[0] + means[1])
    # Without any wall in the first states, no reset can be called complete.
    return float((~(resting < border)).mean())


def _overlap(low: Float[np.ndarray, " event"], high: Float[np.ndarray, " other"]) -> float:
    """Probability that a wall of the lower state lies beyond one of the upper; ties count half."""
    if not len(low) or not len(high):
        return 0.5
    beyond = low[:, None] - high[None, :]
    return float((beyond > 0).mean() + 0.5 * (beyond == 0).mean())


def _misplaced(pool: Float[np.ndarray, " event"], places: Float[np.ndarray, " state"], state: int) -> float:
    """Share of a state's events nearer to another state's target position; 1 for a state without walls."""
    if not len(pool):
        return 1.0
    return float((np.abs(pool[:, None] - places).argmin(axis=1) != state).mean())


def _misplacement(pool: Float[np.ndarray, " event"], places: Float[np.ndarray, " state"], state: int) -> float:
    """Mean distance of a state's events from its target position, in units of the spacing."""
    if not len(pool):
        return LARGEST_MISPLACEMENT
    distance = np.abs(pool - places[state]) / np.diff(places).mean()
    return float(np.minimum(distance, LARGEST_MISPLACEMENT).mean())
