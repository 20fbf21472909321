"""The devices of a multi-objective search: any number of a device file may vary, and the device at each point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator
from scipy.stats import qmc

from barkhausen.core.config import Parameters, Positive, Real, flat, validated
from barkhausen.core.dotted import put
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import both_checked_as, implausible, too_much_for_a_gate
from barkhausen.device.domain_wall.design.space import ROOM, Variable
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Notch

Bounds = tuple[Real, Real] | tuple[Real, Real, Positive]
"""Smallest and largest value of a variable, and the step between its values if it has one."""

NOTCH_DEPTH, NOTCH_HALF_LENGTH = "notch_depth", "notch_half_length"
"""Variables that are no keys of a device: depth of each notch over the width of the track; half the length in m."""

THICKNESS = "track.thickness"
"""The thickness of the film, with which constants by its interfaces change."""


class Varied(NamedTuple):
    """A quantity that a search may vary."""

    unit: str
    usual: Bounds
    """Its range unless a file gives another."""
    quantity: str
    """What it is, in :data:`~barkhausen.core.plausible.QUANTITIES`; empty for a ratio below 1/2."""


VARIABLES: dict[str, Varied] = {
    "protocol.program.current_density": Varied("A/m2", (3e11, 1.1e12), "current density"),
    "protocol.program.width": Varied("s", (2e-9, 6e-9), "pulse duration"),
    "protocol.reset.current_density": Varied("A/m2", (3e11, 1.2e12), "current density"),
    "protocol.reset.width": Varied("s", (2e-9, 6e-9), "pulse duration"),
    NOTCH_DEPTH: Varied("", (0.12, 0.36), ""),
    NOTCH_HALF_LENGTH: Varied("m", (12e-9, 24e-9), "length"),
    "track.length": Varied("m", (240e-9, 480e-9, 40e-9), "track length"),
    "track.width": Varied("m", (48e-9, 96e-9, 16e-9), "width"),
    "track.thickness": Varied("m", (1e-9, 3e-9, 0.5e-9), "film thickness"),
    "track.heavy_metal_thickness": Varied("m", (3e-9, 6e-9), "film thickness"),
    "material.anisotropy": Varied("J/m3", (0.82e6, 0.9e6), "anisotropy"),
    "shape.end_stops.length": Varied("m", (20e-9, 60e-9), "length"),
}
"""Quantities that a search may vary, by key."""

ALWAYS = tuple(VARIABLES)[:6]
"""Quantities that every search varies: both pulses, depths and length of the notches."""


BEYOND = 10.0
"""Ratio of an end of the scanned voltages to what the gate stands, from which on it is taken for a mistake."""

STRENGTHS = (0.25, 1.15)
"""Least and greatest factor on depths and currents of the copies of a known device."""


class VoltageScan(Parameters):
    """Gate voltages that are tried on each candidate, of which the search takes one for each state."""

    range: Annotated[tuple[Real, Real], both_checked_as("gate voltage")] = (-1.1, 1.2)
    """Lowest and highest voltage in V."""
    levels: Annotated[int, Field(ge=2, le=256)] = 14
    """Number of voltages, evenly spaced."""
    least_anisotropy: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e5
    """Least effective anisotropy Ku − mu0 Ms²/2 in J/m³ that a voltage may leave; below some 1e5, resets multiply
    walls. The range of a candidate ends there."""
    cycles: Annotated[int, Field(ge=1, le=256)] = 1
    """Number of events of each device at each voltage in the confirmation, which scans the voltages anew."""

    @model_validator(mode="after")
    def _in_order(self) -> VoltageScan:
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range = [{self.range[0]:g}, {self.range[1]:g}]: must rise")
        return self


@dataclass(frozen=True)
class FrontSpace:
    """All devices of a search, with one notch for each state.

    Args:
        base: Fixed parameters of the devices.
        states: Number of states.
        bounds: Range of each quantity that varies, by its key.
        scan: Gate voltages that are tried.

    Raises:
        InputError: An unknown quantity, or a range that is none.
    """

    base: DeviceParameters
    states: int
    bounds: Mapping[str, Bounds]
    scan: VoltageScan

    @cached_property
    def ranges(self) -> dict[str, Bounds]:
        """Range of each quantity that varies, with the defaults of those that always do."""
        return {key: VARIABLES[key].usual for key in ALWAYS} | dict(self.bounds)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Variables in the order of a vector's entries."""
        found = []
        for key, bounds in self.ranges.items():
            names = [f"{key}_{k}" for k in range(self.states)] if key == NOTCH_DEPTH else [key]
            found += [Variable(name, bounds[0], bounds[1], VARIABLES[key].unit) for name in names]
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables."""
        return tuple(variable.name for variable in self.variables)

    def first_generation(
        self, population: int, seed: int, starts: Sequence[DeviceParameters] = ()
    ) -> Float[np.ndarray, "point variable"]:
        """Points that fill the space evenly (Sobol), with depths that rise along the track, as shares of the ranges.

        Known devices take the place of half of the points: each as it is, and weaker and stronger copies with depths
        and currents times the same factor (:data:`STRENGTHS`), which keeps the ratio of drive and pinning.

        Args:
            population: Number of points, a power of two.
            seed: Seed of the scrambling.
            starts: Known devices, of any number of notches.
        """
        shares = qmc.Sobol(len(self.variables), seed=np.random.default_rng(seed)).random(population)
        depths = [k for k, name in enumerate(self.names) if name.startswith(f"{NOTCH_DEPTH}_")]
        shares[:, depths] = np.sort(shares[:, depths], axis=1)
        copies = (population // 2) // max(1, len(starts))
        factors = [1.0, *np.linspace(*STRENGTHS, max(0, copies - 1)).tolist()][:copies]
        known = [self.shares_of(device, factor) for device in starts for factor in factors]
        shares[: len(known)] = known or shares[:0]
        return np.asarray(shares)

    def shares_of(self, device: DeviceParameters, strength: float = 1.0) -> list[float]:
        """Shares of the ranges at which a device lies, or of the nearest point inside.

        Args:
            device: Any device with notches. With another number of notches their depths are interpolated.
            strength: Factor on its depths and currents.

        Raises:
            InputError: It has no notches.
        """
        notches = device.shape.notches
        if not notches:
            raise InputError("device.shape.notches: a search cannot begin with a device without notches")
        values = flat(device.model_dump(mode="json"))
        along = np.linspace(0, 1, self.states)
        depths = np.interp(along, np.linspace(0, 1, len(notches)), [notch.depth for notch in notches])
        found = []
        for variable in self.variables:
            if variable.name.startswith(f"{NOTCH_DEPTH}_"):
                state = int(variable.name.removeprefix(f"{NOTCH_DEPTH}_"))
                value = strength * float(depths[state]) / device.track.width
            elif variable.name == NOTCH_HALF_LENGTH:
                value = notches[0].half_length
            else:
                value = abs(float(values[variable.name]))
                value *= strength if variable.name.endswith("current_density") else 1.0
            span = variable.high - variable.low
            share = (value - variable.low) / span if span > 0 else 0.0
            bounds = self._bounds_of(variable.name)
            if len(bounds) == 3:
                steps = math.floor(span / bounds[2] + 1e-6)
                share = (round(share * span / bounds[2]) + 0.5) / (steps + 1)
            found.append(min(max(share, 0.0), 1.0))
        return found

    def _bounds_of(self, name: str) -> Bounds:
        return self.ranges[NOTCH_DEPTH if name.startswith(f"{NOTCH_DEPTH}_") else name]

    def point(self, shares: Sequence[float]) -> tuple[float, ...]:
        """The point at these shares of the ranges, on the nearest step of a variable that has steps."""
        found = []
        for variable, share in zip(self.variables, shares, strict=True):
            bounds, span = self._bounds_of(variable.name), variable.high - variable.low
            if len(bounds) == 3:
                steps = math.floor(span / bounds[2] + 1e-6)
                found.append(variable.low + bounds[2] * min(steps, math.floor(share * (steps + 1))))
            else:
                found.append(variable.low + share * span)
        return tuple(found)

    def decode(self, vector: Sequence[float]) -> DeviceParameters:
        """The device at a point, with all voltages of the scan in the order in which walls go farther.

        The reset pulse has the last of these voltages, at which Ku is lowest and the wall moves most easily.

        Raises:
            InputError: The device is impossible.
        """
        value = dict(zip(self.names, map(float, vector), strict=True))
        values: dict[str, Any] = self.base.model_dump(mode="json", exclude_unset=True)
        for key in self.ranges:
            if key not in (NOTCH_DEPTH, NOTCH_HALF_LENGTH, THICKNESS):
                put(values, key, value[key])
        if "material.anisotropy" in self.ranges:
            values["material"]["source"] = f"{self.base.material.source}; anisotropy by the search".removeprefix("; ")
        device = validated(DeviceParameters, values, "search.variables")
        if THICKNESS in self.ranges:
            device = device.with_thickness(value[THICKNESS])
        shape = device.shape.model_copy(update={"notches": self._notches(device, value)})
        voltages = self.voltages(device)
        protocol = device.protocol.model_copy(update={"gate_voltages": voltages, "reset_voltage": voltages[-1]})
        return device.model_copy(update={"shape": shape, "protocol": protocol})

    def voltages(self, device: DeviceParameters) -> tuple[float, ...]:
        """Voltages of the scan of a device that its gate stands, in the order of falling Ku.

        Raises:
            InputError: The range is far beyond what the gate stands, or no voltage of it leaves the least anisotropy.
        """
        per_volt = device.gate.on(device.track).anisotropy_per_volt
        largest = device.gate.largest_voltage(device.track) or math.inf
        for end in self.scan.range:
            # More than the gate stands is left out, but ten times that is another unit.
            if abs(end) > BEYOND * largest:
                raise InputError(f"search.scan.range: {too_much_for_a_gate(end, largest)}")
        low, high = (min(max(end, -largest), largest) for end in self.scan.range)
        if per_volt == 0:
            raise InputError("device.gate: does not change the anisotropy, so that no voltage can choose a state")
        bound = (self.scan.least_anisotropy - device.material.effective_anisotropy) / per_volt
        ends = (low, min(high, bound)) if per_volt < 0 else (high, max(low, bound))
        if (ends[1] - ends[0]) * per_volt >= 0:
            raise InputError(
                f"search.scan.least_anisotropy = {self.scan.least_anisotropy:g}: no voltage from {low:g} V to "
                f"{high:g} V leaves it (without voltage Keff = {device.material.effective_anisotropy:.4g} J/m3)"
            )
        return tuple(float(v) for v in np.linspace(*ends, self.scan.levels))

    def _notches(self, device: DeviceParameters, value: Mapping[str, float]) -> tuple[Notch, ...]:
        """Evenly spaced notches, the last one next to the end stop."""
        track, stop, half = device.track, device.shape.end_stops.length, value[NOTCH_HALF_LENGTH]
        left, right = stop, track.length - stop
        longest = (right - left) / (2 * self.states + 1)
        if not half <= longest:
            raise InputError(
                f"{NOTCH_HALF_LENGTH} = {half:g}: {self.states} notches fit between the end stops up to {longest:.4g} m"
            )
        depths = [value[f"{NOTCH_DEPTH}_{k}"] * track.width for k in range(self.states)]
        neck = track.width * min(1.0, 1.0 + device.shape.taper) - ROOM * device.shape.roughness.rms
        if not 2 * max(depths) < neck:
            raise InputError(
                f"{NOTCH_DEPTH} = {max(depths) / track.width:.3g}: two opposite notches cut the track of "
                f"{track.width:g} m in two"
            )
        pitch = (right - half - left) / self.states
        return tuple(
            Notch(position=left + (k + 1) * pitch, depth=depth, half_length=half) for k, depth in enumerate(depths)
        )


def checked_bounds(given: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """The same ranges.

    Raises:
        ValueError: An unknown quantity, or a range whose ends or step are wrong.
    """
    for key, bounds in given.items():
        if key not in VARIABLES:
            raise ValueError(f"{key}: is no quantity that a search varies; those are {', '.join(VARIABLES)}")
        shown = ", ".join(f"{value:g}" for value in bounds)
        if not bounds[0] <= bounds[1]:
            raise ValueError(f"{key} = [{shown}]: the first number must not be greater than the second")
        if not bounds[0] > 0:
            raise ValueError(f"{key} = [{shown}]: must be positive")
        quantity = VARIABLES[key].quantity
        lines = [implausible(quantity, bound) for bound in bounds if quantity]
        if line := next((line for line in lines if line), None):
            raise ValueError(f"{key} = [{shown}]: {line}")
        if not quantity and not 1e-3 <= bounds[0] <= bounds[1] < 0.5:
            raise ValueError(f"{key} = [{shown}]: is a share of the width of the track, from 0.001 to below 0.5")
        if len(bounds) == 3 and bounds[0] + bounds[2] > bounds[1] * (1 + 1e-9):
            raise ValueError(f"{key} = [{shown}]: the step is longer than the range")
    return dict(given)


def dotted_bounds(given: Any) -> Any:
    """Ranges by dotted key, from TOML in which a dot without quotes makes a table of its own."""
    return flat(given) if isinstance(given, dict) else given
