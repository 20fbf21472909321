"""The search file of ``barkhausen design``: the fixed part of a device, and the extent of the search."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from barkhausen.core.config import Parameters, Positive, apply_setting, read_toml, source_of, validated
from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import SEARCH, refuse_other_kind
from barkhausen.core.files.recipes import recipe_file
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design import FAMILIES, DesignSpace, Family, Ranges, Weights
from barkhausen.device.domain_wall.design.front import Bounds, FrontSpace, Limits, Objective, VoltageScan
from barkhausen.device.domain_wall.design.front.space import checked_bounds, dotted_bounds
from barkhausen.device.domain_wall.parameters import DeviceParameters

SEARCHED = (
    "shape.notches",
    "shape.anisotropy_gradient",
    "protocol.program",
    "protocol.reset",
    "protocol.gate_voltages",
    "protocol.reset_voltage",
)
"""Keys of a device that the search sets, which ``[device]`` must not contain."""

EXTENSIBLE = (
    "search.families", "search.generations", "search.confirm",
    "device.characterisation.devices", "device.characterisation.cycles",
)  # fmt: skip
"""Keys that may differ when a search is resumed, since they do not change the cost of a candidate."""


ONE_COST = ("families", "ranges", "weights")
"""Keys of a search for the least cost, which a search for a front does not know."""

SEVERAL = (
    "variables",
    "scan",
    "objectives",
    "limits",
    "compact_limits",
    "enough",
    "kept_at",
    "barrier_factor",
    "scanned",
)
"""Keys of a search for a front, which a search for the least cost does not know."""


class SearchSettings(Parameters):
    """Extent of the search."""

    mode: Literal["cost", "constrained", "pareto"] = "cost"
    """What is searched: the least cost (a weighted sum), the least first objective under limits, or the front of all
    objectives under limits."""
    states: Annotated[int, Field(ge=2, le=64)] = 5
    families: Annotated[tuple[Family, ...], Field(min_length=1)] = FAMILIES
    """Families of devices, each searched separately."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the search, and of its edges and noise."""
    generations: Annotated[int, Field(ge=0, le=10_000)] = 15
    """Number of generations after the first one."""
    population: Annotated[int, Field(ge=8, le=4096)] = 32
    """Number of candidates in each generation of a family, a power of two."""
    devices: Annotated[int, Field(ge=1, le=4096)] = 24
    """Number of devices of each candidate, also in the confirmation; that of a front has those of
    ``device.characterisation``."""
    cycles: Annotated[int, Field(ge=1, le=4096)] = 1
    """Number of programming events of each device in each state."""
    confirm: Annotated[int, Field(ge=0, le=64)] = 2
    """Number of designs that are simulated micromagnetically."""
    ranges: Ranges = Ranges()
    weights: Weights = Weights()
    compact: CompactParameters = CompactParameters()
    """Parameters of the compact model."""
    calibrate: bool = False
    """Whether to calibrate the compact model on the material of the device first. ``compact`` is then not used."""

    variables: Annotated[dict[str, Bounds], BeforeValidator(dotted_bounds), AfterValidator(checked_bounds)] = Field(
        default_factory=dict
    )
    """Quantities that a search for a front varies, and their ranges."""
    scan: VoltageScan = VoltageScan()
    """Gate voltages from which those of the states are chosen."""
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3)] = ("energy", "retention")
    """Objectives, of which mode ``constrained`` takes the first."""
    limits: Limits = Limits()
    """Constraints."""
    compact_limits: Limits | None = None
    """Constraints in the compact model, if others than in micromagnetics; ``limits`` are then those of the
    confirmation alone."""
    enough: Positive = 1e30
    """Retention in s beyond which more is no gain."""
    kept_at: Annotated[float, Field(gt=0, le=2000)] | None = None
    """Temperature in K at which states are to be kept. Default: that of the characterisation."""
    barrier_factor: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Factor on the barriers of the compact model, whose walls may tilt."""
    scanned: Annotated[int, Field(ge=1, le=256)] = 4
    """Number of devices on which the confirmation scans the gate voltages and finds paths of least energy."""

    @model_validator(mode="after")
    def _keys_of_the_mode(self) -> SearchSettings:
        for name in SEVERAL if self.mode == "cost" else ONE_COST:
            default = type(self).model_fields[name].get_default(call_default_factory=True)
            if name in self.model_fields_set and getattr(self, name) != default:
                raise ValueError(f"{name}: means nothing with mode = {self.mode!r}")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives = {list(self.objectives)}: names one of them twice")
        return self

    @property
    def sought(self) -> tuple[Objective, ...]:
        """Objectives of the mode."""
        return self.objectives[:1] if self.mode == "constrained" else self.objectives

    @property
    def limits_of_search(self) -> Limits:
        """Constraints in the compact model."""
        return self.limits if self.compact_limits is None else self.compact_limits

    @field_validator("population")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"must be a power of two for Sobol points, got {value}")
        return value

    @field_validator("families")
    @classmethod
    def _each_once(cls, value: tuple[Family, ...]) -> tuple[Family, ...]:
        return tuple(dict.fromkeys(value))


class SearchRecipe(Parameters):
    """A search file."""

    device: DeviceParameters = DeviceParameters()
    """The fixed part of the device."""
    search: SearchSettings = SearchSettings()

    def space(self, family: Family) -> DesignSpace:
        """Design space of a family.

        Raises:
            InputError: The ranges are impossible for devices of the family.
        """
        return DesignSpace(self.device, self.search.states, family, self.search.ranges)

    @property
    def kept_at(self) -> float:
        """Temperature in K at which states are to be kept."""
        own = self.search.kept_at
        return self.device.characterisation.temperature if own is None else own

    def front_space(self) -> FrontSpace:
        """All devices of a search for a front.

        Raises:
            InputError: None of the voltages leaves the device perpendicular.
        """
        settings = self.search
        if self.kept_at == 0:
            raise InputError("search.kept_at: give the temperature at which states are to be kept; events are at 0 K")
        space = FrontSpace(self.device, settings.states, settings.variables, settings.scan)
        if "material.anisotropy" not in settings.variables:
            space.voltages(self.device)
        limited = any(limits.temperature_rise is not None for limits in (settings.limits, settings.limits_of_search))
        if self.device.heat is None and (limited or "temperature_rise" in settings.sought):
            raise InputError("search: temperature_rise needs the table device.heat, which says where the heat goes")
        if settings.scan.levels < settings.states:
            raise InputError(
                f"search.scan.levels = {settings.scan.levels}: must be at least the number of states, {settings.states}"
            )
        return space

    def resolved(self) -> dict[str, Any]:
        """The resolved file as nested tables: all defaults, and none of the keys that the search sets or does not
        know."""
        values = _without_searched(self.model_dump(mode="json", exclude_none=True))
        for name in SEVERAL if self.search.mode == "cost" else ONE_COST:
            values["search"].pop(name, None)
        return values

    def to_toml(self) -> str:
        """The resolved file, with all defaults written out."""
        return tomli_w.dumps(self.resolved())


def load_search(path: str | Path, settings: Sequence[str] = ()) -> SearchRecipe:
    """Read a search file and apply ``key=value`` settings to it.

    Args:
        path: TOML file, or name of a search file of the package, with the tables ``device`` and ``search``.
        settings: Assignments ``key=value`` that replace values of the file, such as ``search.states=3`` or
            ``device.track.width=48e-9``.

    Raises:
        InputError: The file cannot be read, or a key or value is unknown or wrong.
    """
    path = recipe_file(path)
    values = read_toml(path)
    refuse_other_kind(values, SEARCH, path)
    for setting in settings:
        apply_setting(values, setting)
    for key in _set_by_search(values):
        if _holds(values.get("device"), key):
            raise InputError(
                f"{source_of(f'device.{key}', str(path), settings)}: device.{key}: is set by the search; leave it out"
            )
    return _checked(values, path, settings)


def held_search(path: str | Path) -> SearchRecipe:
    """Read the search file in the directory of a search. Those of version 0.2.0 also hold keys that the search sets.

    Raises:
        InputError: The file cannot be read, or a key or value is unknown or wrong.
    """
    return _checked(_without_searched(read_toml(path)), path)


def _checked(values: dict[str, Any], path: str | Path, settings: Sequence[str] = ()) -> SearchRecipe:
    recipe = validated(SearchRecipe, values, str(path), settings)
    if recipe.search.mode != "cost":
        recipe.front_space()
        return recipe
    for family in recipe.search.families:
        recipe.space(family)
    return recipe


def _holds(values: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def _set_by_search(values: dict[str, Any]) -> tuple[str, ...]:
    """Keys of the device that a search of this file sets; one for a front begins with the whole device instead."""
    search = values.get("search")
    mode = search.get("mode", "cost") if isinstance(search, dict) else "cost"
    return SEARCHED if mode == "cost" else ()


def _without_searched(values: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(values)
    for key in _set_by_search(values):
        if _holds(kept.get("device"), key):
            table, name = key.split(".")
            del kept["device"][table][name]
    return kept
