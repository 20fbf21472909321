"""Probability that an attempt passes against the drive: the logistic curve of Ellis et al., and its fit.

The curve of a wire is f(w) = d + a s(k (w − x0)) with d = 1 − a and s the logistic function (arXiv:2303.01886). Wires
differ in their midpoint x0, normally distributed with a standard deviation that is fitted too; slope k and amplitude a
are those of the kind of wire.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import expit, logit, logsumexp

from barkhausen.core.errors import OutcomeError

NODES = 15
"""Nodes of the Gauss-Hermite rule over the midpoints of wires."""

RESAMPLES = 200
LEVEL = 95.0
LEAST_P = 1e-9


@dataclass(frozen=True)
class PassCurve:
    """Probability of passing against the drive.

    Attributes:
        midpoint: Drive x0 at which the logistic part is one half, in the unit of the drive.
        slope: Slope k of the argument of the logistic function, in the inverse unit.
        amplitude: Height a of the logistic part; the probability at a drive of minus infinity is 1 − a.
    """

    midpoint: float
    slope: float
    amplitude: float

    def __call__(self, drive: Float[np.ndarray, "*any"] | float) -> Float[np.ndarray, "*any"]:
        """Probability at a drive."""
        logistic = expit(self.slope * (np.asarray(drive, np.float64) - self.midpoint))
        return np.asarray(1.0 - self.amplitude + self.amplitude * logistic)


@dataclass(frozen=True)
class CurveFit:
    """Fitted curve with 95 % intervals.

    Attributes:
        curve: Curve of the wire with the mean midpoint.
        spread: Standard deviation of the midpoint between wires, in the unit of the drive.
        intervals: Lower and upper bound of ``midpoint``, ``slope``, ``amplitude`` and ``midpoint_spread``.
    """

    curve: PassCurve
    spread: float
    intervals: dict[str, tuple[float, float]]


def fit_curve(
    drive: Float[np.ndarray, " drive"],
    passes: Int[np.ndarray, "drive wire"],
    attempts: Int[np.ndarray, "drive wire"],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> CurveFit:
    """Fit curve and spread to counts by maximum likelihood; the intervals are from a bootstrap over wires.

    The likelihood of a wire is integrated over its midpoint (Gauss-Hermite), so the spread between wires is not widened
    by the noise of counting.

    Args:
        drive: Values of the drive.
        passes: Number of attempts that passed.
        attempts: Number of attempts.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap samples.

    Raises:
        OutcomeError: The counts do not rise with the drive from below to above one half.
    """
    share = passes.sum(axis=1) / np.maximum(attempts.sum(axis=1), 1)
    if not (share.min() < 0.5 < share.max()) or np.corrcoef(drive, share)[0, 1] <= 0:
        raise OutcomeError(
            f"probability of passing: from {share.min():.2f} to {share.max():.2f} over the drives; it must rise "
            "through one half, so widen the sweep"
        )
    # In units in which numbers are of the order of one.
    centre = float(np.interp(0.5, np.maximum.accumulate(share), drive))
    scale = float(np.ptp(drive)) / 10
    unit = (drive - centre) / scale
    best = _maximum(unit, passes, attempts, np.array([0.0, np.log(2.0), logit(0.98), np.log(0.5)]))
    random = np.random.default_rng(seed)
    wires = passes.shape[1]
    found = []
    for _ in range(resamples):
        chosen = random.integers(wires, size=wires)
        found.append(_natural(_maximum(unit, passes[:, chosen], attempts[:, chosen], best), centre, scale))
    low, high = np.percentile(np.array(found), [(100 - LEVEL) / 2, (100 + LEVEL) / 2], axis=0)
    names = ("midpoint", "slope", "amplitude", "midpoint_spread")
    midpoint, slope, amplitude, spread = _natural(best, centre, scale)
    return CurveFit(
        PassCurve(midpoint, slope, amplitude),
        spread,
        {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)},
    )


def _natural(point: Float[np.ndarray, " 4"], centre: float, scale: float) -> tuple[float, float, float, float]:
    return (
        centre + scale * float(point[0]),
        float(np.exp(point[1])) / scale,
        float(expit(point[2])),
        scale * float(np.exp(point[3])),
    )


def _maximum(
    drive: Float[np.ndarray, " drive"],
    passes: Int[np.ndarray, "drive wire"],
    attempts: Int[np.ndarray, "drive wire"],
    start: Float[np.ndarray, " 4"],
) -> Float[np.ndarray, " 4"]:
    """Point (midpoint, log slope, logit amplitude, log spread) of greatest likelihood."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    log_weights = np.log(weights / weights.sum())

    def cost(point: Float[np.ndarray, " 4"]) -> float:
        amplitude = expit(point[2])
        argument = np.exp(point[1]) * (drive[:, None] - point[0] - np.exp(point[3]) * nodes[None])
        p = np.clip(1.0 - amplitude + amplitude * expit(argument), LEAST_P, 1 - LEAST_P)
        likelihood = passes.T @ np.log(p) + (attempts - passes).T @ np.log1p(-p)
        return -float(logsumexp(likelihood + log_weights, axis=1).sum())

    bounds = [(-20.0, 20.0), (np.log(1e-2), np.log(1e3)), (-2.0, 12.0), (np.log(1e-4), np.log(20.0))]
    found = minimize(cost, start, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, np.float64)
