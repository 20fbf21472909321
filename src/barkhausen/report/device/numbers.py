"""Numbers on the page about a device of any technology: for each state and for the whole device."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.core.config import Parameters, validated
from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import TECHNOLOGIES, CharacterisedDevice, ReadOut, Technology
from barkhausen.device import file_statistics as statistics
from barkhausen.device.conductance import ConductanceMap
from barkhausen.device.doubts import temperature_rises
from barkhausen.device.drives import Drive, drives_of
from barkhausen.device.file_statistics import Density, DistributionScore, Estimate
from barkhausen.device.retention_summary import barrier_method, of_tenth
from barkhausen.device.schema import AT_REST, FITTED, OUTCOMES

MOST_NORMALS = 16
"""Largest number of states whose normal densities are drawn beside the fitted ones."""


@dataclass(frozen=True)
class StateNumbers:
    """Numbers of one state.

    Attributes:
        number: Number of the state from 0, in order of position.
        mean, sigma_device, sigma_cycle: Mean and standard deviations in the unit of the state coordinate; NaN for a
            sigma that cannot be estimated.
        events: Number of events.
        failed: Number of events that left no value.
        read_error: Share of values at which another state is more likely.
        distance, p_value: Kolmogorov-Smirnov distance of the values from the distribution, and its p-value; NaN if
            not in the file.
        energy: Energy in J of one attempt, by cause.
    """

    number: int
    mean: Estimate
    sigma_device: Estimate
    sigma_cycle: Estimate
    events: int
    failed: int
    read_error: Estimate
    distance: float
    p_value: float
    energy: Mapping[str, float]

    @property
    def total_energy(self) -> float:
        """Energy in J of one attempt, including its read."""
        return sum(self.energy.values())

    @property
    def total_sigma(self) -> float:
        """Standard deviation of a value over devices and cycles."""
        return float(np.hypot(*np.nan_to_num([self.sigma_device.value, self.sigma_cycle.value])))


@dataclass(frozen=True)
class Retention:
    """Retention of one state.

    Attributes:
        state: Number of the state.
        median, tenth, shortest: Retention time in s of the median, the 10 % worst and the worst device.
        tenth_lower: Lower 95 % bound in s of that of the 10 % worst device; NaN if the file gives no error.
        median_barrier, lowest_barrier: Median and lowest barrier in J over devices.
        temperature: Temperature in K for barriers in units of kB T; NaN if unknown.
        method: Method by which the barriers were found, in words.
    """

    state: int
    median: float
    tenth: float
    tenth_lower: float
    shortest: float
    median_barrier: float
    lowest_barrier: float
    temperature: float
    method: str

    def in_heat(self, barrier: float) -> float:
        """A barrier in units of kB T."""
        return np.inf if self.temperature == 0 else barrier / (BOLTZMANN * self.temperature)


@dataclass(frozen=True)
class DeviceNumbers:
    """Numbers of the whole device."""

    device: CharacterisedDevice
    technology: Technology | None
    """Registry entry; None for a technology of an extension that is not loaded."""
    parameters: Parameters | None
    """Parameters of the device, of the type of the technology; None if the file gives none."""
    stored: Mapping[str, Any]
    """The same as in the file."""
    attributes: Mapping[str, Any]
    states: Sequence[StateNumbers]
    drives: Sequence[Drive]

    @classmethod
    def of(cls, device: CharacterisedDevice) -> DeviceNumbers:
        """Read everything from a device file.

        Raises:
            InputError: The parameters in the file are not those of its technology.
        """
        try:
            stored = json.loads(str(device.data.attrs.get("parameters", "{}")))
            attributes = json.loads(str(device.data.attrs.get("attributes", "{}")))
        except ValueError:
            raise InputError("the device file does not hold the parameters that it was made with") from None
        entry = TECHNOLOGIES.get(device.technology)
        parameters = None
        if entry is not None and stored:
            parameters = validated(entry.parameters, stored, "parameters in the device file")
        device = statistics.described(device)
        return cls(device, entry, parameters, stored, attributes, _states(device), drives_of(device))

    @property
    def label(self) -> str:
        """Name of the technology in sentences."""
        return self.device.technology if self.technology is None else self.technology.label

    @property
    def extent(self) -> str:
        """Name of the range of the state coordinate in sentences."""
        return "range of the states" if self.technology is None else self.technology.extent

    @property
    def simulation(self) -> Mapping[str, Any]:
        """Settings of the simulation, for a simulated device."""
        settings = self.stored.get("characterisation", {}) if self.device.source == "micromagnetics" else {}
        return settings if isinstance(settings, dict) else {}

    @property
    def heat(self) -> Mapping[str, float]:
        """Greatest rise of the temperature in K in each pulse; empty if the file does not say."""
        return temperature_rises(self.device)

    @property
    def length(self) -> float:
        """Extent of the range of the state coordinate."""
        low, high = self.device.state_range
        return high - low

    @property
    def varying(self) -> list[Drive]:
        """Drives that differ between states."""
        return [drive for drive in self.drives if drive.varies]

    @property
    def selecting(self) -> list[Drive]:
        """Drives that differ between states and that are known, not assumed."""
        return [drive for drive in self.drives if drive.varies and not drive.assumed]

    @property
    def missing(self) -> int:
        """Number of cycles without a value that the file does not count as events."""
        return int(self.device.state_values.size) - self.events

    @property
    def read_errors(self) -> Float[np.ndarray, "state read_as"] | None:
        """Share of the values of each state that are read as each state, where there are enough devices."""
        return statistics.read_error_matrix(self.device)

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(state.events for state in self.states)

    @property
    def failed(self) -> int:
        """Number of events that left no value."""
        return sum(state.failed for state in self.states)

    @property
    def spacing(self) -> float:
        """Mean distance of neighbouring states as a fraction of the range of the state coordinate."""
        means = [state.mean.value for state in self.states]
        return (means[-1] - means[0]) / (len(means) - 1) / self.length

    @property
    def mean_energy(self) -> dict[str, float]:
        """Energy in J of one attempt by cause, mean over states."""
        return {cause: float(np.mean([state.energy[cause] for state in self.states])) for cause in self.causes}

    @property
    def total_mean_energy(self) -> float:
        """Energy in J of one attempt, mean over states."""
        return sum(self.mean_energy.values())

    @property
    def causes(self) -> dict[str, str]:
        """Causes of energy with the label of each."""
        return self.device.energy_causes

    @property
    def energy_columns(self) -> list[str]:
        """Headings of a table of energies."""
        return [f"{label} (fJ)" for label in (*self.causes.values(), "sum")]

    @property
    def bits(self) -> Estimate | None:
        """Mutual information, if the file has it."""
        return statistics.bits(self.device.data)

    @property
    def overlaps(self) -> Float[np.ndarray, "state other_state"] | None:
        """Overlap of all pairs of states, if the file has it."""
        return statistics.overlaps(self.device.data)

    @property
    def worst_neighbours(self) -> tuple[int, float] | None:
        """Lower state of the two neighbours that overlap most, and their overlap."""
        beside = [overlap.value for overlap in self.neighbour_overlaps]
        if not beside:
            return None
        lower = int(np.argmax(beside))
        return lower, beside[lower]

    @property
    def neighbour_overlaps(self) -> list[Estimate]:
        """Overlap of each state with the next, if the file has it."""
        return statistics.neighbour_overlaps(self.device.data)

    @property
    def distribution(self) -> str:
        """Name of the distribution from which synapses are drawn."""
        return statistics.distribution_of(self.device.data)

    @property
    def counts_failures(self) -> bool:
        """Whether the file tells events that failed from those that were never run."""
        return "outcome" in self.device.data

    @property
    def normals(self) -> list[Density | None]:
        """Normal density with the mean and the spread of each state; none where the distribution is that, or where so
        many curves could not be told apart."""
        if self.distribution == "gaussian" or len(self.states) > MOST_NORMALS:
            return [None] * len(self.states)
        return statistics.normal_densities(self.device)

    @property
    def goodness_columns(self) -> list[str]:
        """Headings of :attr:`goodness`."""
        return [f"{name}, {what}" for name in FITTED for what in ("KS", "p")]

    @property
    def goodness(self) -> list[list[float]]:
        """Kolmogorov-Smirnov distance and p-value of each state for each distribution, if the file has them."""
        data = self.device.data
        if "fit_distance" not in data or "fit_p_value" not in data:
            return []
        both = [data[name].transpose("state", "distribution").values for name in ("fit_distance", "fit_p_value")]
        return [
            [float(value) for pair in zip(*rows, strict=True) for value in pair] for rows in zip(*both, strict=True)
        ]

    @property
    def densities(self) -> list[Density | None]:
        """Density of each state, where the distribution has one."""
        return statistics.densities(self.device)

    @property
    def distribution_scores(self) -> list[DistributionScore]:
        """Scores of the compared distributions, if the file has them."""
        return statistics.distribution_scores(self.device.data)

    @property
    def reset_position(self) -> float | None:
        """Wall position in m after a reset."""
        place = self.attributes.get("reset_position")
        return float(place) if isinstance(place, (int, float)) else None

    @property
    def retention(self) -> list[Retention]:
        """Retention of each state, if the file has it."""
        times, barriers = (_by_device(self.device.data, name) for name in ("retention_time", "barrier"))
        if times is None or barriers is None:
            return []
        lowest = _by_device(self.device.data, "retention_time_lower")
        found = []
        for number, rows in enumerate(zip(times, barriers, times if lowest is None else lowest, strict=True)):
            time, barrier, lower = (row[~np.isnan(row)] for row in rows)
            if time.size and barrier.size:
                found.append(
                    Retention(
                        state=number,
                        median=float(np.median(time)),
                        tenth=of_tenth(time),
                        tenth_lower=np.nan if lowest is None or not lower.size else of_tenth(lower),
                        shortest=float(time.min()),
                        median_barrier=float(np.median(barrier)),
                        lowest_barrier=float(barrier.min()),
                        temperature=float(self.simulation.get("temperature", np.nan)),
                        method=barrier_method(self.device),
                    )
                )
        return found

    @property
    def conductances(self) -> list[float]:
        """Conductance in S at the mean of each state, if the file gives conductances."""
        try:
            conversion = ConductanceMap.of(self.device)
        except InputError:
            return []
        means = np.array([state.mean.value for state in self.states])
        return [float(value) for value in conversion.conductance(self.device.weight_of(means))]

    @property
    def read_out(self) -> ReadOut | None:
        """The verify read, if the file gives it."""
        try:
            return self.device.read_out
        except InputError:
            return None


def _states(device: CharacterisedDevice) -> list[StateNumbers]:
    data = device.data
    moments = [values.copy() for values in device.moments]
    if not device.declared:
        for values, dimension in ((moments[1], "device"), (moments[2], "cycle")):
            if data.sizes[dimension] == 1:
                values[:] = np.nan
    mean = [Estimate(float(value)) for value in moments[0]]
    sigma_device = statistics.spreads(data, moments[1], "sigma_device_interval")
    sigma_cycle = statistics.spreads(data, moments[2], "sigma_cycle_interval")
    outcome = outcomes_of(device)
    energy = {cause: device.energy(cause) for cause in device.energy_causes}
    read_errors, goodness = statistics.read_errors(data), statistics.goodness(data)
    return [
        StateNumbers(
            number=k,
            mean=mean[k],
            sigma_device=sigma_device[k],
            sigma_cycle=sigma_cycle[k],
            events=int((outcome[k] >= AT_REST).sum()),
            failed=int((outcome[k] > AT_REST).sum()),
            read_error=read_errors[k],
            distance=goodness[k][0],
            p_value=goodness[k][1],
            energy={cause: float(energy[cause][k]) for cause in device.energy_causes},
        )
        for k in range(device.states)
    ]


def outcomes_of(device: CharacterisedDevice) -> Int[np.ndarray, "state device cycle"]:
    """Outcome of each event. Without outcomes in the file, an event without a position counts as not run."""
    if "outcome" not in device.data:
        return np.where(np.isfinite(device.state_values), AT_REST, OUTCOMES.values[0])
    values: Int[np.ndarray, "state device cycle"]
    values = device.data["outcome"].transpose("state", "device", "cycle").values
    return values


def _by_device(data: xr.Dataset, name: str) -> Float[np.ndarray, "state device"] | None:
    if name not in data or set(data[name].dims) != {"state", "device"}:
        return None
    values: Float[np.ndarray, "state device"] = data[name].transpose("state", "device").values
    return values
