"""Statistics of a repeated cross-validation, whose trainings share samples and are therefore correlated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from barkhausen.results.statistics import LEVEL, Interval


@dataclass(frozen=True)
class FoldMean:
    """Mean over the folds of all repetitions.

    Attributes:
        number: Number of folds in all.
        mean: Mean.
        interval: Confidence interval; NaN for fewer than two folds.
        t, p: Test against zero, two-sided; NaN where it is not defined.
    """

    number: int
    mean: float
    interval: Interval
    t: float
    p: float


def fold_mean(values: Sequence[float], test_over_train: float, *, level: float = LEVEL) -> FoldMean:
    """Mean with the corrected resampled t statistic.

    The variance of the mean of n folds is taken as s² (1/n + n_test/n_train) instead of s²/n, because their training
    sets overlap; n − 1 degrees of freedom. C. Nadeau, Y. Bengio, Mach. Learn. 52, 239 (2003); for repeated
    cross-validation R. R. Bouckaert, E. Frank, PAKDD (2004). Without the correction the test finds differences that are
    not there far too often.

    Args:
        values: Values, or differences of paired values, of all folds.
        test_over_train: Number of test samples over that of training samples: 1/(k − 1) for k folds.
        level: Confidence level.
    """
    given = np.asarray(values, np.float64)
    number, mean = len(given), float(given.mean()) if len(given) else math.nan
    if number < 2:
        return FoldMean(
            number, mean, Interval(math.nan, math.nan, level, "none: fewer than two folds"), math.nan, math.nan
        )
    error = float(given.std(ddof=1)) * math.sqrt(1 / number + test_over_train)
    reach = float(stats.t.ppf((1 + level) / 2, number - 1)) * error
    interval = Interval(mean - reach, mean + reach, level, f"corrected resampled t over {number} folds")
    if error == 0:
        return FoldMean(number, mean, interval, math.nan, math.nan)
    t = mean / error
    return FoldMean(number, mean, interval, t, float(2 * stats.t.sf(abs(t), number - 1)))
