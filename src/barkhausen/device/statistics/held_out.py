"""Scores of distributions on held-out devices, and the choice of the simplest one close to the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from barkhausen.device.statistics.candidates import Background, CandidateDistribution, Rows

FOLDS = 8

Scores = Float[np.ndarray, " device"]
Fit = Callable[[Rows, int], CandidateDistribution]


def folds(seen: Bool[np.ndarray, " device"], generator: np.random.Generator) -> Int[np.ndarray, " device"]:
    """Fold of each device: eight folds, or one for each observed device if fewer; 0 for a device without values."""
    number = int(seen.sum())
    fold = np.zeros(len(seen), dtype=np.int64)
    fold[seen] = generator.permutation(np.arange(number) % min(FOLDS, number))
    return fold


def held_out(rows: Rows, fold: Int[np.ndarray, " device"], fit: Fit) -> Scores:
    """Log-likelihood of each device under the distribution fitted to the devices of the other folds.

    Args:
        rows: Positions of one state in units of its spread. A device without values scores 0.
        fold: Fold of each device.
        fit: Function that fits a distribution to the rows of the other folds, given the number of the fold left out.
    """
    seen = np.isfinite(rows).any(axis=1)
    span = float(np.nanmax(rows) - np.nanmin(rows)) + 1.0
    scores = np.zeros(len(rows))
    for number in np.unique(fold[seen]):
        train = rows[seen & (fold != number)]
        background = Background.of(train, span)
        left_out = seen & (fold == number)
        scores[left_out] = fit(train, int(number)).log_likelihood(rows[left_out], background)
    return scores


def standard_error(differences: Scores) -> float:
    """Standard error of the mean of independent differences."""
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))


def simplest(scores: Sequence[Scores]) -> int:
    """Index of the first distribution, from the simplest on, that is at most one standard error behind the best.

    The standard error is that of the differences for each device, since a device that is hard to predict is so for all
    distributions and says little about which is better.
    """
    best = scores[int(np.argmax([score.mean() for score in scores]))]
    behind = (best - score for score in scores)
    return next(number for number, gap in enumerate(behind) if gap.mean() <= standard_error(gap))
