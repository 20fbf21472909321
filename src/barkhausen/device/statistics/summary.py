"""Summary statistics of the states of a device: spreads, shapes, overlaps and information, with intervals.

All intervals are 95 % intervals with devices, not cycles, as independent units, since many cycles of one device say
little about other devices. NaN marks intervals, read error rates and information of fewer than eight devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy.special import expit, logit
from scipy.stats import shapiro
from scipy.stats import t as student

from barkhausen.device.statistics.reading import (
    ByState,
    Interval,
    Positions,
    common_grid,
    device_densities,
    mutual_information,
)
from barkhausen.device.statistics.variance import FEWEST_DEVICES, variance_components, variance_intervals

RESAMPLES = 200
LARGEST_TEST = 5000
"""Largest number of values for which the Shapiro-Wilk p-value is valid."""


__all__ = [
    "describe_statistics",
    "mutual_information",
    "normality",
    "overlap_matrix",
    "variance_split",
]


@dataclass(frozen=True)
class VarianceSplit:
    """Standard deviations between devices and between cycles of each state, in the unit of the positions."""

    sigma_device: ByState
    sigma_cycle: ByState
    sigma_device_interval: Interval
    sigma_cycle_interval: Interval


@dataclass(frozen=True)
class Normality:
    """p-values of the hypothesis that offsets of devices, and that noise of cycles, are normal."""

    device: ByState
    cycle: ByState


@dataclass(frozen=True)
class Overlap:
    """Overlap coefficients of the states and their intervals."""

    value: Float[np.ndarray, "state other_state"]
    interval: Float[np.ndarray, "state other_state bound"]


def variance_split(positions: Positions) -> VarianceSplit:
    """Device-to-device and cycle-to-cycle sigma of each state, with intervals.

    See :func:`~barkhausen.device.statistics.variance.variance_components` and
    :func:`~barkhausen.device.statistics.variance.variance_intervals` for the estimators, and what the intervals cover.
    Intervals are NaN for a state seen in fewer than :data:`~barkhausen.device.statistics.variance.FEWEST_DEVICES`
    devices.
    """
    sigmas = np.array([variance_components(rows) for rows in positions])
    intervals = np.array([variance_intervals(rows) for rows in positions])
    intervals[np.isfinite(positions).any(axis=2).sum(axis=1) < FEWEST_DEVICES] = np.nan
    return VarianceSplit(sigmas[:, 0], sigmas[:, 1], intervals[:, 0], intervals[:, 1])


def normality(positions: Positions) -> Normality:
    """Shapiro-Wilk tests of each state: of the means of devices, and of the residuals of cycles about them.

    Residuals about a mean of a few cycles are not independent, but at the level of 5 % the test on them rejects 3 to
    5 % of normal states (16 devices of 2 or 4 cycles, 32 of 16), and it keeps the shape that independent contrasts of
    cycles would blur. A small p-value of the cycles may also mean that the noise of each device is normal and that
    its sigma differs: the Gaussian distribution fails either way. NaN below three values, or where they are all the
    same.
    """
    device, cycle = [], []
    for rows in positions:
        seen = rows[np.isfinite(rows).any(axis=1)]
        means = np.nanmean(seen, axis=1)
        repeated = np.isfinite(seen).sum(axis=1) > 1
        residuals = (seen - means[:, None])[repeated]
        device.append(_shapiro(means))
        cycle.append(_shapiro(residuals[np.isfinite(residuals)]))
    return Normality(np.array(device), np.array(cycle))


def _shapiro(values: Float[np.ndarray, " sample"]) -> float:
    scale = np.abs(values).max(initial=0.0)
    if len(values) < 3 or np.ptp(values) <= 1e-9 * scale:
        return float("nan")
    # With so many values any measured distribution differs from a normal one, also after even thinning.
    thinned = values[:: -(-len(values) // LARGEST_TEST)]
    return float(shapiro((thinned - thinned.mean()) / scale).pvalue)


def overlap_matrix(positions: Positions, seed: int = 0) -> Overlap:
    """Overlap coefficient of every two states, the integral of the smaller of their densities: 1 the same, 0 disjoint.

    The densities are those of a position of any device and cycle, by normal kernels with the bandwidth under which
    devices predict each other (:func:`~barkhausen.device.statistics.kernels.bandwidth`), shrunk so that the variance
    stays that of the positions. The smaller of two noisy densities is too small on average: the overlap of normal
    states which is truly 0.80 comes out as 0.78, of 16 devices and 4 cycles, and smaller ones within 0.01.

    The interval is that of the log-odds of the overlap: standard error of a bootstrap over devices, which are resampled
    in all states together, times Student's t. With fewer than
    :data:`~barkhausen.device.statistics.variance.FEWEST_DEVICES` devices it is NaN.

    Args:
        positions: Values of the state coordinate, NaN where a cycle is missing or failed.
        seed: Seed of the bootstrap.
    """
    states, devices = positions.shape[:2]
    grid, widths = common_grid(positions)
    by_device = np.empty((states, devices, grid.size), dtype=np.float32)
    # In a unit of about a step: whatever the unit of the positions, single precision then holds the densities.
    unit = math.ldexp(1.0, math.frexp(grid.step)[1])
    for state, rows in enumerate(positions):
        by_device[state] = device_densities(rows, grid, widths[state]) * unit
    numbers = np.isfinite(positions).sum(axis=2).astype(float)

    def overlap(weights: Float[np.ndarray, " device"]) -> Float[np.ndarray, "state other_state"]:
        total = np.maximum(numbers @ weights, 1e-300)
        density = np.einsum("d,sdg->sg", weights.astype(np.float32), by_device) * (grid.step / unit / total)[:, None]
        # Dividing by the sum of a density over the grid makes its overlap with itself exactly 1.
        density = density / np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
        return np.array([np.minimum(row, density).sum(axis=1) for row in density])

    value = overlap(np.ones(devices))
    value = np.clip((value + value.T) / 2.0, 0.0, 1.0)
    np.fill_diagonal(value, 1.0)
    if devices < FEWEST_DEVICES:
        return Overlap(value, np.full((states, states, 2), np.nan))
    drawn = np.random.default_rng(seed).multinomial(devices, np.full(devices, 1.0 / devices), size=RESAMPLES)
    error = np.std([overlap(weights) for weights in drawn], axis=0, ddof=1)
    odds = np.clip(value, 1e-12, 1.0 - 1e-12)
    reach = float(student.ppf(0.975, devices - 1)) * np.minimum(error / (odds * (1.0 - odds)), 50.0)
    interval = expit(logit(odds)[..., None] + np.stack([-reach, reach], axis=-1))
    interval[np.arange(states), np.arange(states)] = 1.0
    return Overlap(value, interval)


def describe_statistics(positions: Positions, seed: int = 0, unit: str = "m") -> xr.Dataset:
    """All statistics of this module as optional variables of a device file, with units and long names.

    Args:
        positions: Values of the state coordinate, NaN where a cycle is missing or failed.
        seed: Seed of the bootstrap.
        unit: Unit of the state coordinate.
    """
    split, normal = variance_split(positions), normality(positions)
    overlap, reading = overlap_matrix(positions, seed), mutual_information(positions)
    interval = "95 % interval of"
    rows: list[tuple[str, tuple[str, ...], Any, str, str]] = [
        (
            "sigma_device_interval",
            ("state", "bound"),
            split.sigma_device_interval,
            unit,
            f"{interval} the device-to-device standard deviation",
        ),
        (
            "sigma_cycle_interval",
            ("state", "bound"),
            split.sigma_cycle_interval,
            unit,
            f"{interval} the cycle-to-cycle standard deviation",
        ),
        ("normality_device", ("state",), normal.device, "1", "p-value, means of devices are normal (Shapiro-Wilk)"),
        ("normality_cycle", ("state",), normal.cycle, "1", "p-value, residuals of cycles are normal (Shapiro-Wilk)"),
        ("overlap", ("state", "other_state"), overlap.value, "1", "overlap coefficient of two states"),
        ("overlap_interval", ("state", "other_state", "bound"), overlap.interval, "1", f"{interval} the overlap"),
        (
            "read_error_rate",
            ("state",),
            reading.read_error_rate,
            "1",
            "share of positions where another state is likelier",
        ),
        (
            "read_error_interval",
            ("state", "bound"),
            reading.read_error_interval,
            "1",
            f"{interval} the read error rate",
        ),
        ("mutual_information", (), reading.bits, "bit", "information of one position about the state"),
        ("mutual_information_interval", ("bound",), reading.bits_interval, "bit", f"{interval} the information"),
    ]
    return xr.Dataset(
        {
            name: (dims, np.asarray(value), {"units": units, "long_name": words})
            for name, dims, value, units, words in rows
        }
    )
