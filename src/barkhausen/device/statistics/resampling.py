"""Tables for drawing fresh devices and cycles, made from the positions of characterised ones.

All values are in the unit of the positions. A device that was not observed in every state contributes noise but no
offsets, since the correlation of its offsets is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from barkhausen.device.statistics.candidates import Level, drawn_in, own_residuals, predicted_offsets
from barkhausen.device.statistics.mixture import Components
from barkhausen.device.statistics.variance import variance_components

CELLS = 4096
"""Number of entries that represent the weights of the components of a mixture, with a resolution of 1/4096."""

Positions = Float[np.ndarray, "state device cycle"]
ByState = Float[np.ndarray, " state"]


@dataclass(frozen=True)
class KernelTables:
    """Normal kernels of offsets and of noise.

    Attributes:
        offset_mean, offset_sigma: Kernel of each characterised device in each state.
        directions: Matrix that turns independent standard normal numbers into numbers that are standard normal in each
            state and correlated between states like the devices.
        noise_mean, noise_sigma: Kernels of the noise, one row for all devices or one for each.
    """

    offset_mean: Float[np.ndarray, "device state"]
    offset_sigma: Float[np.ndarray, "device state"]
    directions: Float[np.ndarray, "direction state"]
    noise_mean: Float[np.ndarray, "pool state sample"]
    noise_sigma: Float[np.ndarray, "pool state sample"]


@dataclass(frozen=True)
class StateMixture:
    """The mixture of one state as held by a device file."""

    components: Components
    level: Level
    offset_sigma: float


def seen_in_every_state(positions: Positions) -> Bool[np.ndarray, " device"]:
    """Mask of the devices that were observed in every state."""
    return np.asarray(np.isfinite(positions).any(axis=2).all(axis=0))


def plain_tables(
    positions: Positions, mean: ByState, sigma_device: ByState, sigma_cycle: ByState
) -> tuple[Float[np.ndarray, "device state"], Float[np.ndarray, "state sample"]]:
    """Device offsets and cycle residuals, rescaled to the given variance components.

    The mean of a few cycles still carries cycle noise, and residuals about it are too small; both are
    rescaled so that resampling neither inflates the device part nor deflates the cycle part.
    """
    complete = seen_in_every_state(positions)
    device_means = np.nanmean(positions[:, complete], axis=2)
    offsets = device_means - device_means.mean(axis=1, keepdims=True)
    spread = offsets.std(axis=1)
    offsets *= np.divide(sigma_device, spread, out=np.zeros_like(spread), where=spread > 0)[:, None]
    seen = np.isfinite(positions)
    counts = np.maximum(seen.sum(axis=2, keepdims=True), 1)
    about_device = positions - np.where(seen, positions, 0.0).sum(axis=2, keepdims=True) / counts
    pools = [values[np.isfinite(values)] for values in about_device]
    size = max(len(pool) for pool in pools)
    residuals = np.zeros((len(positions), size))
    for state, pool in enumerate(pools):
        # A smaller pool is repeated to fill the row; where that does not come out even, its moments shift.
        repeated = np.resize(pool, size)
        repeated -= repeated.mean()
        spread_of_pool = repeated.std()
        if spread_of_pool > 0 and sigma_cycle[state] > 0:
            residuals[state] = repeated * (sigma_cycle[state] / spread_of_pool)
    return offsets.T, residuals


def smoothed_tables(
    positions: Positions,
    moments: tuple[ByState, ByState, ByState],
    bandwidths: tuple[ByState, ByState],
    *,
    own_noise: bool,
) -> KernelTables:
    """Smoothed bootstrap: offsets and residuals widened by kernels and shrunk to the variances of ``moments``.

    Args:
        positions: Positions of all states.
        moments: Mean, device sigma and cycle sigma of each state.
        bandwidths: Bandwidths of the kernels of offsets and residuals, before shrinking.
        own_noise: Whether each device draws noise only from its own cycles. The mean variance over devices is then that
            of the cycle sigma.
    """
    complete = seen_in_every_state(positions)
    _, sigma_device, sigma_cycle = moments
    number = int(complete.sum())
    size = int(np.isfinite(positions).sum(axis=2).max() if own_noise else np.isfinite(positions).sum(axis=(1, 2)).max())
    offset_mean, offset_sigma = np.zeros((number, len(positions))), np.zeros((number, len(positions)))
    noise_mean = np.zeros((number if own_noise else 1, len(positions), size))
    noise_sigma = np.zeros_like(noise_mean)
    for state, rows in enumerate(positions):
        seen = np.isfinite(rows).any(axis=1)
        offsets, residuals = predicted_offsets(rows[seen])
        offset_mean[:, state], offset_sigma[:, state] = drawn_in(
            offsets[complete[seen]], sigma_device[state], bandwidths[0][state]
        )
        pools, sigmas = [residuals[np.isfinite(residuals)]], np.array([sigma_cycle[state]])
        if own_noise:
            own, sigmas = own_residuals(rows[complete], sigma_cycle[state])
            pools = [row[np.isfinite(row)] for row in own]
        for pool, (values, sigma) in enumerate(zip(pools, sigmas, strict=True)):
            # A smaller pool is repeated to fill the row, and its moments set right after that.
            place, spread = drawn_in(np.resize(values, size), sigma, bandwidths[1][state])
            noise_mean[pool, state], noise_sigma[pool, state] = place, spread
    return KernelTables(offset_mean, offset_sigma, _directions(offset_mean), noise_mean, noise_sigma)


def mixture_tables(positions: Positions, mean: ByState, mixtures: Sequence[StateMixture]) -> KernelTables:
    """Offsets and noise of normal mixtures.

    If the component is chosen at the level of the device, a fresh device copies a characterised one in every state: it
    takes the component from which that device's cycles most likely came. Offsets within a component are as correlated
    between states as the means of the
    characterised devices about theirs.

    Args:
        positions: Positions of all states.
        mean: Mean of each state, relative to which offsets are defined.
        mixtures: Mixture of each state.
    """
    complete = seen_in_every_state(positions)
    number, states = int(complete.sum()), len(positions)
    offset_mean, offset_sigma, within = (np.zeros((number, states)) for _ in range(3))
    noise_mean, noise_sigma = np.zeros((1, states, CELLS)), np.zeros((1, states, CELLS))
    for state, mixture in enumerate(mixtures):
        parts = mixture.components
        rows = positions[state, complete]
        at = np.nanmean(rows, axis=1)
        if mixture.level == "device":
            label = np.nanmean(parts.shares(rows), axis=1).argmax(axis=1)
            noise = variance_components(positions[state])[1]
            spread = np.sqrt(np.maximum(parts.sigma**2 - noise**2, 0.0))
            offset_mean[:, state], offset_sigma[:, state] = parts.mean[label] - mean[state], spread[label]
            within[:, state] = at - parts.mean[label]
            noise_sigma[0, state] = noise
        else:
            centre = float(parts.weight @ parts.mean)
            cell = np.searchsorted(np.cumsum(parts.weight)[:-1], (np.arange(CELLS) + 0.5) / CELLS)
            spread = np.sqrt(np.maximum(parts.sigma**2 - mixture.offset_sigma**2, 0.0))
            offset_mean[:, state], offset_sigma[:, state] = centre - mean[state], mixture.offset_sigma
            within[:, state] = at - np.nanmean(parts.shares(rows) @ parts.mean, axis=1)
            noise_mean[0, state], noise_sigma[0, state] = parts.mean[cell] - centre, spread[cell]
    return KernelTables(offset_mean, offset_sigma, _directions(within), noise_mean, noise_sigma)


def _directions(deviations: Float[np.ndarray, "device state"]) -> Float[np.ndarray, "direction state"]:
    """Deviations of devices scaled so that sums of them with standard normal factors have variance 1 in each state.

    A state in which devices do not differ gets a direction of its own.
    """
    centred = deviations - deviations.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    scaled = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return np.vstack([scaled, np.diag(np.where(length > 0, 0.0, 1.0))[length == 0]])
