"""Design spaces: the variables of each family of devices with their bounds, and the device at each point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, get_args

import numpy as np
from jaxtyping import Float
from pydantic import field_validator
from scipy.stats import qmc

from barkhausen.core.config import Parameters, Real, validated
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import both_checked_as
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.protocol import Pulse
from barkhausen.micromagnetics import Material, Notch

Family = Literal["rough", "equal-notches", "graded-notches", "gradient"]
"""Families: rough edges only; notches of equal depth; notches of different depths; equal notches in an anisotropy
gradient."""

FAMILIES: tuple[Family, ...] = get_args(Family)

ROOM = 4.0
"""Smallest width of the track at notches, in standard deviations of one edge."""

Range = tuple[Real, Real]


class Ranges(Parameters):
    """Smallest and largest value of each quantity of a search in SI units; equal values fix it."""

    gate_voltage: Annotated[Range, both_checked_as("gate voltage")] = (-1.05, 1.05)
    """Gate voltage of each state in V."""
    current_density: Annotated[Range, both_checked_as("current density")] = (2.5e11, 4.0e11)
    """Current density of the programming pulse in A/m²."""
    pulse_width: Annotated[Range, both_checked_as("pulse duration")] = (3.5e-9, 5.0e-9)
    """Duration of the plateau of both pulses in s."""
    notch_depth: Annotated[Range, both_checked_as("length")] = (8e-9, 26e-9)
    """Depth of a notch on each side in m."""
    notch_half_length: Annotated[Range, both_checked_as("length")] = (16e-9, 21.5e-9)
    """Half the length of a notch in m."""
    anisotropy_gradient: Annotated[Range, both_checked_as("anisotropy gradient")] = (-2e11, 2e11)
    """dKu/dx in J/m⁴; in the middle of the track, Ku is that of the material."""
    reset_factor: Range = (1.0, 1.5)
    """Ratio of the current of the reset pulse to that of the programming pulse."""

    @field_validator("*")
    @classmethod
    def _in_order(cls, value: Range) -> Range:
        if value[0] > value[1]:
            raise ValueError(f"[{value[0]:g}, {value[1]:g}]: the first number must not be greater than the second")
        return value

    @field_validator("current_density", "pulse_width", "notch_depth", "notch_half_length", "reset_factor")
    @classmethod
    def _positive(cls, value: Range) -> Range:
        if value[0] <= 0:
            raise ValueError(f"[{value[0]:g}, {value[1]:g}]: must be positive")
        return value


@dataclass(frozen=True)
class Variable:
    """One coordinate of a design space: its name, bounds, and unit."""

    name: str
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class DesignSpace:
    """The devices of one family.

    Args:
        base: Fixed parameters of the devices.
        states: Number of states.
        family: Family of devices.
        ranges: Ranges of the variables.

    Raises:
        InputError: Notches do not fit on the track, or the gate has no effect.
    """

    base: DeviceParameters
    states: int
    family: Family
    ranges: Ranges

    def __post_init__(self) -> None:
        base, ranges = self.base, self.ranges
        if base.gate.on(base.track).anisotropy_per_volt == 0:
            raise InputError("device.gate: does not change the anisotropy, so that no voltage can choose a state")
        left, right = self.between_stops
        if not right > left:
            raise InputError(
                f"device.shape.end_stops.length = {base.shape.end_stops.length:g}: two of them leave nothing of a "
                f"track of {base.track.length:g} m"
            )
        if not self.notched:
            return
        longest = (right - left) / (2 * self.states + 1)
        if ranges.notch_half_length[1] > longest:
            raise InputError(
                f"search.ranges.notch_half_length = {ranges.notch_half_length[1]:g}: {self.states} notches fit between "
                f"the end stops up to {longest:.4g} m"
            )
        neck = base.track.width * min(1.0, 1.0 + base.shape.taper) - ROOM * base.shape.roughness.rms
        if 2 * ranges.notch_depth[1] >= neck:
            raise InputError(
                f"search.ranges.notch_depth = {ranges.notch_depth[1]:g}: must be less than {neck / 2:.4g} m, or two "
                "opposite notches cut the track in two"
            )

    @property
    def notched(self) -> bool:
        """Whether there are notches."""
        return self.family != "rough"

    @property
    def between_stops(self) -> tuple[float, float]:
        """Ends in m of the part of the track between the end stops."""
        stop = self.base.shape.end_stops.length
        return stop, self.base.track.length - stop

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Variables in the order of a vector's entries."""
        r = self.ranges
        found = [Variable(f"gate_voltage_{k}", *r.gate_voltage, "V") for k in range(self.states)]
        found += [
            Variable("current_density", *r.current_density, "A/m2"),
            Variable("pulse_width", *r.pulse_width, "s"),
            Variable("reset_factor", *r.reset_factor, ""),
        ]
        if self.family == "graded-notches":
            # The last notch has the mean depth, since the end stop behind it holds the wall anyway.
            found += [Variable(f"notch_depth_{k}", *r.notch_depth, "m") for k in range(self.states - 1)]
        elif self.notched:
            found.append(Variable("notch_depth", *r.notch_depth, "m"))
        if self.notched:
            found.append(Variable("notch_half_length", *r.notch_half_length, "m"))
        if self.family == "gradient":
            found.append(Variable("anisotropy_gradient", *r.anisotropy_gradient, "J/m4"))
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables."""
        return tuple(variable.name for variable in self.variables)

    @property
    def bounds(self) -> Float[np.ndarray, "variable 2"]:
        """Smallest and largest value of each variable."""
        return np.array([(variable.low, variable.high) for variable in self.variables])

    def first_generation(self, population: int, seed: int) -> Float[np.ndarray, "candidate variable"]:
        """Points that fill the space evenly (Sobol), with voltages and depths in the order of the states.

        Only the initial points are ordered: a permutation of the voltages gives the same device, but points between two
        permutations do not.

        Args:
            population: Number of points, a power of two.
            seed: Seed of the scrambling.
        """
        bounds = self.bounds
        shares = qmc.Sobol(len(bounds), seed=np.random.default_rng(seed)).random(population)
        points = bounds[:, 0] + shares * (bounds[:, 1] - bounds[:, 0])
        depths = [k for k, name in enumerate(self.names) if name.startswith("notch_depth_")]
        points[:, depths] = np.sort(points[:, depths], axis=1)
        return np.array([self.in_order(point) for point in points])

    def in_order(self, vector: Sequence[float] | Float[np.ndarray, " variable"]) -> Float[np.ndarray, " variable"]:
        """The same device with its voltages in order of increasing distance of the wall (decreasing Ku).

        Raises:
            InputError: The number of values differs from the number of variables.
        """
        if len(vector) != len(self.variables):
            raise InputError(f"a {self.family} design has {len(self.variables)} variables, not {len(vector)}")
        ordered = np.array(vector, dtype=np.float64)
        rising = np.sort(ordered[: self.states])
        falls = self.base.gate.on(self.base.track).anisotropy_per_volt > 0
        ordered[: self.states] = rising[::-1] if falls else rising
        return ordered

    def decode(self, vector: Sequence[float] | Float[np.ndarray, " variable"]) -> DeviceParameters:
        """The device at a point; the order of its voltages does not matter.

        The reset pulse uses the voltage of the last state, at which Ku is lowest and the wall moves most easily.

        Raises:
            InputError: The number of values differs from the number of variables, or a pulse is impossible.
        """
        value = {name: float(entry) for name, entry in zip(self.names, self.in_order(vector), strict=True)}
        voltages = tuple(value[f"gate_voltage_{k}"] for k in range(self.states))
        current, width = value["current_density"], value["pulse_width"]

        def pulse(density: float) -> Pulse:
            return validated(Pulse, {"current_density": density, "width": width}, "search.ranges")

        protocol = self.base.protocol.model_copy(
            update={
                "program": pulse(current),
                "reset": pulse(value["reset_factor"] * current),
                "gate_voltages": voltages,
                "reset_voltage": voltages[-1],
            }
        )
        shape = self.base.shape.model_copy(
            update={
                "notches": self._notches(value) if self.notched else (),
                "anisotropy_gradient": value.get("anisotropy_gradient", 0.0),
            }
        )
        return self.base.model_copy(
            update={"protocol": protocol, "shape": shape, "material": self._material(shape.anisotropy_gradient)}
        )

    def _notches(self, value: dict[str, float]) -> tuple[Notch, ...]:
        """Evenly spaced notches, the last one next to the end stop."""
        half, (left, right) = value["notch_half_length"], self.between_stops
        pitch = (right - half - left) / self.states
        middling = 0.5 * sum(self.ranges.notch_depth)
        return tuple(
            Notch(
                position=left + (k + 1) * pitch,
                depth=value.get("notch_depth", value.get(f"notch_depth_{k}", middling)),
                half_length=half,
            )
            for k in range(self.states)
        )

    def _material(self, gradient: float) -> Material:
        material = self.base.material
        if gradient == 0:
            return material
        at_left_end = material.anisotropy - 0.5 * gradient * self.base.track.length
        source = f"{material.source}; anisotropy is that at the left end of a gradient".removeprefix("; ")
        return material.model_copy(update={"anisotropy": at_left_end, "source": source})
