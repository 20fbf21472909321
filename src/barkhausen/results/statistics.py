"""Statistics of results that are nested: chips within seeds, and seeds paired with the same seeds of a baseline.

Samples are arrays ``[seed, chip]``, NaN where a seed has fewer chips than others. The estimated quantity is always the
mean over seeds of the mean over a seed's chips, so seeds have equal weight for any number of chips. All random
functions take an explicit seed or ``numpy.random.Generator``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

from barkhausen.device.statistics.variance import variance_components

Samples = Float[np.ndarray, "seed chip"]
Values = Float[np.ndarray, " pair"]
Randomness = np.random.Generator | int
Method = Literal["auto", "student-t", "percentile", "bca"]

LEVEL = 0.95
RESAMPLES = 9999

FEWEST_FOR_BOOTSTRAP = 20
"""Seeds from which ``auto`` uses the bootstrap; below them Student's t over the means of the seeds.

Of 95 % intervals over 3, 5, 10 and 20 normal seeds 72, 83, 89 and 93 % of the BCa ones hold the mean (percentile: 74,
84, 88 and 93 %), and 94 to 95 % of Student's, which also holds up better where seeds are skewed (exponential: 88, 91
and 91 % for 5, 10 and 20 seeds; BCa 80, 88 and 90 %).
"""

MOST_ENUMERATED = 20
"""Pairs up to which all 2^n signs are tried; beyond, as many random ones as ``resamples``."""

CHUNK = 2_000_000
"""Numbers drawn at once, so that many chips do not need much memory."""


@dataclass(frozen=True)
class Components:
    """How much of the spread is between seeds and how much between the chips of one seed.

    Attributes:
        seeds: Standard deviation between seeds without the contribution of chips; NaN with one seed. With one chip for
            each seed the two cannot be separated, and it is the whole spread.
        chips: Standard deviation between the chips of one seed; NaN where no seed has two.
        clipped: The unbiased estimate of the variance between seeds was negative (chips alone would make the seeds
            differ more than they do), and zero stands in its place.
    """

    seeds: float
    chips: float
    clipped: bool


@dataclass(frozen=True)
class Interval:
    """Ends of a confidence interval, NaN where there are too few values, and in words how they came about."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True)
class PairedTest:
    """Differences of pairs tested against zero, two-sided.

    Attributes:
        pairs: Number of pairs.
        difference: Mean of value less baseline.
        interval: Interval of the difference.
        t, p_t: Of the paired t test; NaN for fewer than two pairs, or differences that are all the same.
        p_permutation: P-value of the sign-flip test, which assumes only that differences are symmetric about zero if
            there is no effect.
        p_smallest: No differences of this number could make ``p_permutation`` smaller than that: 0.25 for three pairs.
        exact: Whether all signs were tried.
        effect_size: Mean difference over the standard deviation of the differences, with Hedges' correction for few
            pairs; NaN where ``t`` is.
    """

    pairs: int
    difference: float
    interval: Interval
    t: float
    p_t: float
    p_permutation: float
    p_smallest: float
    exact: bool
    effect_size: float


def nested(chips: Sequence[Sequence[float] | Float[np.ndarray, " chip"]]) -> Samples:
    """The values of the chips of each seed as one array ``[seed, chip]``, filled up with NaN."""
    samples = np.full((len(chips), max((len(row) for row in chips), default=0)), np.nan)
    for seed, row in enumerate(chips):
        samples[seed, : len(row)] = row
    return samples


def with_moments(count: int, mean: float, std: float) -> Float[np.ndarray, " chip"]:
    """Values of that number, mean and sample standard deviation, for chips of which no more is known.

    An analysis of variance depends only on these, so it is exact; a bootstrap is not.
    """
    if count < 2:
        return np.array([mean])
    pattern = np.linspace(-1.0, 1.0, count)
    return mean + std * pattern / float(pattern.std(ddof=1))


def seed_means(samples: Samples) -> Float[np.ndarray, " seed"]:
    """Mean over the chips of each seed; seeds without any are left out."""
    rows = samples[np.isfinite(samples).any(axis=1)]
    means: Float[np.ndarray, " seed"] = np.nanmean(rows, axis=1) if len(rows) else np.empty(0)
    return means


def components(samples: Samples) -> Components:
    """Components of variance of chips nested in seeds.

    Unbiased analysis-of-variance estimates for unequal numbers of chips, those of
    :func:`barkhausen.device.statistics.variance.variance_components`, where devices and cycles are nested in the same
    way.
    """
    present = np.isfinite(samples).sum(axis=1)
    seeds, repeated = int((present > 0).sum()), bool((present > 1).any())
    if seeds == 0:
        return Components(math.nan, math.nan, False)
    between, within = variance_components(samples)
    clipped = seeds > 1 and repeated and between == 0.0 and within > 0.0
    return Components(between if seeds > 1 else math.nan, within if repeated else math.nan, clipped)


def mean_interval(
    samples: Samples,
    randomness: Randomness,
    *,
    level: float = LEVEL,
    method: Method = "auto",
    resamples: int = RESAMPLES,
) -> Interval:
    """Confidence interval of the mean over seeds.

    ``student-t`` takes the mean of each seed as one value: exact for normal seeds and any chips, however few. The
    bootstrap resamples seeds, then the chips of each seed drawn; ``percentile`` takes its quantiles, ``bca`` corrects
    them for bias and skewness (acceleration from leaving out one seed at a time; Efron, J. Am. Stat. Assoc. 82, 171,
    1987). A bootstrap of few seeds is too narrow, since it underestimates the variance by (n - 1)/n and knows no heavy
    tails (coverages: :data:`FEWEST_FOR_BOOTSTRAP`). So ``auto`` is ``student-t`` below 20 seeds and ``bca`` from there.

    Where chips differ much more than seeds, drawing chips anew counts their noise nearly twice, and the bootstrap is
    too wide instead: 98.6 % for 10 seeds of 10 chips that differ only in the chips.

    Args:
        samples: Samples by seed and chip.
        randomness: Random stream of the bootstrap; Student's t does not use it.
        level: Confidence level.
        method: Method of the interval (see above).
        resamples: Number of resamples of the bootstrap.
    """
    rows = samples[np.isfinite(samples).any(axis=1)]
    means = seed_means(rows)
    number = len(means)
    if number < 2:
        return Interval(math.nan, math.nan, level, "none: fewer than two seeds")
    if method == "auto":
        method = "student-t" if number < FEWEST_FOR_BOOTSTRAP else "bca"
    centre = float(means.mean())
    if method == "student-t":
        reach = float(stats.t.ppf((1 + level) / 2, number - 1) * means.std(ddof=1) / math.sqrt(number))
        return Interval(centre - reach, centre + reach, level, f"Student t over {number} seeds")
    drawn = resampled_means(rows, randomness, resamples)
    what = "seeds, then chips" if rows.shape[1] > 1 and np.isfinite(rows).sum(axis=1).max() > 1 else "seeds"
    shares = np.array([(1 - level) / 2, (1 + level) / 2])
    name = "percentile"
    if method == "bca":
        corrected = _bias_corrected(shares, drawn, means)
        if corrected is not None:
            shares, name = corrected, "BCa"
    low, high = np.quantile(drawn, shares).tolist()
    return Interval(low, high, level, f"{name} bootstrap of {number} {what}")


def resampled_means(samples: Samples, randomness: Randomness, resamples: int) -> Float[np.ndarray, " resample"]:
    """Means of two-stage resamples: as many seeds with replacement, of each as many of its chips with replacement."""
    generator = np.random.default_rng(randomness)
    seen = np.isfinite(samples)
    rows = samples[seen.any(axis=1)]
    counts = np.isfinite(rows).sum(axis=1)
    # Chips to the front of their row, so that the k-th chip of a seed is in column k.
    order = np.argsort(~np.isfinite(rows), axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)[:, : counts.max()]
    number, width = rows.shape
    step = max(1, CHUNK // (number * width))
    drawn = np.empty(resamples)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        seeds = generator.integers(number, size=(size, number))
        if width == 1:
            drawn[start : start + size] = rows[seeds, 0].mean(axis=1)
            continue
        of_seed = counts[seeds][:, :, None]
        places = (generator.random((size, number, width)) * of_seed).astype(np.intp)
        values = np.where(np.arange(width) < of_seed, rows[seeds[:, :, None], places], 0.0)
        drawn[start : start + size] = (values.sum(axis=2) / counts[seeds]).mean(axis=1)
    return drawn


def paired_test(
    values: Values,
    baseline: Values,
    randomness: Randomness,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> PairedTest:
    """Test the mean of ``values - baseline``, pair by pair, against zero.

    Args:
        values: Value of each seed.
        baseline: Baseline value of the same seeds, in the same order.
        randomness: Random stream of the bootstrap, and of the signs of more than 20 pairs.
        level: Confidence level.
        resamples: Number of resamples of both.
    """
    if values.shape != baseline.shape:
        raise ValueError(f"{values.shape} values cannot be paired with {baseline.shape}")
    generator = np.random.default_rng(randomness)
    differences = values - baseline
    number = len(differences)
    interval = mean_interval(differences[:, None], generator, level=level, resamples=resamples)
    p_permutation, p_smallest, exact = sign_flip_test(differences, generator, resamples=resamples)
    t = p_t = effect = math.nan
    mean = float(differences.mean()) if number else math.nan
    # What rounding leaves of equal differences is no spread.
    if number > 1 and np.ptp(differences) > 1e-12 * max(1.0, float(np.abs(values).max())):
        spread = float(differences.std(ddof=1))
        t = mean / (spread / math.sqrt(number))
        p_t = float(2 * stats.t.sf(abs(t), number - 1))
        effect = mean / spread * hedges_correction(number - 1)
    return PairedTest(number, mean, interval, t, p_t, p_permutation, p_smallest, exact, effect)


def sign_flip_test(
    differences: Values, randomness: Randomness, *, resamples: int = RESAMPLES
) -> tuple[float, float, bool]:
    """Two-sided permutation test of paired differences: how often random signs make a mean at least as far from zero.

    Exact for up to 20 pairs. Beyond that, (more extreme + 1) / (resamples + 1), which is never zero and keeps the level
    (Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39, 2010).

    Returns:
        ``(p, smallest, exact)``: the p-value, the smallest that so many differences can give (pairs without a
        difference do not count, their sign changes nothing), and whether all signs were tried. NaN without pairs.
    """
    number = len(differences)
    if number == 0:
        return math.nan, math.nan, True
    sizes = np.abs(differences)
    telling = int((sizes > 0).sum())
    # Sums in another order differ in rounding; accuracies are multiples of one over the samples, so ties are common.
    limit = abs(float(differences.sum())) - 1e-9 * float(sizes.sum())
    if number <= MOST_ENUMERATED:
        # The first sign stays: the other half of the signs are the negatives of these.
        sums = sizes[:1]
        for size in sizes[1:]:
            sums = np.concatenate((sums - size, sums + size))
        return float((np.abs(sums) >= limit).mean()), min(1.0, 2.0 ** (1 - telling)), True
    generator = np.random.default_rng(randomness)
    beyond = 0
    step = max(1, CHUNK // number)
    for start in range(0, resamples, step):
        signs = generator.integers(2, size=(min(step, resamples - start), number)) * 2 - 1
        beyond += int((np.abs(signs @ differences) >= limit).sum())
    return (beyond + 1) / (resamples + 1), max(1 / (resamples + 1), min(1.0, 2.0 ** (1 - telling))), False


def holm(p_values: Sequence[float] | Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Holm's correction for several tests (Scand. J. Stat. 6, 65, 1979); NaN stays NaN and does not count."""
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    tested = np.isfinite(given).nonzero()[0]
    order = tested[np.argsort(given[tested], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def hedges_correction(freedom: int) -> float:
    """Factor that makes a standardised mean difference of so many degrees of freedom unbiased for normal values."""
    half = freedom / 2
    # With one degree of freedom the estimate has no mean to be right on average.
    return math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half) if freedom > 1 else math.nan


def _bias_corrected(
    shares: Float[np.ndarray, " end"], drawn: Float[np.ndarray, " resample"], means: Float[np.ndarray, " seed"]
) -> Float[np.ndarray, " end"] | None:
    """Which shares of the resamples the ends of a BCa interval are; ``None`` where that cannot be said."""
    centre = means.mean()
    below = ((drawn < centre).mean() + (drawn <= centre).mean()) / 2
    left_out = (means.sum() - means) / (len(means) - 1)
    deviations = left_out.mean() - left_out
    scale = float((deviations**2).sum())
    if not 0 < below < 1 or scale == 0:
        return None
    bias = stats.norm.ppf(below)
    acceleration = float((deviations**3).sum()) / (6 * scale**1.5)
    reach = bias + stats.norm.ppf(shares)
    corrected: Float[np.ndarray, " end"] = stats.norm.cdf(bias + reach / (1 - acceleration * reach))
    return corrected
