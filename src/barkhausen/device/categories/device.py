"""Devices whose states are categories, and whose writing depends on the category that they are in.

A device is in one of several categories, such as up, down and a skyrmion of either polarity; each reads as one of the
states, or as none of them. A pulse p takes it from category c to c' with the probability P(c'|c, p), which the file
gives as counts of simulated or measured events. The writer reads the category and applies the pulse that the policy
(``pulse_of``) names for it and the wanted state, again and again until the device is in that state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.device.categories.schema import KIND, NONE, validate_categories
from barkhausen.device.categories.transitions import Transitions
from barkhausen.device.characterised import CharacterisedDevice, Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.kinds import DEVICE_KINDS, DeviceKind
from barkhausen.device.statistics.shares import wilson

__all__ = ["NONE", "CategoricalDevice", "Categories", "Pulses"]

READ = "read"
"""Cause of energy of the reads, of which there is one before the first pulse and one after each."""


@dataclass(frozen=True)
class Categories:
    """The categories of a device.

    Args:
        names: Name of each category.
        states: State that each category is, −1 for one that is none.
        values: Value of the state coordinate that each category reads as.
        sigmas: Standard deviation of one read of each category in the unit of the state coordinate. Default: 0.
    """

    names: Sequence[str]
    states: Sequence[int]
    values: Sequence[float]
    sigmas: Sequence[float] | None = None


@dataclass(frozen=True)
class Pulses:
    """The pulses of a device, what each does, and when each is used.

    Args:
        names: Name of each pulse, or of each sequence of pulses that is applied without a read between.
        counts: Number of events by pulse, category before and category after.
        policy: Number of the pulse for each category and wanted state; −1 where none is needed.
        energies: Energy in J of each pulse, by cause.
        durations: Duration of each pulse in s. Default: not stated.
    """

    names: Sequence[str]
    counts: Int[np.ndarray, "pulse category category"]
    policy: Int[np.ndarray, "category state"]
    energies: Mapping[str, Float[np.ndarray, " pulse"]]
    durations: Sequence[float] | None = None


@dataclass(frozen=True, repr=False)
class CategoricalDevice(CharacterisedDevice):
    """One device whose states are categories.

    Args:
        data: Content of a device file of kind ``categories``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """

    def __post_init__(self) -> None:
        validate_categories(self.data)

    @classmethod
    def from_transitions(
        cls,
        categories: Categories,
        pulses: Pulses,
        *,
        technology: str,
        source: Source,
        coordinate: StateCoordinate,
        state_range: tuple[float, float],
        read_energy: float = 0.0,
        read_out: ReadOut | None = None,
        conductances: tuple[float, float] | None = None,
        causes: Mapping[str, str] | None = None,
        parameters: Parameters | None = None,
        assumed: Sequence[str] = (),
        extras: Sequence[xr.Dataset] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> CategoricalDevice:
        """Make a device from its categories and pulses.

        A state reads as the mean of its categories. The energy of an attempt to a state (``energy``), which tables
        show, is the mean over all other categories that are states; arrays count the pulses themselves.

        Args:
            categories: Categories.
            pulses: Pulses.
            technology: Name of the technology.
            source: Origin of the counts.
            coordinate: State coordinate.
            state_range: Smallest and greatest value that a state can have.
            read_energy: Energy in J of one read of the category.
            read_out: Voltage and duration of a read.
            conductances: Conductances in S at the two ends of the range. Default: the values are conductances.
            causes: Label of each cause of energy.
            parameters: Parameters of the device.
            assumed: Assumptions, a line each.
            extras: Optional variables.
            attributes: Further metadata, stored as JSON.

        Raises:
            InputError: Shapes do not match, or a value is impossible for a device.
        """
        of, values = np.asarray(categories.states), np.asarray(categories.values, np.float64)
        states = int(of.max()) + 1
        means = np.array([values[of == state].mean() if (of == state).any() else np.nan for state in range(states)])
        if not np.isfinite(means).all():
            raise InputError(f"categories: none is state {int(np.argmin(np.isfinite(means)))}")
        energies = _energies_of_attempts(of, pulses, read_energy, states)
        spread = np.array([values[of == state].std() for state in range(states)])
        device = CharacterisedDevice.from_states(
            means[:, None, None],
            technology=technology,
            coordinate=coordinate,
            state_range=state_range,
            source=source,
            conductances=conductances,
            read_out=read_out,
            energies=energies,
            causes={READ: "reads", **(causes or {})},
            moments=(means, np.zeros(states), spread),
            parameters=parameters,
            assumed=assumed,
            attributes=attributes,
        )
        data = device.data.assign(_variables(categories, pulses, list(energies), read_energy, coordinate))
        data = data.assign_coords(category=list(categories.names), pulse=list(pulses.names))
        data.attrs["kind"] = KIND
        for extra in extras:
            data = data.assign(extra.data_vars).assign_attrs(extra.attrs)
        return cls(data)

    @property
    def categories(self) -> list[str]:
        """Names of the categories."""
        return [str(name) for name in self.data["category"].values]

    @property
    def pulses(self) -> list[str]:
        """Names of the pulses."""
        return [str(name) for name in self.data["pulse"].values]

    @property
    def category_states(self) -> Int[np.ndarray, " category"]:
        """State that each category is; −1 for none."""
        return np.asarray(self.data["category_state"].values, np.int64)

    @property
    def category_weights(self) -> Float[np.ndarray, " category"]:
        """Weight that each category reads as."""
        return self.weight_of(self.data["category_value"].values)

    @property
    def category_spreads(self) -> Float[np.ndarray, " category"]:
        """Standard deviation of one read of each category in weight units."""
        if "category_sigma" not in self.data:
            return np.zeros(len(self.categories))
        mean = self.moments[0]
        return np.asarray(self.data["category_sigma"].values * (2.0 / (mean[-1] - mean[0])), np.float64)

    @property
    def counts(self) -> Int[np.ndarray, "pulse category category"]:
        """Number of events by pulse, category before and category after."""
        return np.asarray(self.data["transition_count"].transpose("pulse", "category", "next_category"), np.int64)

    @property
    def probabilities(self) -> Float[np.ndarray, "pulse category category"]:
        """P(after | before, pulse); a category that a pulse was never applied to stays as it is."""
        counts = self.counts
        total = counts.sum(-1, keepdims=True)
        return np.where(total > 0, counts / np.maximum(total, 1), np.eye(counts.shape[1]))

    @property
    def policy(self) -> Int[np.ndarray, "category state"]:
        """Number of the pulse for each category and wanted state; −1 where none is needed."""
        return np.asarray(self.data["pulse_of"].transpose("category", "state").values, np.int64)

    @property
    def pulse_energies(self) -> dict[str, Float[np.ndarray, " pulse"]]:
        """Energy in J of each pulse by cause, reads left out."""
        table = self.data["pulse_energy"].transpose("cause", "pulse").values.astype(np.float64)
        return dict(zip(self.energy_causes, table, strict=True))

    @property
    def read_energy(self) -> float:
        """Energy in J of one read of the category."""
        return float(self.data["read_energy"]) if "read_energy" in self.data else 0.0

    @cached_property
    def transitions(self) -> Transitions:
        """What pulses make of each category, as an array of synapses needs it."""
        energies = {cause: values for cause, values in self.pulse_energies.items() if cause != READ}
        return Transitions(
            self.probabilities,
            self.policy,
            self.category_states,
            self.category_weights,
            self.category_spreads,
            energies,
            {READ: self.read_energy},
        )

    def success(self, category: str, state: int) -> tuple[int, int]:
        """Events of the policy's pulse from a category to a state: those that ended in that state, and all.

        Raises:
            InputError: There is no such category.
        """
        if category not in self.categories:
            raise InputError(f"category = {category!r}: must be one of {', '.join(self.categories)}")
        row = self.categories.index(category)
        pulse = int(self.policy[row, state])
        if pulse == NONE:
            return 0, 0
        found = self.counts[pulse, row]
        return int(found[self.category_states == state].sum()), int(found.sum())

    def success_interval(self, category: str, state: int) -> tuple[float, float]:
        """95 % Wilson interval of the probability of :meth:`success`; 0 to 1 without events."""
        return wilson(*self.success(category, state))


def _energies_of_attempts(
    of: Int[np.ndarray, " category"], pulses: Pulses, read_energy: float, states: int
) -> dict[str, Float[np.ndarray, " state"]]:
    """Energy of one attempt to each state by cause, mean over the categories of the other states."""
    policy = np.asarray(pulses.policy)
    energies: dict[str, np.ndarray] = {}
    for cause, values in pulses.energies.items():
        if cause == READ:
            raise InputError(f"pulses.energies: {READ!r} is the energy of a read; give read_energy")
        energy = np.asarray(values, np.float64)
        rows = [
            [energy[p] for p in policy[(of != state) & (of != NONE), state] if p != NONE] for state in range(states)
        ]
        energies[cause] = np.array([np.mean(row) if row else 0.0 for row in rows])
    return {**energies, READ: np.full(states, read_energy)}


def _variables(
    categories: Categories, pulses: Pulses, causes: Sequence[str], read_energy: float, coordinate: StateCoordinate
) -> dict[str, Any]:
    zero = np.zeros(len(pulses.names))
    sigmas = np.zeros(len(categories.names)) if categories.sigmas is None else np.asarray(categories.sigmas, np.float64)
    found: dict[str, Any] = {
        "category_state": ("category", np.asarray(categories.states, np.int16), {"long_name": "state of the category"}),
        "category_value": (
            "category",
            np.asarray(categories.values, np.float64),
            {"units": coordinate.unit, "long_name": "value that the category reads as"},
        ),
        "category_sigma": (
            "category",
            sigmas,
            {"units": coordinate.unit, "long_name": "standard deviation of one read"},
        ),
        "transition_count": (
            ("pulse", "category", "next_category"),
            np.asarray(pulses.counts, np.int64),
            {"long_name": "events by category before and after the pulse"},
        ),
        "pulse_of": (
            ("category", "state"),
            np.asarray(pulses.policy, np.int16),
            {"long_name": "pulse for a category and a wanted state"},
        ),
        "pulse_energy": (
            ("cause", "pulse"),
            np.array([pulses.energies.get(cause, zero) for cause in causes], np.float64),
            {"units": "J", "long_name": "energy of one pulse"},
        ),
        "read_energy": ((), np.float64(read_energy), {"units": "J", "long_name": "energy of one read"}),
    }
    if pulses.durations is not None:
        found["pulse_duration"] = ("pulse", np.asarray(pulses.durations, np.float64), {"units": "s"})
    return found


DEVICE_KINDS.register(
    KIND,
    DeviceKind(
        KIND, "a device whose states are categories, written by pulses that depend on them", CategoricalDevice, True
    ),
)
