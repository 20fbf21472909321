"""How far the positions of one state lie from a distribution, and how far they would if the distribution held."""

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
    that lie as far from the distribution fitted to *them* as the positions do from theirs (Lilliefors 1967). Drawn
    device by device, they are as clustered as the data; the textbook p-value, for independent positions and a
    distribution known beforehand, would be off on both counts.

    Args:
        rows: Positions of the state.
        distribution: Fitted to them; draws the data sets.
        marginal: The probability that the distribution, fitted to each of many data sets, puts below each of its
        values.
        generator: Of the data sets.
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
    """Of the random-effects model: normal, its variance the sum of both components."""
    sigma = np.array([np.hypot(*variance_components(rows)) for rows in copies])[:, None]
    return np.asarray(ndtr((values - values.mean(axis=1, keepdims=True)) / np.maximum(sigma, 1e-100)))


def mixture_marginal(start: Components) -> Marginal:
    """Of the mixture that the components ``start`` lead to in each data set."""

    def marginal(copies: Copies, values: Values) -> Values:
        found = refit_mixture(values, np.ones(values.shape), start)
        z = (values[..., None] - found.mean[:, None]) / found.sigma[:, None]
        return np.asarray((ndtr(z) * found.weight[:, None]).sum(axis=-1))

    return marginal


def same_marginal(distribution: CandidateDistribution, rows: Rows) -> Marginal:
    """Of one distribution that is not fitted again."""
    spread = float(np.nanstd(rows))
    grid = Grid.over(rows, margin=4.0 * spread, step=spread / 100.0, largest=4096)
    table = distribution.cumulative(grid)

    def marginal(copies: Copies, values: Values) -> Values:
        return np.asarray(np.interp(values, grid.places, table))

    return marginal
