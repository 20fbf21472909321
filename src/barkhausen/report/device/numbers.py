"""The numbers of a characterisation that its page prints: state by state, of the whole device, and what to warn of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice, DeviceParameters
from barkhausen.device import file_statistics as statistics
from barkhausen.device.file_statistics import Density, DistributionScore, Estimate
from barkhausen.device.schema import AT_REST, OUTCOMES

OVERLAP_TO_WARN_OF = 0.05


@dataclass(frozen=True)
class StateNumbers:
    """One state.

    Attributes:
        number: from 0 on, in order of position.
        gate_voltage: in V.
        mean, sigma_device, sigma_cycle: in m; a sigma that cannot be seen is NaN.
        events: how many there were.
        failed: how many of them left no single wall at rest.
        read_error: share of the positions where another state is likelier.
        distance, p_value: Kolmogorov-Smirnov, of the positions from the distribution; NaN where the file does not say.
        energy: of one attempt in J, by cause.
    """

    number: int
    gate_voltage: float
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
        """Of one attempt in J, its read included."""
        return sum(self.energy.values())

    @property
    def total_sigma(self) -> float:
        """Of a position, whatever the device and the cycle, in m."""
        return float(np.hypot(*np.nan_to_num([self.sigma_device.value, self.sigma_cycle.value])))


@dataclass(frozen=True)
class Retention:
    """How long one state stays.

    Attributes:
        state: its number.
        median, shortest: retention times in s over devices.
        median_barrier, lowest_barrier: in J.
        temperature: in K, at which a barrier is told in units of kB T.
    """

    state: int
    median: float
    shortest: float
    median_barrier: float
    lowest_barrier: float
    temperature: float

    def in_heat(self, barrier: float) -> float:
        """A barrier in units of kB T."""
        return barrier / (BOLTZMANN * self.temperature) if self.temperature > 0 else np.inf


@dataclass(frozen=True)
class DeviceNumbers:
    """The whole device."""

    device: CharacterisedDevice
    parameters: DeviceParameters
    attributes: Mapping[str, Any]
    states: Sequence[StateNumbers]

    @classmethod
    def of(cls, device: CharacterisedDevice) -> DeviceNumbers:
        """Read everything from a device file.

        Raises:
            InputError: the file does not hold the parameters that it was made with.
        """
        try:
            stored = json.loads(str(device.data.attrs["parameters"]))
            attributes = json.loads(str(device.data.attrs.get("attributes", "{}")))
        except (KeyError, ValueError):
            raise InputError("the device file does not hold the parameters that it was made with") from None
        parameters = validated(DeviceParameters, stored, "parameters in the device file")
        device = statistics.described(device)
        return cls(device, parameters, attributes, _states(device))

    @property
    def length(self) -> float:
        """Of the track, in m."""
        low, high = self.device.state_range
        return high - low

    @property
    def events(self) -> int:
        """How many there were."""
        return sum(state.events for state in self.states)

    @property
    def failed(self) -> int:
        """How many of them left no single wall."""
        return sum(state.failed for state in self.states)

    @property
    def spacing(self) -> float:
        """Mean distance of neighbouring states as a share of the track."""
        means = [state.mean.value for state in self.states]
        return (means[-1] - means[0]) / (len(means) - 1) / self.length

    @property
    def mean_energy(self) -> dict[str, float]:
        """Of one attempt in J by cause, mean over states."""
        return {cause: float(np.mean([state.energy[cause] for state in self.states])) for cause in self.causes}

    @property
    def total_mean_energy(self) -> float:
        """Of one attempt in J, mean over states."""
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
        """Of all pairs of states, if the file has it."""
        return statistics.overlaps(self.device.data)

    @property
    def worst_neighbours(self) -> tuple[int, float] | None:
        """The lower of the two neighbouring states that overlap most, and how much."""
        beside = [overlap.value for overlap in self.neighbour_overlaps]
        if not beside:
            return None
        lower = int(np.argmax(beside))
        return lower, beside[lower]

    @property
    def neighbour_overlaps(self) -> list[Estimate]:
        """Of each state with the next, if the file has it."""
        return statistics.neighbour_overlaps(self.device.data)

    @property
    def distribution(self) -> str:
        """Distribution of the positions that synapses are drawn from."""
        return statistics.distribution_of(self.device.data)

    @property
    def densities(self) -> list[Density | None]:
        """The distribution of each state where it is a curve."""
        return statistics.densities(self.device)

    @property
    def distribution_scores(self) -> list[DistributionScore]:
        """Of the distributions that were tried, if the file has them."""
        return statistics.distribution_scores(self.device.data)

    @property
    def reset_position(self) -> float | None:
        """Where the wall is after a reset, in m."""
        place = self.attributes.get("reset_position")
        return float(place) if isinstance(place, (int, float)) else None

    @property
    def retention(self) -> list[Retention]:
        """Of each state, if the file has it."""
        times, barriers = (_by_device(self.device.data, name) for name in ("retention_time", "barrier"))
        if times is None or barriers is None:
            return []
        found = []
        for number, rows in enumerate(zip(times, barriers, strict=True)):
            time, barrier = (row[~np.isnan(row)] for row in rows)
            if time.size and barrier.size:
                found.append(
                    Retention(
                        state=number,
                        median=float(np.median(time)),
                        shortest=float(time.min()),
                        median_barrier=float(np.median(barrier)),
                        lowest_barrier=float(barrier.min()),
                        temperature=self.parameters.characterisation.temperature,
                    )
                )
        return found

    @property
    def conductances(self) -> list[float]:
        """Of each state's mean position in S, if the file has those of the junction."""
        ends = ("conductance_low", "conductance_high")
        if not all(name in self.device.data for name in ends):
            return []
        low, high = (float(self.device.data[name]) for name in ends)
        return [low + (high - low) * state.mean.value / self.length for state in self.states]


def warnings_of(numbers: DeviceNumbers) -> list[tuple[str, str]]:
    """What a reader must know before using the numbers: a title and a sentence each."""
    found = []
    if numbers.failed:
        found.append(("Failures", _about_failures(numbers)))
    completed = numbers.attributes.get("completed_resets")
    if isinstance(completed, (int, float)) and completed < 1:
        found.append(
            (
                "Resets",
                f"{100 * (1 - completed):.3g} % of the resets lost the wall, or left it nearer to the second state "
                "than to the first. What such an event programs depends on where the wall was before.",
            )
        )
    pairs = [
        f"{lower} and {lower + 1} ({overlap.value:.2f})"
        for lower, overlap in enumerate(numbers.neighbour_overlaps)
        if overlap.value > OVERLAP_TO_WARN_OF
    ]
    if pairs:
        found.append(
            (
                "Overlap",
                f"These neighbouring states overlap by more than {OVERLAP_TO_WARN_OF:g}, so one read cannot always "
                f"tell them apart: {', '.join(pairs)}.",
            )
        )
    devices, cycles = numbers.device.state_values.shape[1:]
    if cycles == 1 or devices == 1:
        found.append(("Split", _about_split(devices, cycles)))
    return found


def _about_failures(numbers: DeviceNumbers) -> str:
    outcome = _outcomes(numbers.device)
    why = [
        f"{int((outcome == value).sum())} with {meaning.replace('_', ' ')}"
        for value, meaning in zip(OUTCOMES.values, OUTCOMES.meanings, strict=True)
        if value > AT_REST and (outcome == value).any()
    ]
    worst = max(numbers.states, key=lambda state: state.failed)
    return (
        f"{numbers.failed} of {numbers.events} programming events failed: {', '.join(why)}. Worst is state "
        f"{worst.number} with {worst.failed} of {worst.events}. No statistics on this page contain them."
    )


def _about_split(devices: int, cycles: int) -> str:
    if devices == cycles == 1:
        return "With a single event in each state nothing can be said of its spread."
    if cycles == 1:
        return "With a single cycle a device, the whole spread is counted as device-to-device; part of it is not."
    return "With a single device, nothing can be said of the spread between devices."


def _states(device: CharacterisedDevice) -> list[StateNumbers]:
    data = device.data
    moments = [values.copy() for values in device.moments]
    if device.source != "gaussian":
        for values, dimension in ((moments[1], "device"), (moments[2], "cycle")):
            if data.sizes[dimension] == 1:
                values[:] = np.nan
    mean = [Estimate(float(value)) for value in moments[0]]
    sigma_device = statistics.estimates(data, moments[1], "sigma_device_interval")
    sigma_cycle = statistics.estimates(data, moments[2], "sigma_cycle_interval")
    outcome = _outcomes(device)
    energy = {cause: device.energy(cause) for cause in device.energy_causes}
    read_errors, goodness = statistics.read_errors(data), statistics.goodness(data)
    return [
        StateNumbers(
            number=k,
            gate_voltage=float(data["gate_voltage"][k]),
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


def _outcomes(device: CharacterisedDevice) -> Int[np.ndarray, "state device cycle"]:
    """How each event ended; one without a position was not run where the file says nothing else."""
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
