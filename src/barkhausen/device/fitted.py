"""Fitting a characterised device: statistics of its states, the distribution that fits best, and a table of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.file_statistics import read_errors, spreads
from barkhausen.device.schema import FITTED
from barkhausen.device.statistics.selection import choose_fit
from barkhausen.device.statistics.summary import describe_statistics

Bounds = tuple[float, float]


def fitted(device: CharacterisedDevice, seed: int = 0) -> CharacterisedDevice:
    """The device with statistics of its states added, and with the distribution that predicts held-out devices best.

    Args:
        device: Characterised device, with at least four devices observed in every state.
        seed: Seed of folds, starts and resamples.

    Raises:
        InputError: A state was observed in fewer than four devices.
    """
    positions = device.state_values
    unit = device.coordinate.unit
    return device.extended(describe_statistics(positions, seed, unit), choose_fit(positions, seed).to_dataset(unit))


@dataclass(frozen=True)
class StateSummary:
    """One row in the table of a device: the statistics of one state.

    Values are in the unit of the state coordinate, rates are between 0 and 1, and NaN marks values that the file does
    not hold, and intervals and read errors of too few devices.

    Attributes:
        state: Number of the state.
        devices, cycles: Number of devices observed in the state, and number of all values.
        mean: Mean value.
        sigma_device, sigma_cycle: Standard deviations between devices and between cycles.
        sigma_device_interval, sigma_cycle_interval: Their 95 % intervals.
        distribution: Distribution from which synapses are drawn.
        components: Number of components of the mixture; 1 for a state that a normal distribution fits, and for other
            distributions.
        level: Level at which a component is chosen: ``cycle`` or ``device``; empty for a single component.
        distance, p_value: Kolmogorov-Smirnov distance of the values from the distribution, and its p-value.
        overlap_with_next: Overlap coefficient with the next state; NaN for the last one.
        read_error_rate: Share of values at which another state is more likely.
        failure_rate: Share of cycles that failed.
    """

    state: int
    devices: int
    cycles: int
    mean: float
    sigma_device: float
    sigma_device_interval: Bounds
    sigma_cycle: float
    sigma_cycle_interval: Bounds
    distribution: str
    components: int
    level: str
    distance: float
    p_value: float
    overlap_with_next: float
    read_error_rate: float
    failure_rate: float


def fitting_report(device: CharacterisedDevice) -> list[StateSummary]:
    """Table of the statistics and the distribution of each state, as held by the device file."""
    data, positions = device.data, device.state_values
    seen = np.isfinite(positions)
    mean, sigma_device, sigma_cycle = device.moments
    name = str(data.attrs.get("distribution", "empirical"))
    mixtures = device.mixtures if name == "mixture" else []
    failures = device.failure_rate
    device_sigmas = spreads(data, sigma_device, "sigma_device_interval")
    cycle_sigmas = spreads(data, sigma_cycle, "sigma_cycle_interval")
    misread = read_errors(data)
    rows = []
    for state in range(device.states):
        parts = len(mixtures[state].components.mean) if mixtures else 1
        next_state = state + 1
        rows.append(
            StateSummary(
                state=state,
                devices=int(seen[state].any(axis=1).sum()),
                cycles=int(seen[state].sum()),
                mean=float(mean[state]),
                sigma_device=float(sigma_device[state]),
                sigma_device_interval=(device_sigmas[state].low, device_sigmas[state].high),
                sigma_cycle=float(sigma_cycle[state]),
                sigma_cycle_interval=(cycle_sigmas[state].low, cycle_sigmas[state].high),
                distribution=name,
                components=parts,
                level=mixtures[state].level if parts > 1 else "",
                distance=_fit(data, "fit_distance", name, state),
                p_value=_fit(data, "fit_p_value", name, state),
                overlap_with_next=float("nan")
                if next_state == device.states
                else _number(data, "overlap", state=state, other_state=next_state),
                read_error_rate=misread[state].value,
                failure_rate=float(failures[state]),
            )
        )
    return rows


def _fit(data: xr.Dataset, variable: str, name: str, state: int) -> float:
    """A number of a fitted distribution; NaN of one that is declared."""
    if name not in FITTED:
        return float("nan")
    return _number(data, variable, distribution=FITTED.index(name), state=state)


def _number(data: xr.Dataset, variable: str, /, **place: int) -> float:
    return float(data[variable].isel(place)) if variable in data else float("nan")
