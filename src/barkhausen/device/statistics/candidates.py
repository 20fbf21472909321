"""Candidate distributions for the resting positions of one state, and how likely each makes a device it has not seen.

All distributions are of one form, position = centre of the device + noise of the cycle, and differ in what the two
parts are:

- *gaussian*: a normal offset and normal noise, the one-way random-effects model.
- *mixture*: of two to four normals, where one or several pinning sites catch the wall. Either the *cycle* decides
  which (the noise is the mixture, the offset normal) or the *device* does (the offset is the mixture).
- *empirical*: what was characterised, each value widened to a normal kernel and all shrunk so that the variances
  stay the estimated ones (smoothed bootstrap, Silverman 1986, section 6.4.1). The noise of all devices is pooled, or
  each device keeps its own.
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
    """What was never seen, spread evenly over all that was.

    What D devices and N cycles never showed may happen once in D + 1 and N + 1 times (rule of succession). It is the
    same for all distributions and keeps a single outlier from deciding between them.

    Attributes:
        devices, cycles: How many were seen.
        span: Range of all positions of the state, and one of its standard deviations.
    """

    devices: int
    cycles: int
    span: float

    @classmethod
    def of(cls, rows: Rows, span: float | None = None) -> Background:
        """For a distribution fitted to these rows, all of them seen; of their own range if no other is given."""
        own = float(np.nanmax(rows) - np.nanmin(rows)) + 1.0
        return cls(len(rows), int(np.isfinite(rows).sum()), own if span is None else span)

    def under(
        self, density: Float[np.ndarray, " place"], seen: int, weight: float = 1.0
    ) -> Float[np.ndarray, " place"]:
        """A density of the given weight with the background below it."""
        return (seen * density + weight / self.span) / (seen + 1.0)


@dataclass(frozen=True)
class CandidateDistribution:
    """Distribution of one state.

    Attributes:
        centre: Distribution of the place that a device's cycles scatter about.
        noise: Distribution of a cycle about the centre of its device; one for all devices, or one for each kernel of
            ``centre``, which then stands for a device of its own.
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
        """Probability that a fresh device rests below each place."""
        around = grid.step * np.arange(1 - grid.size, grid.size)
        total = np.zeros(grid.size)
        for number, noise in enumerate(self.noise):
            part = self.centre if len(self.noise) == 1 else self.centre.only(number)
            total += fftconvolve(part.on_grid(grid) * grid.step, noise.cumulative(around), "valid")
        return np.clip(total, 0.0, 1.0)

    def log_likelihood(self, rows: Rows, background: Background) -> Float[np.ndarray, " device"]:
        """Logarithm of the density of all cycles of each device together, its centre integrated out.

        The integral over the centre runs over a grid a fifth of the narrowest noise kernel apart, divided by the
        root of the number of cycles, since so well do the cycles know the centre. A device never seen has 0.

        Args:
            rows: Positions of the devices, in units of the spread of their state.
            background: What any distribution must allow for.
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
    """Normal offset and normal noise with the components of variance of the rows."""
    sigma_device, sigma_cycle = variance_components(rows)
    return CandidateDistribution(
        Kernels.normal(float(np.nanmean(rows)), sigma_device), (Kernels.normal(0.0, sigma_cycle),)
    )


def mixture_candidate(rows: Rows, components: Components, level: Level) -> CandidateDistribution:
    """Offset and noise of a mixture, given the mixture of the positions of all devices and cycles.

    Where the cycle decides, all components share the offset of the device (:func:`offset_within`) and keep the rest
    of their variance as noise. Where the device decides, all share the noise, the variance within devices, and keep
    the rest as offsets. A single component is the Gaussian distribution.
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
    """Device-to-device sigma, common to all components, of positions about the components they came from.

    Its share of the variance within components is that of an analysis of variance of positions less the component
    mean to be expected of each; at most 99 % of the narrowest component.
    """
    expected = (components.shares(rows) * components.mean).sum(axis=-1)
    device, cycle = variance_components(rows - expected)
    total = device**2 + cycle**2
    share = device**2 / total if total > 0 else 0.0
    within = float(components.weight @ components.sigma**2)
    return float(np.sqrt(min(share * within, 0.99 * float(components.sigma.min()) ** 2)))


def empirical_candidate(rows: Rows, *, own_noise: bool) -> CandidateDistribution:
    """Smoothed bootstrap of the rows; with ``own_noise`` each device keeps its own cycles."""
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

    The mean of a few cycles carries cycle noise. An offset is therefore its best linear prediction, the mean drawn in
    by n sd² / (n sd² + sc²), and residuals are taken about that (Carpenter, Goldstein, Rasbash, Appl. Statist. 52,
    431, 2003): about the raw mean of four cycles, noise that knows two values would seem to know seven.
    """
    sigma_device, sigma_cycle = variance_components(rows)
    count = np.isfinite(rows).sum(axis=1)
    total = count * sigma_device**2 + sigma_cycle**2
    trust = np.divide(count * sigma_device**2, total, out=np.zeros(len(rows)), where=total > 0)
    mean = float(np.nanmean(rows))
    offsets = trust * (np.nanmean(rows, axis=1) - mean)
    return offsets, rows - mean - offsets[:, None]


def bandwidths(rows: Rows) -> tuple[float, float]:
    """Sigmas of the kernels that widen offsets and residuals, each under which devices predict each other."""
    offsets, residuals = predicted_offsets(rows)
    return bandwidth(offsets[:, None]), bandwidth(residuals)


def own_residuals(rows: Rows, sigma_cycle: float) -> tuple[Rows, Float[np.ndarray, " device"]]:
    """Residuals of each device about its own mean, and the sigma of its noise.

    The mean of the squares of these sigmas is that of ``sigma_cycle``; a device of a single cycle, which says
    nothing about its noise, gets the average.
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
    """Places and common sigma of normal kernels whose mean is zero and whose variance is ``sigma``².

    Each value, widened by a kernel of the given width, is drawn towards the mean by one factor (Silverman 1986,
    section 6.4.1).
    """
    centred = values - values.mean()
    spread = float(centred.std())
    if spread == 0.0 or sigma == 0.0:
        return np.zeros(len(values)), sigma
    factor = sigma / float(np.hypot(spread, width))
    return factor * centred, factor * width
