"""Reading of a state from one value: information, read error rates and the matrix of read errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import beta
from scipy.stats import t as student

from barkhausen.device.statistics.kernels import Grid, bandwidth
from barkhausen.device.statistics.variance import FEWEST_DEVICES, Samples

LARGEST_GRID = 4096

Positions = Float[np.ndarray, "state device cycle"]
ByState = Float[np.ndarray, " state"]
Interval = Float[np.ndarray, "state bound"]


@dataclass(frozen=True)
class Reading:
    """Information about the state in one position.

    Attributes:
        bits: Mutual information in bits between state and position.
        bits_interval: Its lower and upper ends.
        read_error_rate: Share of positions of each state at which another state is more likely.
        read_error_interval: Lower and upper ends of the read error rates.
        read_as: Share of the positions of each state (row) at which each state (column) is the most likely one.
    """

    bits: float
    bits_interval: tuple[float, float]
    read_error_rate: ByState
    read_error_interval: Interval
    read_as: Float[np.ndarray, "state read_as"]


def mutual_information(positions: Positions) -> Reading:
    """Mutual information of one position and the state, and read error rates, for equally frequent states.

    I = log2(states) + mean of log2(posterior probability of the true state), with the densities of
    :func:`overlap_matrix`, each device evaluated with those of all *other* devices: the reader knows the population and
    not the device. Densities that include a device would overestimate the information. Held-out densities underestimate
    it, on average by the Kullback-Leibler divergence of truth and estimate (a few hundredths of a bit for 16 devices),
    so the estimate is conservative. It is never above log2(states), and zero where it comes out negative.

    A read error is a position at which another state is more likely, which corresponds to optimal thresholds. At a
    position where no other device was seen in any state, the densities say nothing and the state of the nearest mean
    is taken: otherwise a device off the others would be misread though no states overlap.

    With fewer than :data:`~barkhausen.device.statistics.variance.FEWEST_DEVICES` devices in a state all is NaN.

    The interval of I is that of a mean over devices (Student's t). That of a rate is Clopper and Pearson's for as many
    readings as would be independent, at least one a device (Korn, Graubard, Survey Methodology 24, 193, 1998).

    Args:
        positions: Values of the state coordinate, NaN where a cycle is missing or failed.
    """
    states, devices = positions.shape[:2]
    present = np.isfinite(positions)
    seen = present.any(axis=2)
    if (seen.sum(axis=1) < FEWEST_DEVICES).any():
        nothing = np.full(states, np.nan)
        unknown = np.full((states, states), np.nan)
        return Reading(np.nan, (np.nan, np.nan), nothing, np.full((states, 2), np.nan), unknown)
    density, visited = _held_out_densities(positions)
    own = density[np.arange(states), np.arange(states)]
    means = np.nanmean(positions, axis=(1, 2))[:, None, None, None]
    merit = np.where(visited, density, -np.abs(positions - means))
    # Equally likely states can only be guessed.
    decided = merit == merit.max(axis=0)
    decided = decided / np.maximum(decided.sum(axis=0), 1)
    read_as = np.array(
        [np.where(present[k], decided[:, k], 0.0).sum(axis=(1, 2)) / present[k].sum() for k in range(states)]
    )
    wrong = 1.0 - decided[np.arange(states), np.arange(states)]
    told = _mean(np.log2(own / density.sum(axis=0)), present, axis=2)
    by_state = _mean(told, seen, axis=1)
    bits = float(np.log2(states) + by_state.mean())
    pull = np.where(seen, told - by_state[:, None], 0.0) * (devices / seen.sum(axis=1, keepdims=True))
    reach = float(student.ppf(0.975, devices - 1) * pull.mean(axis=0).std(ddof=1) / np.sqrt(devices))
    ends = np.clip([bits, bits - reach, bits + reach], 0.0, np.log2(states))
    rates = [_rate(wrong[state][seen[state]], present[state][seen[state]]) for state in range(states)]
    read_errors, low, high = np.array(rates).T
    intervals = np.stack([low, high], axis=-1)
    return Reading(float(ends[0]), (float(ends[1]), float(ends[2])), read_errors, intervals, read_as)


def _held_out_densities(
    positions: Positions,
) -> tuple[Float[np.ndarray, "density state device cycle"], Bool[np.ndarray, "state device cycle"]]:
    """Density of each state, without the device in question, at the position of every cycle, and whether other devices
    were seen there in any state."""
    grid, widths = common_grid(positions)
    result = np.zeros((len(positions), *positions.shape))
    visited = np.zeros(positions.shape, dtype=bool)
    for state, rows in enumerate(positions):
        own = device_densities(rows, grid, widths[state])
        number = np.isfinite(rows).sum(axis=1)
        everything = own.sum(axis=0)
        for device in range(len(rows)):
            left = number.sum() - number[device]
            # Once in N + 1 times, what N cycles never showed (rule of succession).
            others = everything - own[device] + 1.0 / grid.span
            there = np.interp(np.nan_to_num(positions[:, device]), grid.places, others)
            visited[:, device] |= there > 2.0 / grid.span
            result[state, :, device] = there / (left + 1.0)
    return result, visited


def common_grid(positions: Positions) -> tuple[Grid, ByState]:
    """A grid for all states, and the kernel of each, at least a step of the grid wide."""
    widths = np.array([bandwidth(rows) for rows in positions])
    extent = float(np.nanmax(positions) - np.nanmin(positions)) or 1.0
    margin = 4.0 * float(widths.max()) + 1e-3 * extent
    narrowest = float(widths[widths > 0].min(initial=margin))
    grid = Grid.over(positions, margin=margin, step=narrowest / 2.0, largest=LARGEST_GRID)
    return grid, np.maximum(widths, grid.step)


def device_densities(rows: Samples, grid: Grid, width: float) -> Float[np.ndarray, "device place"]:
    """Kernels at the positions of each device, shrunk so that the state is no wider than it was.

    Silverman 1986, section 6.4.1; without it two normal states of 16 devices and 4 cycles would overlap by 0.04 more.
    """
    spread, mean = float(np.nanstd(rows)), float(np.nanmean(rows))
    factor = spread / np.hypot(spread, width) if spread > 0 else 1.0
    return grid.smoothed(grid.histogram(mean + factor * (rows - mean)), max(factor * width, grid.step))


def _mean(values: Float[np.ndarray, " ..."], kept: Bool[np.ndarray, " ..."], axis: int) -> Float[np.ndarray, " ..."]:
    """Mean along an axis of the values kept; zero where none is."""
    total = np.where(kept, values, 0.0).sum(axis=axis)
    return np.asarray(total / np.maximum(kept.sum(axis=axis), 1))


def _rate(happened: Samples, present: Bool[np.ndarray, "device cycle"]) -> tuple[float, float, float]:
    """Share of cycles with an event, and the ends of its interval."""
    devices, cycles = len(present), int(present.sum())
    rate = float(happened[present].mean())
    pull = ((happened - rate) * present).sum(axis=1) * (devices / cycles)
    variance = float(pull.var(ddof=1)) / devices
    number = float(np.clip(rate * (1.0 - rate) / variance if variance > 0 else devices, devices, cycles))
    low = float(beta.ppf(0.025, rate * number, (1.0 - rate) * number + 1.0)) if rate > 0 else 0.0
    high = float(beta.ppf(0.975, rate * number + 1.0, (1.0 - rate) * number)) if rate < 1 else 1.0
    return rate, low, high
