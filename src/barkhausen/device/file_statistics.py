"""Optional statistics of the states in a device file, beyond the moments.

A statistic that the file does not hold is ``None`` or NaN, and pages leave it out. So are intervals, read errors and
information of a state seen in fewer than eight devices, which files of older versions hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.schema import FITTED, LOGARITHMIC
from barkhausen.device.statistics.candidates import empirical_candidate
from barkhausen.device.statistics.kernels import Grid, Kernels
from barkhausen.device.statistics.reading import mutual_information
from barkhausen.device.statistics.summary import describe_statistics
from barkhausen.device.statistics.variance import FEWEST_DEVICES

MOST_STATES = 64
"""Largest number of states for which statistics missing from the file are computed; more would take too long."""

DENSITY_REACH = 4.0
"""Number of sigmas beyond the outermost positions up to which a density is drawn."""

DENSITY_PLACES = 161
FINE_PLACES = 1201
"""Number of grid points on which an empirical distribution is computed."""

LARGEST_RATIO = 30.0
"""Ratio of the ends from which on the interval of a standard deviation is left out."""

Density = tuple[Float[np.ndarray, " place"], Float[np.ndarray, " place"]]
"""Grid points in the unit of the state coordinate, and the density there."""


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its confidence interval. NaN: the file gives none."""

    value: float
    low: float = np.nan
    high: float = np.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


@dataclass(frozen=True)
class DistributionScore:
    """Score in nats of one distribution on held-out devices.

    Attributes:
        distribution: Name of the distribution.
        score: Mean log-likelihood of a held-out device.
        behind, standard_error: Difference from the score of the best distribution, and its standard error.
    """

    distribution: str
    score: float
    behind: float
    standard_error: float


def described(device: CharacterisedDevice) -> CharacterisedDevice:
    """The device with statistics of its states added, computed from its values if its file does not hold them."""
    positions = device.state_values
    enough = np.isfinite(positions).sum(axis=(1, 2)).min() > 1
    if "overlap" in device.data or device.states > MOST_STATES or not enough:
        return device
    return device.extended(describe_statistics(positions, unit=device.coordinate.unit))


def devices_seen(data: xr.Dataset) -> Int[np.ndarray, " state"]:
    """Number of devices with a value in each state."""
    seen = np.isfinite(data["state_value"].transpose("state", "device", "cycle").values)
    counts: Int[np.ndarray, " state"] = seen.any(axis=2).sum(axis=1)
    return counts


def why_no_intervals(data: xr.Dataset) -> str:
    """Reason why intervals, read errors and information are not stated, in a sentence; empty if they are."""
    fewest = int(devices_seen(data).min())
    if fewest >= FEWEST_DEVICES:
        return ""
    return (
        f"{fewest} device{'s' if fewest > 1 else ''} in a state: intervals, read errors and information are stated "
        f"from {FEWEST_DEVICES} devices on, since one more device could change them by any amount"
    )


def read_error_matrix(device: CharacterisedDevice) -> Float[np.ndarray, "state read_as"] | None:
    """Share of the values of each state (row) that are read as each state (column).

    See :func:`~barkhausen.device.statistics.reading.mutual_information`. None for too few devices or too many states.
    """
    if device.states > MOST_STATES or why_no_intervals(device.data):
        return None
    return mutual_information(device.state_values).read_as


def estimates(data: xr.Dataset, values: Float[np.ndarray, " state"], interval: str) -> list[Estimate]:
    """Values of each state with their intervals, where the file has an interval of that name."""
    ends = np.full((len(values), 2), np.nan)
    if interval in data:
        ends = np.where(
            devices_seen(data)[:, None] < FEWEST_DEVICES, np.nan, data[interval].transpose("state", "bound")
        )
    return [Estimate(float(value), float(low), float(high)) for value, (low, high) in zip(values, ends, strict=True)]


def spreads(data: xr.Dataset, values: Float[np.ndarray, " state"], interval: str) -> list[Estimate]:
    """Standard deviations of each state with their intervals, as far as these say anything.

    Where one or two walls that rest elsewhere make the whole spread, the interval reaches over decades, beyond any
    track: then it is left out.
    """
    return [
        each if not each.known or each.high <= LARGEST_RATIO * each.low else Estimate(each.value)
        for each in estimates(data, values, interval)
    ]


def read_errors(data: xr.Dataset) -> list[Estimate]:
    """Read error rate of each state: the share of its values at which another state is more likely."""
    states = data.sizes["state"]
    known = "read_error_rate" in data and not why_no_intervals(data)
    rates = data["read_error_rate"].values if known else np.full(states, np.nan)
    return estimates(data, rates, "read_error_interval")


def bits(data: xr.Dataset) -> Estimate | None:
    """Mutual information in bits between the programmed state and the value of the state coordinate."""
    if "mutual_information" not in data or not np.isfinite(data["mutual_information"]) or why_no_intervals(data):
        return None
    name = "mutual_information_interval"
    low, high = data[name].values.tolist() if name in data else (np.nan, np.nan)
    return Estimate(float(data["mutual_information"]), low, high)


def overlaps(data: xr.Dataset) -> Float[np.ndarray, "state other_state"] | None:
    """Overlap coefficient of each pair of states: 0 for disjoint, 1 for identical distributions."""
    if "overlap" not in data:
        return None
    matrix: Float[np.ndarray, "state other_state"] = data["overlap"].transpose("state", "other_state").values
    return matrix


def neighbour_overlaps(data: xr.Dataset) -> list[Estimate]:
    """Overlap of each state with the next one."""
    matrix = overlaps(data)
    if matrix is None:
        return []
    ends = np.full((*matrix.shape, 2), np.nan)
    if "overlap_interval" in data and not why_no_intervals(data):
        ends = data["overlap_interval"].transpose("state", "other_state", "bound").values
    pairs = range(len(matrix) - 1)
    return [Estimate(float(matrix[k, k + 1]), *(float(end) for end in ends[k, k + 1])) for k in pairs]


def distribution_of(data: xr.Dataset) -> str:
    """Name of the distribution from which a training run draws synapses."""
    return str(data.attrs.get("distribution", "empirical"))


def distribution_scores(data: xr.Dataset) -> list[DistributionScore]:
    """Scores of all distributions that were compared."""
    names = ("fit_score", "fit_behind", "fit_standard_error")
    if not all(name in data for name in names):
        return []
    rows = zip(FITTED, *(data[name].values.tolist() for name in names), strict=True)
    return [DistributionScore(*row) for row in rows]


def goodness(data: xr.Dataset) -> list[tuple[float, float]]:
    """Kolmogorov-Smirnov distance of each state from the distribution of the file, and its p-value."""
    name = distribution_of(data)
    if name not in FITTED:
        return [(float("nan"), float("nan"))] * data.sizes["state"]
    number = FITTED.index(name)
    columns = [
        data[name].transpose("distribution", "state").values[number]
        if name in data
        else np.full(data.sizes["state"], np.nan)
        for name in ("fit_distance", "fit_p_value")
    ]
    return [(float(distance), float(p_value)) for distance, p_value in zip(*columns, strict=True)]


def densities(device: CharacterisedDevice) -> list[Density | None]:
    """Density of each state. None for a distribution that resamples positions unchanged."""
    name = distribution_of(device.data)
    if name == "gaussian":
        return normal_densities(device)
    if name == "lognormal":
        return lognormal_densities(device)
    if name == "mixture":
        parts = [mixture.components for mixture in device.mixtures]
        return [_curve(Kernels(part.weight, part.mean, part.sigma)) for part in parts]
    if "bandwidth_cycle" not in device.data:
        return [None] * device.states
    own_noise = device.data.attrs.get("noise_pool", "state") == "device"
    return [_smoothed(rows, own_noise) for rows in device.state_values]


def normal_densities(device: CharacterisedDevice) -> list[Density | None]:
    """Normal density with the mean and the spread, over devices and cycles, of each state."""
    mean, *sigmas = device.moments
    spread = np.hypot(*sigmas)
    return [_curve(Kernels.normal(float(m), float(s))) for m, s in zip(mean, spread, strict=True)]


def lognormal_densities(device: CharacterisedDevice) -> list[Density | None]:
    """Density of each state, over devices and cycles, of a device whose conductances are lognormal."""
    mean = device.moments[0]
    spread = np.hypot(*(device.data[name].values for name in LOGARITHMIC))
    grid = np.linspace(-DENSITY_REACH, DENSITY_REACH, DENSITY_PLACES)
    found: list[Density | None] = []
    for m, s in zip(mean, spread, strict=True):
        if not s > 0:
            found.append(None)
            continue
        places = m * np.exp(s * grid - s**2 / 2)
        found.append((places, np.exp(-(grid**2) / 2) / (np.sqrt(2 * np.pi) * s * places)))
    return found


def _curve(kernels: Kernels) -> Density | None:
    if not (kernels.sigma > 0).all():
        return None
    low = float((kernels.mean - DENSITY_REACH * kernels.sigma).min())
    high = float((kernels.mean + DENSITY_REACH * kernels.sigma).max())
    # A component narrower than the grid spacing would be missed, so each component has its own grid points.
    own = kernels.mean[:, None] + kernels.sigma[:, None] * np.linspace(-3.0, 3.0, 25)
    places = np.unique(np.concatenate((np.linspace(low, high, DENSITY_PLACES), own.ravel())))
    return places, kernels.density(places)


def _smoothed(rows: Float[np.ndarray, "device cycle"], own_noise: bool) -> Density | None:
    seen = rows[np.isfinite(rows).any(axis=1)]
    spread = float(np.nanstd(seen))
    if not spread > 0:
        return None
    grid = Grid.over(seen, margin=spread, step=spread / 200, largest=FINE_PLACES)
    below = empirical_candidate(seen, own_noise=own_noise).cumulative(grid)
    return grid.places, np.maximum(np.gradient(below, grid.step), 0.0)
