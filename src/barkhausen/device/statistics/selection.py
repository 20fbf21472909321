"""Selection of the distribution of a device: Gaussian, mixture of Gaussians, or empirical.

The criterion is the mean log-likelihood of a held-out device (all its cycles in all states together) under the
distribution fitted to the other devices. Where the best distribution is ahead of a simpler one by no more than one
standard error, the simpler one is chosen: gaussian before mixture before empirical. The same criterion chooses whether
each device keeps its own noise in the empirical distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.schema import FITTED, LEVELS
from barkhausen.device.statistics.held_out import Scores, simplest, standard_error
from barkhausen.device.statistics.state_fit import MixtureFit, StateFit

LEAST_DEVICES = 4


@dataclass(frozen=True)
class Score:
    """Score of a distribution on held-out devices.

    Attributes:
        distribution: Name of the distribution.
        mean: Mean log-likelihood in nats of a held-out device, with the positions of each state in units of their
            spread.
        behind: Difference from the best distribution.
        standard_error: Standard error of ``behind``.
    """

    distribution: str
    mean: float
    behind: float
    standard_error: float


@dataclass(frozen=True)
class FitReport:
    """Result of :func:`choose_fit`.

    Attributes:
        chosen: Name of the chosen distribution.
        scores: Scores of all distributions, from the simplest on.
        distance: Kolmogorov-Smirnov distance of the positions of each state from each distribution.
        p_value: P-value of this distance; 1 for a state without spread.
        mixtures: Mixture of each state.
        bandwidths: Bandwidths of the kernels that smooth the offsets (row 0) and the residuals (row 1) of each state.
        own_noise: Whether the empirical distribution draws the noise of a device from its own cycles.
        seed: Seed of folds, starts and resamples.
    """

    chosen: str
    scores: tuple[Score, ...]
    distance: Float[np.ndarray, "distribution state"]
    p_value: Float[np.ndarray, "distribution state"]
    mixtures: tuple[MixtureFit, ...]
    bandwidths: Float[np.ndarray, "2 state"]
    own_noise: bool
    seed: int

    def to_dataset(self, unit: str = "m") -> xr.Dataset:
        """Optional variables of a device file; the attribute ``distribution`` names the chosen distribution.

        The variables of the other distributions are included, so that a user may choose another one.

        Args:
            unit: Unit of the state coordinate.
        """
        components = max(len(mixture.components.mean) for mixture in self.mixtures)

        def padded(name: str) -> Float[np.ndarray, "end state component"]:
            table = np.full((3, len(self.mixtures), components), np.nan)
            for state, mixture in enumerate(self.mixtures):
                for end, part in enumerate((mixture.components, mixture.low, mixture.high)):
                    values = getattr(part, name)
                    table[end, state, : len(values)] = values
            return table

        variables: dict[str, Any] = {}
        for name, units in (("weight", "1"), ("mean", unit), ("sigma", unit)):
            table = padded(name)
            words = {"units": units, "long_name": f"{name} of each component of the mixture"}
            variables[f"mixture_{name}"] = (("state", "component"), table[0], words)
            words = words | {"long_name": f"95 % interval of the {words['long_name']}"}
            ends = np.moveaxis(table[1:], 0, -1)
            variables[f"mixture_{name}_interval"] = (("state", "component", "bound"), ends, words)
        levels = np.array([LEVELS.meanings.index(mixture.level) for mixture in self.mixtures], np.int8)
        words = {"long_name": "level at which the component is chosen"} | LEVELS.attributes()
        variables["mixture_level"] = ("state", levels, words)
        offsets = np.array([mixture.offset_sigma for mixture in self.mixtures])
        for name, dims, values, units, long_name in (
            ("mixture_offset_sigma", "state", offsets, unit, "deviation between devices within a component"),
            ("bandwidth_device", "state", self.bandwidths[0], unit, "kernel that smooths the offsets of devices"),
            ("bandwidth_cycle", "state", self.bandwidths[1], unit, "kernel that smooths the residuals of cycles"),
            (
                "fit_score",
                "distribution",
                [s.mean for s in self.scores],
                "1",
                "mean log-likelihood of a held-out device",
            ),
            (
                "fit_behind",
                "distribution",
                [s.behind for s in self.scores],
                "1",
                "how far it is behind the best distribution",
            ),
            (
                "fit_standard_error",
                "distribution",
                [s.standard_error for s in self.scores],
                "1",
                "of how far it is behind",
            ),
            (
                "fit_distance",
                ("distribution", "state"),
                self.distance,
                "1",
                "Kolmogorov-Smirnov distance from the distribution",
            ),
            (
                "fit_p_value",
                ("distribution", "state"),
                self.p_value,
                "1",
                "p-value of that distance, parametric bootstrap",
            ),
        ):
            variables[name] = (dims, np.asarray(values, np.float64), {"units": units, "long_name": long_name})
        attributes = {
            "distribution": self.chosen,
            "noise_pool": "device" if self.own_noise else "state",
            "fit_distributions": " ".join(FITTED),
            "fit_seed": self.seed,
        }
        return xr.Dataset(variables, attrs=attributes)


def choose_fit(positions: Float[np.ndarray, "state device cycle"], seed: int = 0) -> FitReport:
    """Fit the three distributions to every state and choose one of them for the device.

    Args:
        positions: Values of the state coordinate; NaN where a cycle is missing or failed.
        seed: Seed of folds, starts and resamples.

    Raises:
        InputError: A state was observed in fewer than four devices.
    """
    seen = np.isfinite(positions).any(axis=2).sum(axis=1)
    if (seen < LEAST_DEVICES).any():
        state = int(np.argmax(seen < LEAST_DEVICES))
        raise InputError(
            f"state {state} was seen in {seen[state]} device(s); a distribution is chosen by devices held out, "
            f"of which it needs at least {LEAST_DEVICES}"
        )
    generator = np.random.default_rng(seed)
    fits = [StateFit.of(rows, generator) for rows in positions]
    own_noise = simplest([_sum([fit.empirical[own] for fit in fits]) for own in (0, 1)]) == 1
    totals = [
        _sum([fit.gaussian for fit in fits]),
        _sum([fit.mixture for fit in fits]),
        _sum([fit.empirical[own_noise] for fit in fits]),
    ]
    best = totals[int(np.argmax([total.mean() for total in totals]))]
    quality = np.array([fit.goodness(own_noise, generator) for fit in fits])
    return FitReport(
        chosen=FITTED[simplest(totals)],
        scores=tuple(
            Score(distribution, float(total.mean()), float((best - total).mean()), standard_error(best - total))
            for distribution, total in zip(FITTED, totals, strict=True)
        ),
        distance=quality[:, :, 0].T,
        p_value=quality[:, :, 1].T,
        mixtures=tuple(fit.described_mixture(generator) for fit in fits),
        bandwidths=np.array([fit.bandwidths() for fit in fits]).T,
        own_noise=own_noise,
        seed=seed,
    )


def _sum(scores: list[Scores]) -> Scores:
    """Score of each device, summed over states."""
    return np.asarray(np.sum(scores, axis=0))
