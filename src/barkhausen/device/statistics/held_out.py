"""Scores of distributions on held-out devices, and the simplest distribution that is about as good as the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from barkhausen.device.statistics.candidates import Background, CandidateDistribution, Rows

FOLDS = 8

Scores = Float[np.ndarray, " device"]
Fit = Callable[[Rows, int], CandidateDistribution]


def folds(seen: Bool[np.ndarray, " device"], generator: np.random.Generator) -> Int[np.ndarray, " device"]:
    """The fold of each device: eight of them, or as many as devices seen; 0 for a device never seen."""
    number = int(seen.sum())
    fold = np.zeros(len(seen), dtype=np.int64)
    fold[seen] = generator.permutation(np.arange(number) % min(FOLDS, number))
    return fold


def held_out(rows: Rows, fold: Int[np.ndarray, " device"], fit: Fit) -> Scores:
    """Log-likelihood of each device under the distribution fitted to the devices of the other folds.

    Args:
        rows: Positions of one state, in units of its spread; a device never seen scores 0.
        fold: Of each device.
        fit: Makes a distribution of the rows of the other folds; told the number of the fold left out.
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
    """Of the mean of independent differences."""
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))


def simplest(scores: Sequence[Scores]) -> int:
    """The first of the distributions, from the simplest on, that is at most one standard error behind the best.

    The standard error is that of the differences device by device: a device that is hard to predict is so for all
    distributions, and says little about which of them is better.
    """
    best = scores[int(np.argmax([score.mean() for score in scores]))]
    behind = (best - score for score in scores)
    return next(number for number, gap in enumerate(behind) if gap.mean() <= standard_error(gap))
