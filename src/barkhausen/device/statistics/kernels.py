"""Densities of positions as sums of normal kernels, on grids fine enough for the narrowest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.special import ndtr

BANDWIDTHS = 2.0 ** (-np.arange(13) / 2.0)
"""Candidate bandwidths as fractions of the normal-reference bandwidth: each finer by sqrt(2), down to 1/64."""


@dataclass(frozen=True)
class Kernels:
    """A sum of normal kernels, ``sum weight N(mean, sigma²)``; the weights add up to 1."""

    weight: Float[np.ndarray, " kernel"]
    mean: Float[np.ndarray, " kernel"]
    sigma: Float[np.ndarray, " kernel"]

    @classmethod
    def equal(cls, mean: Float[np.ndarray, " kernel"], sigma: float) -> Kernels:
        """Kernels of equal weight and equal sigma at given means."""
        return cls(np.full(len(mean), 1.0 / len(mean)), mean, np.full(len(mean), sigma))

    @classmethod
    def normal(cls, mean: float, sigma: float) -> Kernels:
        """A single kernel: a normal distribution."""
        return cls.equal(np.array([mean]), sigma)

    def density(self, x: Float[np.ndarray, " place"], least_sigma: float = 0.0) -> Float[np.ndarray, " place"]:
        """Density at ``x``, per unit of ``x``; no kernel is taken narrower than ``least_sigma``."""
        sigma = np.maximum(self.sigma, least_sigma)
        z = (x[:, None] - self.mean) / sigma
        return np.asarray(np.exp(-0.5 * z * z) @ (self.weight / (np.sqrt(2.0 * np.pi) * sigma)))

    def on_grid(self, grid: Grid, least_sigma: float = 0.0) -> Float[np.ndarray, " place"]:
        """Density on a grid that holds all kernels; kernels may be narrower than a grid step."""
        sigma = np.maximum(self.sigma, least_sigma)
        if np.ptp(sigma) == 0.0 and np.ptp(self.weight) == 0.0:
            return np.asarray(grid.smoothed(self.weight[0] * grid.histogram(self.mean[None]), float(sigma[0]))[0])
        heaps = self.weight[:, None] * grid.histogram(self.mean[:, None])
        parts = [grid.smoothed(heap[None], float(width))[0] for heap, width in zip(heaps, sigma, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def only(self, kernel: int) -> Kernels:
        """One of the kernels, with its weight unchanged."""
        chosen = slice(kernel, kernel + 1)
        return Kernels(self.weight[chosen], self.mean[chosen], self.sigma[chosen])

    def pick(self, shape: tuple[int, ...], generator: np.random.Generator) -> Int[np.ndarray, " ..."]:
        """Indices of kernels, drawn by their weights."""
        return generator.choice(len(self.weight), size=shape, p=self.weight)

    def cumulative(self, x: Float[np.ndarray, " place"]) -> Float[np.ndarray, " place"]:
        """Probability below ``x``; a kernel without width is a step."""
        z = (x[:, None] - self.mean) / np.maximum(self.sigma, 1e-100)
        return np.asarray(ndtr(z) @ self.weight)


@dataclass(frozen=True)
class Grid:
    """Evenly spaced grid points from ``low`` on."""

    low: float
    step: float
    size: int

    @classmethod
    def over(cls, values: Float[np.ndarray, " ..."], *, margin: float, step: float, largest: int) -> Grid:
        """A grid over all values (ignoring NaN) and a margin beyond, coarser than ``step`` if it would exceed
        ``largest``."""
        low, high = float(np.nanmin(values)) - margin, float(np.nanmax(values)) + margin
        size = int(np.clip(np.ceil((high - low) / step), 16, largest - 1)) + 1
        return cls(low, (high - low) / (size - 1), size)

    @property
    def places(self) -> Float[np.ndarray, " place"]:
        """Grid points."""
        return self.low + self.step * np.arange(self.size)

    @property
    def span(self) -> float:
        """Distance of the outermost grid points."""
        return self.step * (self.size - 1)

    def histogram(self, values: Float[np.ndarray, "row sample"]) -> Float[np.ndarray, "row place"]:
        """Number of values of each row at each grid point.

        A value between two grid points is split between them in proportion (linear binning, which preserves the mean).
        NaN is ignored.
        """
        counts = np.zeros((len(values), self.size))
        row, column = np.nonzero(np.isfinite(values))
        place = (values[row, column] - self.low) / self.step
        left = np.clip(place.astype(int), 0, self.size - 2)
        share = place - left
        np.add.at(counts, (row, left), 1.0 - share)
        np.add.at(counts, (row, left + 1), share)
        return counts

    def smoothed(self, counts: Float[np.ndarray, "row place"], sigma: float) -> Float[np.ndarray, "row place"]:
        """Each count spread over a normal kernel; the sums become densities per unit of the grid's axis."""
        share = (sigma / self.step) ** 2
        if share < 1.0:
            # A kernel this narrow is undersampled; three grid points preserve its mass, mean and variance.
            padded = np.pad(counts, ((0, 0), (1, 1)))
            spread = (1.0 - share) * counts + 0.5 * share * (padded[:, :-2] + padded[:, 2:])
            return np.asarray(spread / self.step)
        # Twice the length avoids wrap-around from one end to the other.
        length = next_fast_len(2 * self.size, real=True)
        damping = np.exp(-2.0 * np.pi**2 * rfftfreq(length) ** 2 * share)
        spread = irfft(rfft(counts, length, axis=-1) * damping, length, axis=-1)[..., : self.size]
        return np.asarray(np.maximum(spread, 0.0) / self.step)


def bandwidth(values: Float[np.ndarray, "device sample"]) -> float:
    """Sigma of the normal kernel that maximises the likelihood of each device given the values of the others.

    It is found by likelihood cross-validation (Silverman 1986, section 3.4.4) that leaves out whole devices: values of
    one device are similar, and leaving out single values would choose a kernel as narrow as the spread of a device. The
    candidates
    are the normal-reference bandwidth 1.06 s N^(−1/5) (his equation 3.28) and twelve successively finer by sqrt(2), so
    that two narrow modes are not smeared into one. If values repeat, they were rounded, and no kernel is narrower than
    half their smallest distance. A single device gets the normal-reference bandwidth.

    Args:
        values: One row for each device; NaN where a value is missing.

    Returns:
        Bandwidth in the unit of the values; zero if all are the same.
    """
    present = values[np.isfinite(values)]
    reference = 1.06 * float(present.std()) * len(present) ** -0.2 if len(present) > 1 else 0.0
    if reference == 0.0 or np.isfinite(values).any(axis=1).sum() < 2:
        return reference
    candidates = reference * BANDWIDTHS
    candidates = candidates[candidates >= min(_resolution(present) / 2.0, reference)]
    grid = Grid.over(values, margin=4.0 * reference, step=candidates[-1] / 2.0, largest=1024)
    counts = grid.histogram(values)
    counts = counts[counts.sum(axis=1) > 0]
    number = counts.sum(axis=1, keepdims=True)
    total = number.sum()
    # A value never observed among N may still occur once in N + 1 times (rule of succession); otherwise a single
    # outlying device would rule out all narrow kernels.
    unseen = 1.0 / (total + 1.0)
    scores = []
    for sigma in candidates:
        own = grid.smoothed(counts, float(sigma))
        others = (own.sum(axis=0) - own) / (total - number)
        scores.append(float((counts * np.log((1.0 - unseen) * others + unseen / grid.span)).sum()))
    return float(candidates[int(np.argmax(scores))])


def _resolution(values: Float[np.ndarray, " sample"]) -> float:
    """Smallest distance of distinct values if some repeat; zero if none does."""
    gaps = np.diff(np.sort(values))
    apart = gaps > 1e-9 * values.std()
    return 0.0 if apart.all() else float(gaps[apart].min(initial=np.inf))
