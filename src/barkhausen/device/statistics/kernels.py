"""Densities of positions as sums of normal kernels, on grids fine enough for the narrowest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.special import ndtr

BANDWIDTHS = 2.0 ** (-np.arange(13) / 2.0)
"""Candidate bandwidths as fractions of the normal-reference one: finer by sqrt(2) each, down to 1/64."""


@dataclass(frozen=True)
class Kernels:
    """A sum of normal kernels, ``sum weight N(mean, sigma²)``; the weights add up to 1."""

    weight: Float[np.ndarray, " kernel"]
    mean: Float[np.ndarray, " kernel"]
    sigma: Float[np.ndarray, " kernel"]

    @classmethod
    def equal(cls, mean: Float[np.ndarray, " kernel"], sigma: float) -> Kernels:
        """Kernels of one weight and one sigma at each of the given places."""
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
        """The same on a grid that holds all kernels, of which any may be narrower than a step."""
        sigma = np.maximum(self.sigma, least_sigma)
        if np.ptp(sigma) == 0.0 and np.ptp(self.weight) == 0.0:
            return np.asarray(grid.smoothed(self.weight[0] * grid.histogram(self.mean[None]), float(sigma[0]))[0])
        heaps = self.weight[:, None] * grid.histogram(self.mean[:, None])
        parts = [grid.smoothed(heap[None], float(width))[0] for heap, width in zip(heaps, sigma, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def only(self, kernel: int) -> Kernels:
        """One of the kernels, its weight unchanged."""
        chosen = slice(kernel, kernel + 1)
        return Kernels(self.weight[chosen], self.mean[chosen], self.sigma[chosen])

    def pick(self, shape: tuple[int, ...], generator: np.random.Generator) -> Int[np.ndarray, " ..."]:
        """Numbers of kernels, drawn by their weights."""
        return generator.choice(len(self.weight), size=shape, p=self.weight)

    def cumulative(self, x: Float[np.ndarray, " place"]) -> Float[np.ndarray, " place"]:
        """Probability below ``x``; a kernel without width is a step."""
        z = (x[:, None] - self.mean) / np.maximum(self.sigma, 1e-100)
        return np.asarray(ndtr(z) @ self.weight)


@dataclass(frozen=True)
class Grid:
    """Evenly spaced places from ``low`` on."""

    low: float
    step: float
    size: int

    @classmethod
    def over(cls, values: Float[np.ndarray, " ..."], *, margin: float, step: float, largest: int) -> Grid:
        """A grid over all values (NaN ignored) and ``margin`` beyond; coarser than ``step`` if ``largest`` asks it."""
        low, high = float(np.nanmin(values)) - margin, float(np.nanmax(values)) + margin
        size = int(np.clip(np.ceil((high - low) / step), 16, largest - 1)) + 1
        return cls(low, (high - low) / (size - 1), size)

    @property
    def places(self) -> Float[np.ndarray, " place"]:
        """The places themselves."""
        return self.low + self.step * np.arange(self.size)

    @property
    def span(self) -> float:
        """Distance of the outermost places."""
        return self.step * (self.size - 1)

    def histogram(self, values: Float[np.ndarray, "row sample"]) -> Float[np.ndarray, "row place"]:
        """How many values of each row lie at each place.

        A value between two places is shared between them in proportion (linear binning: the mean stays exact).
        NaN counts nowhere.
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
            # A sampled bell this narrow would ring; three places hold its mass, mean and variance.
            padded = np.pad(counts, ((0, 0), (1, 1)))
            spread = (1.0 - share) * counts + 0.5 * share * (padded[:, :-2] + padded[:, 2:])
            return np.asarray(spread / self.step)
        # Twice the length keeps what leaves at one end from coming in at the other.
        length = next_fast_len(2 * self.size, real=True)
        damping = np.exp(-2.0 * np.pi**2 * rfftfreq(length) ** 2 * share)
        spread = irfft(rfft(counts, length, axis=-1) * damping, length, axis=-1)[..., : self.size]
        return np.asarray(np.maximum(spread, 0.0) / self.step)


def bandwidth(values: Float[np.ndarray, "device sample"]) -> float:
    """Sigma of the normal kernel under which the values of each device are likeliest given those of the others.

    Likelihood cross-validation (Silverman 1986, section 3.4.4), leaving out whole devices: values of one device
    resemble each other, and leaving out single ones would choose a kernel as narrow as a device. The candidates
    are the normal-reference bandwidth 1.06 s N^(−1/5) (his equation 3.28) and twelve finer by sqrt(2) each, so that
    two narrow modes are not smeared into one. Values that repeat were rounded: no kernel is then narrower than half of
    their least distance, where it would only tell that they were. A single device gets the reference itself.

    Args:
        values: One row a device; NaN where there is none.

    Returns:
        The bandwidth in the unit of the values; zero if they are all the same.
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
    # What N values never showed may still happen once in N + 1 times (rule of succession); without it a single
    # outlying device would forbid every narrow kernel.
    unseen = 1.0 / (total + 1.0)
    scores = []
    for sigma in candidates:
        own = grid.smoothed(counts, float(sigma))
        others = (own.sum(axis=0) - own) / (total - number)
        scores.append(float((counts * np.log((1.0 - unseen) * others + unseen / grid.span)).sum()))
    return float(candidates[int(np.argmax(scores))])


def _resolution(values: Float[np.ndarray, " sample"]) -> float:
    """Least distance between values some of which repeat; zero if none does."""
    gaps = np.diff(np.sort(values))
    apart = gaps > 1e-9 * values.std()
    return 0.0 if apart.all() else float(gaps[apart].min(initial=np.inf))
