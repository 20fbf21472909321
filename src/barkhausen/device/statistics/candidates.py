"""Candidate distributions for the resting positions of one state, and the likelihood each gives to held-out devices.

All distributions have the form position = centre of the device + noise of the cycle, and differ in these two parts:

- *gaussian*: a normal offset and normal noise, the one-way random-effects model.
- *mixture*: two to four normal components, for a wall caught at one of several pinning sites. The component is chosen
  either by the *cycle* (the noise is the mixture and the offset is normal) or by the *device* (the offset is the
  mixture).
- *empirical*: the characterised values, each widened to a normal kernel and all shrunk so that the variances remain the
  estimated ones (smoothed bootstrap, Silverman 1986, section 6.4.1). The noise of all devices is pooled, or each device
  keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.signal import fftconvolve
from scipy.special import logsumexp

from barkhausen.device.statistics.kernels import Grid, Kernels, bandwidth
from barkhausen.device.statistics.mixture import LEAST_SIGMA, Components
from barkhausen.device.statistics.variance import variance_components

Level = Literal["cycle", "device"]
MAXIMAL_GRID = 4097
Rows = Float[np.ndarray, "device cycle"]


@dataclass(frozen=True)
class Background:
    """Uniform background for values that were never observed, over the range of those that were.

    An event not observed in D devices or N cycles may occur once in D + 1 or N + 1 times (rule of succession). The
    background is the same for all distributions and prevents a single outlier from deciding between them.

    Attributes:
        devices, cycles: Numbers of observed devices and cycles.
        span: Range of all positions of the state plus one standard deviation.
    """

    devices: int
    cycles: int
    span: float

    @classmethod
    def of(cls, rows: Rows, span: float | None = None) -> Background:
        """Background of a distribution fitted to these rows. Default span: that of the rows."""
        own = float(np.nanmax(rows) - np.nanmin(rows)) + 1.0
        return cls(len(rows), int(np.isfinite(rows).sum()), own if span is None else span)

    def under(
        self, density: Float[np.ndarray, " place"], seen: int, weight: float = 1.0
    ) -> Float[np.ndarray, " place"]:
        """A density of the given weight with the background added."""
        return (seen * density + weight / self.span) / (seen + 1.0)


@dataclass(frozen=True)
class CandidateDistribution:
    """Distribution of one state.

    Attributes:
        centre: Distribution of the centres of devices.
        noise: Distribution of cycles about the centre of their device: one for all devices, or one for each kernel of
            ``centre``, which then represents one device.
    """

    centre: Kernels
    noise: tuple[Kernels, ...]

    def draw(
        self, shape: tuple[int, int, int], generator: np.random.Generator
    ) -> Float[np.ndarray, "copy device cycle"]:
        """Draw positions of fresh devices."""
        kernel = self.centre.pick(shape[:2], generator)
        centre = self.centre.mean[kernel] + self.centre.sigma[kernel] * generator.standard_normal(shape[:2])
        if len(self.noise) == 1:
            part = self.noise[0].pick(shape, generator)
            mean, sigma = self.noise[0].mean[part], self.noise[0].sigma[part]
        else:
            mean, sigma = np.empty(shape), np.empty(shape)
            for number in np.unique(kernel):
                where, own = kernel == number, self.noise[number]
                part = own.pick((int(where.sum()), shape[2]), generator)
                mean[where], sigma[where] = own.mean[part], own.sigma[part]
        return np.asarray(centre[..., None] + mean + sigma * generator.standard_normal(shape))

    def cumulative(self, grid: Grid) -> Float[np.ndarray, " place"]:
        """Probability that a position of a fresh device is below each grid point."""
        around = grid.step * np.arange(1 - grid.size, grid.size)
        total = np.zeros(grid.size)
        for number, noise in enumerate(self.noise):
            part = self.centre if len(self.noise) == 1 else self.centre.only(number)
            total += fftconvolve(part.on_grid(grid) * grid.step, noise.cumulative(around), "valid")
        return np.clip(total, 0.0, 1.0)

    def log_likelihood(self, rows: Rows, background: Background) -> Float[np.ndarray, " device"]:
        """Logarithm of the density of all cycles of each device together, its centre integrated out.

        The integral over the centre uses a grid with a spacing of a fifth of the narrowest noise kernel divided by the
        root of the number of cycles, which is the precision to which the cycles determine the centre. A device without
        values has 0.

        Args:
            rows: Positions of the devices in units of the spread of their state.
            background: Uniform background.
        """
        cycles = int(np.isfinite(rows).sum(axis=1).max())
        narrowest = max(LEAST_SIGMA, min(float(noise.sigma.min()) for noise in self.noise))
        reach = [rows.ravel(), self.centre.mean, *(self.centre.mean.mean() + noise.mean for noise in self.noise)]
        step = narrowest / (5.0 * np.sqrt(max(cycles, 1)))
        grid = Grid.over(np.concatenate(reach), margin=4.0 * narrowest, step=step, largest=MAXIMAL_GRID)
        around = Grid(-grid.span, grid.step, 2 * grid.size - 1)
        counts = grid.histogram(rows)
        terms = []
        for number, noise in enumerate(self.noise):
            part = self.centre if len(self.noise) == 1 else self.centre.only(number)
            cycle = background.under(noise.on_grid(around, LEAST_SIGMA), background.cycles)
            # Position = centre + noise: the sum over cycles is a correlation of their histogram with the table.
            joint = fftconvolve(counts, np.log(cycle)[None, ::-1], "full", axes=1)
            joint = joint[:, grid.size - 1 : 2 * grid.size - 1]
            centre = background.under(part.on_grid(grid), background.devices, float(part.weight.sum()))
            terms.append(logsumexp(joint, b=centre * grid.step, axis=1))
        values = np.asarray(logsumexp(terms, axis=0))
        return np.where(np.isfinite(rows).any(axis=1), values, 0.0)


def gaussian_candidate(rows: Rows) -> CandidateDistribution:
    """Gaussian distribution: normal offset and normal noise with the variance components of the rows."""
    sigma_device, sigma_cycle = variance_components(rows)
    return CandidateDistribution(
        Kernels.normal(float(np.nanmean(rows)), sigma_device), (Kernels.normal(0.0, sigma_cycle),)
    )


def mixture_candidate(rows: Rows, components: Components, level: Level) -> CandidateDistribution:
    """Mixture distribution: offset and noise, given the mixture of the positions of all devices and cycles.

    At the level of the cycle, all components share the offset of the device (:func:`offset_within`) and the rest of
    their variance is noise. At the level of the device, all share the noise, which has the variance within devices, and
    the rest is the spread of offsets. A single component is the Gaussian distribution.
    """
    if len(components.mean) == 1:
        return gaussian_candidate(rows)
    if level == "device":
        noise = variance_components(rows)[1]
        spread = np.sqrt(np.maximum(components.sigma**2 - noise**2, 0.0))
        return CandidateDistribution(Kernels(components.weight, components.mean, spread), (Kernels.normal(0.0, noise),))
    offset = offset_within(rows, components)
    mean = float(components.weight @ components.mean)
    noisy = Kernels(components.weight, components.mean - mean, np.sqrt(components.sigma**2 - offset**2))
    return CandidateDistribution(Kernels.normal(mean, offset), (noisy,))


def offset_within(rows: Rows, components: Components) -> float:
    """Device-to-device sigma, common to all components, of positions about the means of their components.

    Its share of the variance within components follows from an analysis of variance of positions minus their expected
    component means. It is at most 99 % of the sigma of the narrowest component.
    """
    expected = (components.shares(rows) * components.mean).sum(axis=-1)
    device, cycle = variance_components(rows - expected)
    total = device**2 + cycle**2
    share = device**2 / total if total > 0 else 0.0
    within = float(components.weight @ components.sigma**2)
    return float(np.sqrt(min(share * within, 0.99 * float(components.sigma.min()) ** 2)))


def empirical_candidate(rows: Rows, *, own_noise: bool) -> CandidateDistribution:
    """Empirical distribution: smoothed bootstrap of the rows; with ``own_noise`` each device keeps its own cycles."""
    sigma_device, sigma_cycle = variance_components(rows)
    offsets, residuals = predicted_offsets(rows)
    width_device, width_cycle = bandwidths(rows)
    place, spread = drawn_in(offsets, sigma_device, width_device)
    centre = Kernels.equal(float(np.nanmean(rows)) + place, spread)
    if not own_noise:
        place, spread = drawn_in(residuals[np.isfinite(residuals)], sigma_cycle, width_cycle)
        return CandidateDistribution(centre, (Kernels.equal(place, spread),))
    own, sigmas = own_residuals(rows, sigma_cycle)
    pools = [drawn_in(row[np.isfinite(row)], sigma, width_cycle) for row, sigma in zip(own, sigmas, strict=True)]
    return CandidateDistribution(centre, tuple(Kernels.equal(place, spread) for place, spread in pools))


def predicted_offsets(rows: Rows) -> tuple[Float[np.ndarray, " device"], Rows]:
    """Offset of each device from the mean of all, and the residual of each cycle from its device.

    The mean of a few cycles carries cycle noise. An offset is therefore the best linear prediction, the mean shrunk by
    n sd² / (n sd² + sc²), and residuals are taken about it (Carpenter, Goldstein, Rasbash, Appl. Statist. 52, 431,
    2003). About the raw mean of four cycles, noise with two values would appear to have seven.
    """
    sigma_device, sigma_cycle = variance_components(rows)
    count = np.isfinite(rows).sum(axis=1)
    total = count * sigma_device**2 + sigma_cycle**2
    trust = np.divide(count * sigma_device**2, total, out=np.zeros(len(rows)), where=total > 0)
    mean = float(np.nanmean(rows))
    offsets = trust * (np.nanmean(rows, axis=1) - mean)
    return offsets, rows - mean - offsets[:, None]


def bandwidths(rows: Rows) -> tuple[float, float]:
    """Sigmas of the kernels that widen offsets and residuals, chosen so that devices predict each other best."""
    offsets, residuals = predicted_offsets(rows)
    return bandwidth(offsets[:, None]), bandwidth(residuals)


def own_residuals(rows: Rows, sigma_cycle: float) -> tuple[Rows, Float[np.ndarray, " device"]]:
    """Residuals of each device about its own mean, and the sigma of its noise.

    The mean square of these sigmas is ``sigma_cycle``². A device with a single cycle gets the average.
    """
    residuals = rows - np.nanmean(rows, axis=1, keepdims=True)
    freedom = np.isfinite(rows).sum(axis=1) - 1
    squares = np.nansum(residuals**2, axis=1)
    average = squares.sum() / max(int(freedom.sum()), 1)
    variance = np.divide(squares, freedom, out=np.full(len(rows), average), where=freedom > 0)
    mean = float(variance.mean())
    return residuals, sigma_cycle * np.sqrt(variance / mean if mean > 0 else np.zeros(len(rows)))


def drawn_in(
    values: Float[np.ndarray, " sample"], sigma: float, width: float
) -> tuple[Float[np.ndarray, " sample"], float]:
    """Means and common sigma of normal kernels with a total mean of zero and a total variance of ``sigma``².

    Values, widened by a kernel of the given width, are shrunk towards the mean by one factor (Silverman 1986,
    section 6.4.1).
    """
    centred = values - values.mean()
    spread = float(centred.std())
    if spread == 0.0 or sigma == 0.0:
        return np.zeros(len(values)), sigma
    factor = sigma / float(np.hypot(spread, width))
    return factor * centred, factor * width
