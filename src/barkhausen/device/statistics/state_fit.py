"""Fits of the three distributions to one state, and their scores on held-out devices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from barkhausen.device.statistics.candidates import (
    Background,
    Level,
    Rows,
    bandwidths,
    empirical_candidate,
    gaussian_candidate,
    mixture_candidate,
    offset_within,
)
from barkhausen.device.statistics.goodness import gaussian_marginal, kolmogorov_smirnov, mixture_marginal, same_marginal
from barkhausen.device.statistics.held_out import Scores, folds, held_out
from barkhausen.device.statistics.mixture import (
    MAXIMAL_COMPONENTS,
    Components,
    fit_mixture,
    mixture_intervals,
    refit_mixture,
)
from barkhausen.device.statistics.variance import variance_components

LEVELS: tuple[Level, Level] = ("cycle", "device")
VALUES_PER_COMPONENT = 8


@dataclass(frozen=True)
class MixtureFit:
    """Mixture fitted to the positions of one state.

    Attributes:
        components: Weights, means and sigmas of the components; a single one if a normal distribution is sufficient.
        low, high: Ends of their 95 % intervals.
        level: Level at which a component is chosen: ``cycle`` or ``device``.
        offset_sigma: Device-to-device sigma within a component, for a mixture at the level of the cycle.
    """

    components: Components
    low: Components
    high: Components
    level: Level
    offset_sigma: float


@dataclass(frozen=True)
class StateFit:
    """One state: its positions in units of their spread about their mean, and the scores of its devices."""

    rows: Rows
    reach: tuple[float, float]
    mean: float
    spread: float
    components: Components
    level: Level
    gaussian: Scores
    mixture: Scores
    empirical: tuple[Scores, Scores]

    @classmethod
    def of(cls, positions: Rows, generator: np.random.Generator) -> StateFit:
        """Fit all distributions to positions, with folds over the observed devices."""
        fold = folds(np.isfinite(positions).any(axis=1), generator)
        mean, spread = float(np.nanmean(positions)), float(np.nanstd(positions))
        reach = float(np.nanmin(positions)), float(np.nanmax(positions))
        if spread < 1e-9 * max(abs(mean), np.finfo(float).tiny):
            # A state without spread is the same under every distribution.
            none = np.zeros(len(positions))
            point = Components(np.ones(1), np.zeros(1), np.zeros(1))
            rows = np.where(np.isfinite(positions), 0.0, np.nan)
            return cls(rows, reach, mean, 0.0, point, "cycle", none, none, (none, none))
        rows = (positions - mean) / spread
        gaussian = held_out(rows, fold, lambda train, _: gaussian_candidate(train))
        pooled = held_out(rows, fold, lambda train, _: empirical_candidate(train, own_noise=False))
        own = held_out(rows, fold, lambda train, _: empirical_candidate(train, own_noise=True))
        components, level = _best_mixture(rows, generator)
        mixture = gaussian if len(components.mean) == 1 else _mixture_scores(rows, fold, components, level)
        return cls(rows, reach, mean, spread, components, level, gaussian, mixture, (pooled, own))

    @property
    def seen(self) -> Rows:
        """Rows of the observed devices."""
        return np.asarray(self.rows[np.isfinite(self.rows).any(axis=1)])

    def bandwidths(self) -> tuple[float, float]:
        """Bandwidths of offsets and residuals."""
        device, cycle = bandwidths(self.seen) if self.spread > 0.0 else (0.0, 0.0)
        return self.spread * device, self.spread * cycle

    def goodness(self, own_noise: bool, generator: np.random.Generator) -> list[tuple[float, float]]:
        """Distance and p-value of each distribution."""
        if self.spread == 0.0:
            return [(0.0, 1.0)] * 3
        rows = self.seen
        marginal = gaussian_marginal if len(self.components.mean) == 1 else mixture_marginal(self.components)
        mixture = mixture_candidate(rows, self.components, self.level)
        empirical = empirical_candidate(rows, own_noise=own_noise)
        return [
            kolmogorov_smirnov(rows, gaussian_candidate(rows), gaussian_marginal, generator),
            kolmogorov_smirnov(rows, mixture, marginal, generator),
            kolmogorov_smirnov(rows, empirical, same_marginal(empirical, rows), generator),
        ]

    def described_mixture(self, generator: np.random.Generator) -> MixtureFit:
        """Mixture in the unit of the positions, with intervals."""
        low = high = self.components
        offset = 0.0
        if self.spread > 0.0:
            low, high = mixture_intervals(self.seen, self.components, generator)
            offset = offset_within(self.seen, self.components) if self.level == "cycle" else 0.0
        found, low, high = (
            Components(part.weight, self.mean + self.spread * part.mean, self.spread * part.sigma)
            for part in (self.components, low, high)
        )
        # Rounding must not move a mean at the end of the track beyond it.
        found = Components(found.weight, np.clip(found.mean, *self.reach), found.sigma)
        return MixtureFit(found, low, high, self.level, self.spread * offset)


def _best_mixture(rows: Rows, generator: np.random.Generator) -> tuple[Components, Level]:
    """The mixture whose number of components and level are best by the Bayesian information criterion.

    The criterion is twice the log-likelihood of the devices minus log(positions) for each parameter (Schwarz 1978). A
    choice by held-out devices would often pick the luckiest of seven candidates in each state.
    """
    seen = rows[np.isfinite(rows).any(axis=1)]
    values = seen[np.isfinite(seen)]
    background = Background.of(seen)
    most = int(np.clip(len(np.unique(values)) // VALUES_PER_COMPONENT, 1, MAXIMAL_COMPONENTS))
    candidates: list[tuple[float, Components, Level]] = []
    for number in range(1, most + 1):
        components = fit_mixture(values, number, generator)
        if number == 1:
            # The Gaussian distribution: pooled positions of a few devices would show too little of what is between
            # them.
            components = replace(components, sigma=np.array([np.hypot(*variance_components(seen))]))
        for level in LEVELS[:number]:
            likelihood = mixture_candidate(seen, components, level).log_likelihood(seen, background).sum()
            # Weights that add up to 1, means, sigmas, and the sigma that all components share.
            parameters = 3 * number
            candidates.append((2.0 * likelihood - parameters * np.log(len(values)), components, level))
    _, components, level = max(candidates, key=lambda candidate: candidate[0])
    return components, level


def _mixture_scores(rows: Rows, fold: Int[np.ndarray, " device"], components: Components, level: Level) -> Scores:
    present = np.isfinite(rows)
    kept = np.repeat(fold, present.sum(axis=1)) != np.arange(fold.max() + 1)[:, None]
    parts = refit_mixture(rows[present][None], kept.astype(float), components)
    return held_out(rows, fold, lambda train, number: mixture_candidate(train, parts[number], level))
