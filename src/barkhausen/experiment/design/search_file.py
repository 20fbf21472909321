"""The search file of ``barkhausen design``: the part of a device that is fixed, what is searched, and how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import Field, field_validator

from barkhausen.core.config import Parameters, apply_setting, read_toml, validated
from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design import FAMILIES, DesignSpace, Family, Ranges, Weights
from barkhausen.device.domain_wall.parameters import DeviceParameters

SEARCHED = (
    "shape.notches",
    "shape.anisotropy_gradient",
    "protocol.program",
    "protocol.reset",
    "protocol.gate_voltages",
    "protocol.reset_voltage",
)
"""Keys of a device that the search sets, and that ``[device]`` therefore may not."""

EXTENSIBLE = ("search.families", "search.generations", "search.confirm")
"""Keys that may differ when a search is gone on with: they say how far it goes, not what a candidate costs."""


class SearchSettings(Parameters):
    """What is searched, and how thoroughly."""

    states: Annotated[int, Field(ge=2, le=64)] = 5
    families: Annotated[tuple[Family, ...], Field(min_length=1)] = FAMILIES
    """Kinds of devices, each searched by itself."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the search, and of edges and noise in it."""
    generations: Annotated[int, Field(ge=0, le=10_000)] = 15
    """After the first one."""
    population: Annotated[int, Field(ge=8, le=4096)] = 32
    """Candidates in each generation of a family, a power of two."""
    devices: Annotated[int, Field(ge=1, le=4096)] = 24
    """Devices of each candidate; the confirmation has as many."""
    cycles: Annotated[int, Field(ge=1, le=4096)] = 1
    """Programming events of each device in each state."""
    confirm: Annotated[int, Field(ge=0, le=64)] = 2
    """Designs that are simulated micromagnetically."""
    ranges: Ranges = Ranges()
    weights: Weights = Weights()
    compact: CompactParameters = CompactParameters()
    """Of the compact model."""
    calibrate: bool = False
    """Fit the compact model to the device's material first; what ``compact`` says is then not used."""

    @field_validator("population")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"{value}: must be a power of two, which is what Sobol points fill a space evenly with")
        return value

    @field_validator("families")
    @classmethod
    def _each_once(cls, value: tuple[Family, ...]) -> tuple[Family, ...]:
        return tuple(dict.fromkeys(value))


class SearchRecipe(Parameters):
    """A search file."""

    device: DeviceParameters = DeviceParameters()
    """The part that is fixed."""
    search: SearchSettings = SearchSettings()

    def space(self, family: Family) -> DesignSpace:
        """The devices of a family.

        Raises:
            InputError: ranges that no device of the family can have.
        """
        return DesignSpace(self.device, self.search.states, family, self.search.ranges)

    def to_toml(self) -> str:
        """The resolved file, every default written out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def load_search(path: Path, settings: Sequence[str] = ()) -> SearchRecipe:
    """Read a search file and apply ``key=value`` settings to it.

    Args:
        path: the TOML file, with the tables ``device`` and ``search``.
        settings: such as ``search.states=3`` or ``device.track.width=48e-9``.

    Raises:
        InputError: the file cannot be read, or a key or value is unknown or wrong.
    """
    values = read_toml(path)
    for setting in settings:
        apply_setting(values, setting)
    for key in SEARCHED:
        if _holds(values.get("device"), key):
            raise InputError(f"{path}: device.{key}: is what the search finds; leave it out")
    recipe = validated(SearchRecipe, values, str(path))
    for family in recipe.search.families:
        recipe.space(family)
    return recipe


def _holds(values: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True
