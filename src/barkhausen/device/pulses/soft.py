"""Soft bounds fitted to curves: each device has bounds at which its steps vanish linearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError
from barkhausen.device.pulses.curves import PulseCurves

Pair = Float[np.ndarray, "2 device"]
ROUNDS = 4
"""Rounds of reweighting by the size of the step."""


@dataclass(frozen=True)
class SoftEstimate:
    """Soft bounds of each device, in units of the state coordinate.

    Attributes:
        bounds: Lower and upper bound of each device.
        step: Size of its step up and down halfway between them.
        variance: Cycle-to-cycle variance of its steps relative to their squared means, up and down.
        bound_variance, step_variance: Variances of the estimates of bounds and steps, from the fit.
    """

    bounds: Pair
    step: Pair
    variance: Pair
    bound_variance: Pair
    step_variance: Pair

    def of_devices(self, chosen: Int[np.ndarray, " device"]) -> SoftEstimate:
        """The estimates of some devices, which may repeat."""
        return SoftEstimate(
            self.bounds[:, chosen],
            self.step[:, chosen],
            self.variance[:, chosen],
            self.bound_variance[:, chosen],
            self.step_variance[:, chosen],
        )


def estimate_soft(curves: PulseCurves) -> SoftEstimate:
    """Soft bounds by least squares of Δx = b (x_bound − x), weighted by the size of the step.

    Noise of cycles is taken to be in proportion to the step. Reads are taken to be exact: their noise would bend the
    regression.

    Raises:
        InputError: The steps of a device do not fall towards a bound.
    """
    devices = curves.devices
    rate, ends, noise = np.zeros((2, devices)), np.zeros((2, devices)), np.zeros((2, devices))
    covariance = np.zeros((2, devices, 2, 2))
    for row, sign in enumerate((1, -1)):
        before, change = curves.pairs(sign)
        for number in range(devices):
            x, y = before[number].ravel(), change[number].ravel()
            seen = np.isfinite(x) & np.isfinite(y)
            x, y = x[seen], y[seen]
            matrix = np.stack([np.ones_like(x), -x], axis=1)
            weight = np.ones_like(x)
            for _ in range(ROUNDS):
                root = np.sqrt(weight)[:, None]
                (level, slope), *_ = np.linalg.lstsq(matrix * root, y * root[:, 0], rcond=None)
                size = np.abs(matrix @ (level, slope))
                weight = 1 / np.maximum(size, 0.05 * size.max()) ** 2
            if not (slope > 0 and len(x) > 2):
                raise InputError(
                    f"device {number}: its steps {'up' if sign == 1 else 'down'} do not fall towards a bound; "
                    "law = 'table' takes any"
                )
            ratios = (y - matrix @ (level, slope)) * np.sqrt(weight)
            variance = float((ratios**2).sum() / (len(x) - 2))
            noise[row, number] = variance
            rate[row, number], ends[row, number] = slope, level / slope
            covariance[row, number] = variance * np.linalg.inv(matrix.T @ (matrix * weight[:, None]))
    # The bound of pulses up is the upper one.
    bounds = ends[::-1]
    width = bounds[1] - bounds[0]
    if not (width > 0).all():
        raise InputError("the fitted bounds of a device are in the wrong order; law = 'table' takes any curves")
    gradient = np.stack([1 / rate, -ends / rate], axis=-1)
    of_ends = np.einsum("rdi,rdij,rdj->rd", gradient, covariance, gradient)
    # Δx halfway is b (high − low)/2 up and down; the error of the rate dominates, that of the bounds is added.
    of_rates = covariance[:, :, 1, 1]
    of_steps = of_rates * (width / 2) ** 2 + (rate / 2) ** 2 * of_ends.sum(axis=0)
    return SoftEstimate(bounds, rate * width / 2, noise, of_ends[::-1], of_steps)
