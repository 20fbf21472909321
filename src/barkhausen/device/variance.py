"""Splitting the spread of a state into what is the device's and what is the cycle's."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def variance_components(samples: Float[np.ndarray, "device cycle"]) -> tuple[float, float]:
    """Device-to-device and cycle-to-cycle standard deviation of one state.

    One-way random-effects analysis of variance with unequal group sizes: sigma_c² is the mean square within
    devices, sigma_d² = (mean square between − sigma_c²) / n0 with n0 = (N − sum n_i² / N) / (D − 1), not below
    zero (Searle, Casella, McCulloch, *Variance Components*, 1992, section 3.6).

    With a single cycle a device the split cannot be seen and the whole spread is booked as the device's,
    since that is the part which programming again does not cure. With a single device it is all the cycle's.

    Args:
        samples: one row a device; NaN marks a cycle that is missing.

    Returns:
        ``(sigma_device, sigma_cycle)`` in the unit of the samples.
    """
    present = np.isfinite(samples)
    counts = present.sum(axis=1)
    rows = samples[counts > 0]
    counts = counts[counts > 0]
    total, devices = int(counts.sum()), len(counts)
    if total < 2:
        return 0.0, 0.0
    means = np.nanmean(rows, axis=1)
    within_freedom = total - devices
    within = float(np.nansum((rows - means[:, None]) ** 2))
    within_square = within / within_freedom if within_freedom else 0.0
    if devices == 1:
        return 0.0, float(np.sqrt(within_square))
    grand = np.nansum(rows) / total
    between_square = float((counts * (means - grand) ** 2).sum()) / (devices - 1)
    effective = (total - (counts**2).sum() / total) / (devices - 1)
    device_variance = max(0.0, (between_square - within_square) / effective)
    return float(np.sqrt(device_variance)), float(np.sqrt(within_square))
