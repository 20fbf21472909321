"""Estimates of the step of a device from its curves: mean and spread by state, and factors of single devices.

The mean step m(u) is linear between K points of the weight u, and is found by least squares with non-negative steps and
a small penalty on its curvature, which carries it over weights that no pulse has met. A device has a factor k of its
steps. What is left of a change is noise of reads and of cycles:

- A read with standard deviation r adds 2 r² to the variance of a change and −r² to the covariance of successive ones.
- Steps that differ from m(u) in the same way in every cycle are a pattern of the device, not noise of cycles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from barkhausen.device.pulses.curves import PulseCurves

Table = Float[np.ndarray, "sign grid"]
CURVATURE, CURVATURE_OF_SPREADS = 1e-2, 0.3
"""Weights of the penalty on second differences, relative to the number of changes by point. Squared residuals scatter
more than changes do, and a table of spreads that falls to zero between points would be no estimate."""


@dataclass(frozen=True)
class StepEstimate:
    """What curves say about the steps of a device; weights are relative to the bounds of each device.

    Attributes:
        mean, sd, pattern_sd: Tables of the mean change (signed), its standard deviation between cycles, and that
            between devices beyond their factors.
        factor: Factor of the steps up and down of each device, 1 on average.
        read_sd: Standard deviation of one read.
    """

    mean: Table
    sd: Table
    pattern_sd: Table
    factor: Float[np.ndarray, "sign device"]
    read_sd: float


def hats(weight: Float[np.ndarray, " sample"], points: int) -> Float[np.ndarray, "sample point"]:
    """Weights of the linear interpolation between points from −1 to 1."""
    place = np.clip((weight + 1) / 2 * (points - 1), 0, points - 1)
    left = np.minimum(place.astype(int), points - 2)
    found = np.zeros((len(weight), points))
    rows = np.arange(len(weight))
    found[rows, left] = 1 - (place - left)
    found[rows, left + 1] = place - left
    return found


def smooth_table(
    matrix: Float[np.ndarray, "sample point"], values: Float[np.ndarray, " sample"], curvature: float = CURVATURE
) -> Float[np.ndarray, " point"]:
    """Non-negative table whose interpolation fits values."""
    points = matrix.shape[1]
    bends = np.diff(np.eye(points), 2, axis=0) * np.sqrt(curvature * len(values) / points)
    # By the normal equations, which do not grow with the number of values.
    normal = matrix.T @ matrix + bends.T @ bends + 1e-9 * len(values) * np.eye(points)
    root = np.linalg.cholesky(normal).T
    return np.asarray(nnls(root, np.linalg.solve(root.T, matrix.T @ values))[0])


def estimate_steps(curves: PulseCurves, points: int, *, spreads: bool = True) -> StepEstimate:
    """Steps of a device from curves in units of the weight, relative to the bounds of each device.

    Args:
        curves: Curves with values from about −1 to 1.
        points: Number K of points of the tables.
        spreads: Whether to estimate the spreads too; without them they are zero.
    """
    mean, sd, pattern = np.zeros((2, points)), np.zeros((2, points)), np.zeros((2, points))
    factors = np.ones((2, curves.devices))
    noise = []
    for row, sign in enumerate((1, -1)):
        before, change = curves.pairs(sign)
        change = sign * change
        seen = np.isfinite(before) & np.isfinite(change)
        device = np.broadcast_to(np.arange(curves.devices)[:, None, None], seen.shape)[seen]
        matrix, values = hats(before[seen], points), change[seen]
        factor = np.ones(curves.devices)
        for _ in range(3):
            table = smooth_table(matrix * factor[device][:, None], values)
            expected = matrix @ table
            top = np.bincount(device, expected * values, curves.devices)
            bottom = np.bincount(device, expected**2, curves.devices)
            factor = np.where(bottom > 0, np.maximum(top, 0.0) / np.where(bottom > 0, bottom, 1.0), 1.0)
            factor = factor / factor.mean() if factor.mean() > 0 else np.ones(curves.devices)
        mean[row] = sign * table
        factors[row] = factor
        if not spreads:
            continue
        residual = np.full(seen.shape, np.nan)
        residual[seen] = values - factor[device] * expected
        both = residual[:, :, 1:] * residual[:, :, :-1]
        noise.append((np.nansum(both), int(np.isfinite(both).sum())))
        sd[row], pattern[row] = _spreads(residual[seen], matrix, device, np.maximum(factor, 0.1), curves)
    total = sum(part for part, _ in noise) / max(1, sum(count for _, count in noise))
    read = float(np.sqrt(max(-total, 0.0))) if spreads else 0.0
    sd = np.sqrt(np.maximum(sd**2 - 2 * read**2, 0.0))
    return StepEstimate(mean, sd, pattern, factors, read)


def _spreads(
    residual: Float[np.ndarray, " sample"],
    matrix: Float[np.ndarray, "sample point"],
    device: Float[np.ndarray, " sample"],
    factor: Float[np.ndarray, " device"],
    curves: PulseCurves,
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Standard deviations between cycles and between the patterns of devices."""
    points = matrix.shape[1]
    scaled = residual / factor[device]
    if curves.values.shape[1] < 2 or curves.devices < 2:
        return np.sqrt(smooth_table(matrix, scaled**2, CURVATURE_OF_SPREADS)), np.zeros(points)
    own, seen = np.zeros((curves.devices, points)), np.zeros((curves.devices, points, points))
    counts = np.zeros((curves.devices, points))
    left = np.empty_like(scaled)
    for number in range(curves.devices):
        mine = device == number
        counts[number] = matrix[mine].sum(axis=0)
        # Two parameters a table entry would fit the noise where a device was seen once; the mean of a point does not.
        sums = matrix[mine].T @ scaled[mine]
        own[number] = sums / np.maximum(counts[number], 1e-9)
        seen[number] = (matrix[mine].T @ matrix[mine] / np.maximum(counts[number], 1e-9)[:, None]) ** 2
        rest = np.maximum(counts[number], 1.0)
        inflated = np.sqrt(rest / np.maximum(rest - 1.0, 0.5))
        left[mine] = (scaled[mine] - matrix[mine] @ own[number]) * (matrix[mine] @ inflated)
    sd = np.sqrt(smooth_table(matrix, left**2, CURVATURE_OF_SPREADS))
    enough = counts >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.where(enough, own**2 - sd**2 / counts, 0.0).sum(axis=0) / np.maximum(enough.sum(axis=0), 1)
    # A mean over the surroundings of a point is smaller than the differences at the points, which are independent.
    smoothed = np.where(enough[:, :, None], seen, 0.0).sum(axis=0) / np.maximum(enough.sum(axis=0), 1)[:, None]
    return sd, np.sqrt(nnls(smoothed + 1e-9 * np.eye(points), np.maximum(between, 0.0))[0])
