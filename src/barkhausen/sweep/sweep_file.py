"""The sweep file (TOML): a base recipe, settings on top of it, and the search over settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import ConfigDict, Field, field_serializer, field_validator, model_validator

from barkhausen.core.config import Count, StrictParameters, Threads, apply_setting, flat, read_toml, validated
from barkhausen.core.errors import InputError, shortened
from barkhausen.core.files.kinds import SWEEP, refuse_other_kind
from barkhausen.core.files.recipes import recipe_file
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.recipe import Recipe

Points = tuple[dict[str, Any], ...]

MOST_SAMPLES = 1_000_000


class _Table(StrictParameters):
    model_config = ConfigDict(allow_inf_nan=False)


class Range(_Table):
    """An axis of numbers from ``low`` to ``high``, both included."""

    low: int | float
    high: int | float
    log: bool = False
    """Spread evenly on a logarithmic scale."""
    integer: bool = False
    """Whole numbers only."""

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and not self.low > 0:
            raise ValueError(f"low = {self.low}: must be positive on a logarithmic scale")
        if self.integer and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ValueError(f"low = {self.low}, high = {self.high}: must be whole numbers")
        return self


Axis = tuple[Any, ...] | Range


class Search(_Table):
    """Points in the space of settings that a sweep evaluates."""

    kind: Literal["grid", "list", "random", "optuna"]
    over: dict[str, Any] = Field(default={})
    """Axes of grid, random and optuna: a dotted key with its values, or with a range."""
    list: Points = ()
    """Points of a list: a table of settings each."""
    repeat: dict[str, Any] = Field(default={})
    """Axes that every point is crossed with, such as ``seed = [0, 1, 2]``."""
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = 20
    """Number of points of a random or Optuna search."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of a random search or of Optuna's sampler."""
    batch: Count = 8
    """Number of points in one generation of Optuna, whose results it receives when all are done."""
    maximise: tuple[str, ...] = ()
    """Columns of results that Optuna maximises."""
    minimise: tuple[str, ...] = ()
    """Columns of results that Optuna minimises."""
    sampler: Literal["auto", "tpe", "nsga-ii", "random"] = "auto"
    """``auto``: TPE for one objective, NSGA-II for several."""

    @field_validator("over", "repeat", mode="before")
    @classmethod
    def _axes(cls, value: Any) -> Any:
        return {key: _axis(key, axis) for key, axis in _settings(value).items()} if isinstance(value, dict) else value

    @field_validator("list", mode="before")
    @classmethod
    def _points(cls, value: Any) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(flat(point) if isinstance(point, dict) else point for point in value)
        return value

    @field_validator("maximise", "minimise", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value

    @field_serializer("over", "repeat")
    def _plain(self, axes: Mapping[str, Axis]) -> dict[str, Any]:
        return {key: axis.model_dump() if isinstance(axis, Range) else [*axis] for key, axis in axes.items()}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Search:
        if self.kind == "list" and not self.list:
            raise ValueError("kind = 'list' needs [[search.list]]: a table of settings for each point")
        if self.kind != "list" and not self.over:
            raise ValueError(f"kind = '{self.kind}' needs [search.over]: keys with their values")
        if self.kind == "list" and self.over:
            raise ValueError("over: belongs to grid, random and optuna; cross a list with [search.repeat]")
        if self.kind != "list" and self.list:
            raise ValueError(f"list: belongs to kind = 'list', not to '{self.kind}'")
        named = {"over": self.over if self.kind == "grid" else {}, "repeat": self.repeat}
        for table, axes in named.items():
            for key, axis in axes.items():
                if isinstance(axis, Range):
                    raise ValueError(f"{table}.{key}: a range belongs to random and optuna; here, list the values")
        for key in self.repeat:
            if key in self.over or any(key in point for point in self.list):
                raise ValueError(f"repeat.{key}: is among the keys of the points too")
        if (self.kind == "optuna") != bool(self.maximise or self.minimise):
            raise ValueError(
                "optuna needs objectives: maximise = ['accuracy'] or minimise = ['picojoule_per_inference'], or both"
                if self.kind == "optuna"
                else "maximise, minimise: belong to kind = 'optuna'"
            )
        if self.kind == "optuna" and self.sampler == "tpe" and len(self.maximise + self.minimise) > 1:
            raise ValueError("sampler = 'tpe': takes one objective here; several are searched by 'nsga-ii'")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that differs between points, in the order of the file."""
        return tuple(dict.fromkeys([*self.over, *(key for point in self.list for key in point), *self.repeat]))


class SweepFile(_Table):
    """A sweep."""

    task: str = "train"
    """Name of a job: ``train``, ``infer``, ``characterize``, or one registered from outside."""
    recipe: str | dict[str, Any]
    """Base: a file, relative to the sweep file, or its content."""
    chip: str | dict[str, Any] | None = None
    """What differs from the default chip, in a job that puts networks on one; a file, relative to the sweep file, or
    its content."""
    name: str = ""
    threads: Threads = 1
    """CPU threads of each task. Part of a recipe, and so of a task's key."""
    set: dict[str, Any] = Field(default={})
    """Settings of every task, on top of the base."""
    search: Search

    @field_validator("recipe", "chip", mode="before")
    @classmethod
    def _file_or_table(cls, value: Any) -> Any:
        if isinstance(value, str | dict) or value is None:
            return value
        raise ValueError(f"{value!r}: must be the name of a file, or a table")

    @field_validator("set", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        return flat(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _agrees(self) -> SweepFile:
        job = JOBS.named(self.task)
        if self.chip is not None and not job.chip:
            able = " or ".join(repr(name) for name, other in JOBS.items() if other.chip)
            raise ValueError(f"chip: belongs to task = {able}, not to '{self.task}'")
        twice = [key for key in self.search.keys if key in self.set and self.search.kind != "list"]
        if twice:
            raise ValueError(f"set.{twice[0]}: is searched over as well")
        return self


@dataclass(frozen=True)
class Sweep:
    """A sweep file with the contents of the files it refers to.

    Attributes:
        file: Sweep file.
        base: Content of the base recipe (or device TOML), as written.
        chip: Content of the chip file, as written.
        origin: Name of the file in messages.
        notes: Notes added to the results of every task, a line each.
    """

    file: SweepFile
    base: dict[str, Any]
    chip: dict[str, Any]
    origin: str
    notes: tuple[str, ...] = ()

    def to_toml(self) -> str:
        """The file with every default and the content of the base in it: a sweep file that needs no other.

        The base stands there as it was written. With its defaults it would say more than the user did: some follow
        from keys (such as the mode) that the sweep may change. Each task has its resolved recipe in ``task.json``.
        """
        values = self.file.model_dump(exclude_none=True) | {"recipe": self.base}
        if JOBS.named(self.file.task).chip:
            values["chip"] = self.chip
        return tomli_w.dumps(_lists(values))


def load_sweep(path: str | Path, settings: Sequence[str] = ()) -> Sweep:
    """Read a sweep file and what it refers to, and apply ``key=value`` settings to it.

    Args:
        path: TOML file, or name of a sweep file of the package.
        settings: Assignments ``key=value`` that replace values of the sweep file, such as ``search.samples=10`` or
            ``set.epochs=1``.

    Raises:
        InputError: A file cannot be read, or a key or value is unknown or wrong.
    """
    path = recipe_file(path)
    values = read_toml(path)
    refuse_other_kind(values, SWEEP, path)
    for setting in settings:
        apply_setting(values, setting)
    _refuse_settings_of_tasks(values, str(path), settings)
    file = validated(SweepFile, values, str(path), settings)

    def content(named: str | dict[str, Any] | None) -> dict[str, Any]:
        return read_toml(recipe_file(named, path.parent)) if isinstance(named, str) else named or {}

    return Sweep(file, content(file.recipe), content(file.chip), str(path))


def _refuse_settings_of_tasks(values: Mapping[str, Any], origin: str, settings: Sequence[str]) -> None:
    """Refuse settings of tasks that stand among the keys of the sweep file itself.

    Raises:
        InputError: There is one; the message says where it belongs.
    """
    job = JOBS.find(values.get("task", "train"))
    known = set(job.tables if job is not None else ())
    if job is not None and job.networks:
        known |= Recipe.model_fields.keys()
    if isinstance(values.get("recipe"), dict):
        known |= values["recipe"].keys()
    for name in values:
        if name in known and name not in SweepFile.model_fields:
            given = [setting for setting in settings if f"{setting.partition('=')[0].strip()}.".startswith(f"{name}.")]
            source = f"--set {shortened(given[0])}" if given else origin
            key = given[0].partition("=")[0].strip() if given else name
            raise InputError(f"{source}: unknown key '{key}'; did you mean 'set.{key}', a setting of the tasks?")


def _settings(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys, but for the tables that are ranges; the last of two equal keys counts."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        is_table = isinstance(value, dict) and not ({"low", "high"} & set(value))
        result |= _settings(value, f"{prefix}{key}.") if is_table else {prefix + key: value}
    return result


def _axis(key: str, axis: Any) -> Axis:
    if isinstance(axis, Range):
        return axis
    if isinstance(axis, dict):
        return validated(Range, axis, f"'{key}'")
    if not isinstance(axis, list | tuple):
        raise ValueError(f"{key} = {axis!r}: must be a list of values, or a range {{low = …, high = …}}")
    if not axis:
        raise ValueError(f"{key} = []: needs at least one value")
    for value in axis:
        if isinstance(value, dict):
            raise ValueError(f"{key}: a value cannot be a table; give its keys as axes, such as '{key}.…'")
    return tuple(axis)


def _lists(value: Any) -> Any:
    """Tuples as lists, all the way down: TOML has lists only."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value
