"""Bootstrap over samples: how often each resample holds every sample, a chunk of resamples at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

RESAMPLES = 1000
LEVEL = 0.95
CHUNK = 4_000_000
"""Weights in memory at once."""


def resampled_weights(samples: int, resamples: int, seed: int) -> Iterator[Int[np.ndarray, "resample sample"]]:
    """Weights of resamples: each holds as many samples as there are, drawn with replacement.

    Args:
        samples: Number of samples.
        resamples: Number of resamples.
        seed: Seed of the draw; figures of the same samples with the same seed are paired.
    """
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK // samples)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(samples, size=(rows, samples)) + samples * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * samples).reshape(rows, samples)


def with_intervals(
    figure: Callable[[Int[np.ndarray, "resample sample"]], Float[np.ndarray, "resample figure"]],
    samples: int,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    reflected: Sequence[int] = (),
) -> Float[np.ndarray, "figure 3"]:
    """Figures of all samples with intervals: value, lower and upper end of each.

    The intervals are percentiles of the resamples. Those of figures that are biased upwards, such as the calibration
    error, are reflected at the value (the basic bootstrap) and not below zero: of 95 % intervals for 15 bins and 114,
    400 and 2000 samples they hold a calibration error of 0.05 in 89, 87 and 91 % of cases (percentiles: 58, 86, 96 %),
    and one of 0 in 78, 69 and 78 % (percentiles: never).

    Resamples in which a figure is not defined are left out of its interval.

    Args:
        figure: Function from weights to the figures of each resample.
        samples: Number of samples.
        resamples: Number of resamples; 0 for no intervals.
        level: Confidence level.
        seed: Seed of the resamples.
        reflected: Places of figures that are biased upwards.
    """
    values = figure(np.ones((1, samples), np.int64))[0]
    if resamples == 0:
        return np.stack([values, np.full_like(values, np.nan), np.full_like(values, np.nan)], axis=1)
    drawn = np.concatenate([figure(weights) for weights in resampled_weights(samples, resamples, seed)])
    ends = np.full((2, len(values)), np.nan)
    for column in np.flatnonzero(np.isfinite(drawn).any(axis=0)).tolist():
        ends[:, column] = np.nanquantile(drawn[:, column], [(1 - level) / 2, (1 + level) / 2])
    for column in reflected:
        ends[:, column] = np.maximum(2 * values[column] - ends[::-1, column], 0.0)
    return np.stack([values, *ends], axis=1)
