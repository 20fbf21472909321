"""Goodness of fit: the distance of the positions of one state from a distribution, and its p-value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from barkhausen.device.statistics.candidates import CandidateDistribution, Rows
from barkhausen.device.statistics.kernels import Grid
from barkhausen.device.statistics.mixture import Components, refit_mixture
from barkhausen.device.statistics.variance import variance_components

RESAMPLES = 199

Copies = Float[np.ndarray, "copy device cycle"]
Values = Float[np.ndarray, "copy sample"]
Marginal = Callable[[Copies, Values], Values]


def kolmogorov_smirnov(
    rows: Rows, distribution: CandidateDistribution, marginal: Marginal, generator: np.random.Generator
) -> tuple[float, float]:
    """Distance of all positions of a state from a distribution fitted to them, and its p-value by parametric bootstrap.

    The p-value is the share of data sets of the same shape (devices, cycles and holes), drawn from the distribution,
    whose distance from the distribution fitted to *them* is at least as large (Lilliefors 1967). They are drawn device
    by device and so are clustered like the data. The textbook p-value assumes independent positions and a distribution
    known beforehand, and neither holds here.

    Args:
        rows: Positions of the state.
        distribution: Distribution fitted to them, from which the data sets are drawn.
        marginal: Function that fits the distribution to each of many data sets and gives the probability below each
        value.
        generator: Random stream of the data sets.
    """
    present = np.isfinite(rows)
    drawn = np.where(present, distribution.draw((RESAMPLES, *rows.shape), generator), np.nan)
    found = _distances(rows[None], marginal)[0]
    expected = _distances(drawn, marginal)
    return float(found), float((1 + (expected >= found).sum()) / (1 + RESAMPLES))


def _distances(copies: Copies, marginal: Marginal) -> Float[np.ndarray, " copy"]:
    values = copies[:, np.isfinite(copies[0])]
    below = np.sort(marginal(copies, values), axis=1)
    step = np.arange(values.shape[1] + 1) / values.shape[1]
    return np.asarray(np.maximum(step[1:] - below, below - step[:-1]).max(axis=1))


def gaussian_marginal(copies: Copies, values: Values) -> Values:
    """Marginal of the random-effects model: normal, with the sum of both variance components."""
    sigma = np.array([np.hypot(*variance_components(rows)) for rows in copies])[:, None]
    return np.asarray(ndtr((values - values.mean(axis=1, keepdims=True)) / np.maximum(sigma, 1e-100)))


def mixture_marginal(start: Components) -> Marginal:
    """Marginal of the mixture fitted to each data set from the components ``start``."""

    def marginal(copies: Copies, values: Values) -> Values:
        found = refit_mixture(values, np.ones(values.shape), start)
        z = (values[..., None] - found.mean[:, None]) / found.sigma[:, None]
        return np.asarray((ndtr(z) * found.weight[:, None]).sum(axis=-1))

    return marginal


def same_marginal(distribution: CandidateDistribution, rows: Rows) -> Marginal:
    """Marginal of a distribution that is not fitted again."""
    spread = float(np.nanstd(rows))
    grid = Grid.over(rows, margin=4.0 * spread, step=spread / 100.0, largest=4096)
    table = distribution.cumulative(grid)

    def marginal(copies: Copies, values: Values) -> Values:
        return np.asarray(np.interp(values, grid.places, table))

    return marginal
