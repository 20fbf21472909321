"""Figures of merit of curves of potentiation and depression: nonlinearity, asymmetry, number of states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

Curve = Float[np.ndarray, " pulse"]

LARGEST = 60.0
"""Largest size of a fitted nonlinearity ν; beyond it the first pulse leads to the bound."""


@dataclass(frozen=True)
class CurveFigures:
    """Figures of merit of one pair of curves.

    Attributes:
        nonlinearity_up, nonlinearity_down: ν of the curve (1 − exp(−ν p)) / (1 − exp(−ν)) over the share p of the
            pulses; positive where the first pulses move the device most.
        a_up, a_down: A = 1/ν of NeuroSim, in units of the number of pulses; infinite for a straight curve.
        deviation_up, deviation_down: Largest distance of the curve from the straight line between its ends, as a share
            of the distance of the ends.
        asymmetry: Asymmetry of the steps at equal weight, 0 to 1.
        states: Number of steps that the range holds.
    """

    nonlinearity_up: float
    nonlinearity_down: float
    deviation_up: float
    deviation_down: float
    asymmetry: float
    states: float

    @property
    def a_up(self) -> float:
        """A of the curve up."""
        return 1.0 / self.nonlinearity_up if self.nonlinearity_up else float("inf")

    @property
    def a_down(self) -> float:
        """A of the curve down."""
        return 1.0 / self.nonlinearity_down if self.nonlinearity_down else float("inf")

    @classmethod
    def of(cls, up: Curve, down: Curve, asymmetry: float, states: float) -> CurveFigures:
        """Figures of a rising and a falling curve, each with its starting point."""
        return cls(nonlinearity(up), nonlinearity(down), line_deviation(up), line_deviation(down), asymmetry, states)


def nonlinearity(curve: Curve) -> float:
    """ν of (1 − exp(−ν p)) / (1 − exp(−ν)), the curve between the ends of a measured one that has its mean.

    The mean of the curve over p is 1/(1 − exp(−ν)) − 1/ν. Equal means are a condition of one unknown that always has
    one solution, unlike least squares on noisy curves. A curve that leads nowhere has none (NaN).

    Args:
        curve: Values from the start to the last pulse, rising or falling; NaN where a read is missing.
    """
    total = curve[-1] - curve[0]
    if not np.isfinite(total) or total == 0 or len(curve) < 3:
        return float("nan")
    shares = (curve - curve[0]) / total
    points = np.linspace(0, 1, len(curve))
    seen = np.isfinite(shares)
    mean = float(np.trapezoid(shares[seen], points[seen]))

    # The trapezoid over the same points, so that a curve of few pulses has no bias.
    def excess(nu: float) -> float:
        form = points if abs(nu) < 1e-9 else np.expm1(-nu * points) / np.expm1(-nu)
        return float(np.trapezoid(form[seen], points[seen])) - mean

    low, high = excess(-LARGEST), excess(LARGEST)
    if low >= 0:
        return -LARGEST
    if high <= 0:
        return LARGEST
    return float(brentq(excess, -LARGEST, LARGEST, xtol=1e-10))


def line_deviation(curve: Curve) -> float:
    """Largest distance of a curve from the straight line between its ends, as a share of the distance of the ends."""
    total = curve[-1] - curve[0]
    if not np.isfinite(total) or total == 0:
        return float("nan")
    shares = (curve - curve[0]) / total
    return float(np.nanmax(np.abs(shares - np.linspace(0, 1, len(curve)))))


def asymmetry(grid: Curve, means: Float[np.ndarray, "sign grid"]) -> float:
    """∫ |m_up + m_down| dw / ∫ (|m_up| + |m_down|) dw: 0 if steps up and down are equal at every weight, 1 if at every
    weight only one of them moves the device."""
    difference = np.trapezoid(np.abs(means[0] + means[1]), grid)
    total = np.trapezoid(np.abs(means[0]) + np.abs(means[1]), grid)
    return float(difference / total)


def states_between(up: float | np.ndarray, down: float | np.ndarray) -> float:
    """Number of steps that the range of 2 holds, from a step up and a step down."""
    size = (abs(float(up)) + abs(float(down))) / 2.0
    return 2.0 / size if size else float("inf")
