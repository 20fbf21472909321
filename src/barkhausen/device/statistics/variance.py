"""Variance components: the split of the spread of a state into device-to-device and cycle-to-cycle parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

Samples = Float[np.ndarray, "device cycle"]

FEWEST_DEVICES = 8
"""Smallest number of devices for which intervals and read errors are stated. With fewer, one more device could change
either by any amount: the interval of a sigma of three devices reaches far beyond any track."""


def variance_components(samples: Samples) -> tuple[float, float]:
    """Device-to-device and cycle-to-cycle standard deviation of one state.

    One-way random-effects analysis of variance with unequal group sizes: sigma_c² is the mean square within
    devices, sigma_d² = (mean square between − sigma_c²) / n0 with n0 = (N − sum n_i² / N) / (D − 1), not below
    zero (Searle, Casella, McCulloch, *Variance Components*, 1992, section 3.6).

    With a single cycle for each device the split is unknown and the whole spread is counted as device-to-device, the
    part that reprogramming does not remove. With a single device it is all cycle-to-cycle.

    Args:
        samples: One row for each device; NaN marks a missing cycle.

    Returns:
        ``(sigma_device, sigma_cycle)`` in the unit of the samples.
    """
    squares = _mean_squares(samples)
    device_variance = max(0.0, (squares.between - squares.within) / squares.cycles)
    return float(np.sqrt(device_variance)), float(np.sqrt(squares.within))


def variance_intervals(samples: Samples) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % intervals of the device-to-device and the cycle-to-cycle standard deviation.

    The logarithms of both mean squares are jackknifed over devices (Arvesen, Schmitz, *Robust procedures for variance
    component problems using the jackknife*, Biometrics 26, 677, 1970) with Student's t for as many devices; the limits
    of their difference, which is sigma_d², follow from those of its terms (Zou, Donner, Stat. Med. 27, 1693, 2008).

    Limits from chi-square and F distributions hold for normal positions only. Where some devices have two resting
    places and others one, those of sigma_c cover 67 % for 32 devices of 16 cycles and these 96 %; percentiles of a
    bootstrap over 16 devices cover 83 % even where all is normal, and these 94 %. Coverage is lower for a rare kind of
    device: if a fifth of the devices rest elsewhere, the intervals cover 90 % for 16 devices and 77 % for 8 devices,
    which may include none of them.

    With fewer than three devices that repeat a cycle, the interval of sigma_cycle is jackknifed over single cycles
    instead; it then does not apply to other devices.

    Args:
        samples: One row for each device; NaN marks a missing cycle.

    Returns:
        ``(low, high)`` of sigma_device and of sigma_cycle in the unit of the samples; NaN where there are too few
        devices or cycles to tell.
    """
    present = np.isfinite(samples)
    rows = samples[present.any(axis=1)]
    present = np.isfinite(rows)
    whole = _mean_squares(rows)
    repeated = (present.sum(axis=1) > 1).nonzero()[0]
    by_device = [np.arange(len(rows)) != device for device in range(len(rows))]
    nothing = (np.nan, np.nan)
    within = nothing
    if len(repeated) >= 3:
        within = _interval(whole.within, [_mean_squares(rows[by_device[device]]).within for device in repeated])
    elif present.sum() - len(rows) >= 2:
        places = np.argwhere(present[repeated])
        within = _interval(whole.within, [_mean_squares(_without(rows[repeated], place)).within for place in places])
    between = nothing
    if len(rows) >= 3:
        means = whole.between / whole.cycles
        left_out = [_mean_squares(rows[kept]) for kept in by_device]
        between = _interval(means, [squares.between / squares.cycles for squares in left_out])
        # Subtract the contribution of cycle noise to the spread of the means of devices.
        noise = whole.within / whole.cycles
        noise_low, noise_high = (noise, noise) if np.isnan(within[0]) else np.array(within) / whole.cycles
        low = means - noise - np.hypot(means - between[0], noise_high - noise)
        high = means - noise + np.hypot(between[1] - means, noise - noise_low)
        between = (max(low, 0.0), max(high, 0.0))
    device, cycle = (tuple(np.sqrt(ends).tolist()) for ends in (between, within))
    return (device[0], device[1]), (cycle[0], cycle[1])


@dataclass(frozen=True)
class _MeanSquares:
    between: float
    """Mean square between devices, which is cycles sigma_d² + sigma_c² on average."""
    within: float
    """Mean square within devices, sigma_c² on average."""
    cycles: float
    """Effective number of cycles for each device, n0."""


def _mean_squares(samples: Samples) -> _MeanSquares:
    present = np.isfinite(samples)
    counts = present.sum(axis=1)
    rows = samples[counts > 0]
    counts = counts[counts > 0]
    total, devices = int(counts.sum()), len(counts)
    if total < 2:
        return _MeanSquares(0.0, 0.0, 1.0)
    means = np.nanmean(rows, axis=1)
    within_freedom = total - devices
    within = float(np.nansum((rows - means[:, None]) ** 2))
    within_square = within / within_freedom if within_freedom else 0.0
    if devices == 1:
        return _MeanSquares(0.0, within_square, 1.0)
    grand = np.nansum(rows) / total
    between_square = float((counts * (means - grand) ** 2).sum()) / (devices - 1)
    effective = (total - (counts**2).sum() / total) / (devices - 1)
    return _MeanSquares(between_square, within_square, float(effective))


def _without(rows: Samples, place: np.ndarray) -> Samples:
    left = rows.copy()
    left[tuple(place)] = np.nan
    return left


def _interval(whole: float, left_out: list[float]) -> tuple[float, float]:
    """Interval of a mean square from its values with one unit left out at a time."""
    if whole == 0.0:
        return 0.0, 0.0
    if min(left_out) == 0.0:
        # A single unit causes the whole spread, so its frequency is unknown.
        return np.nan, np.nan
    logarithms = np.log(left_out)
    number = len(logarithms)
    error = np.sqrt((number - 1) * logarithms.var())
    reach = float(np.exp(min(student.ppf(0.975, number - 1) * error, 300.0)))
    return whole / reach, whole * reach
