"""The registry of jobs: what a sweep, its tables and its page have to know of a kind of task."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import create_model

from barkhausen.core.config import Parameters, StrictParameters, validated
from barkhausen.core.dotted import put
from barkhausen.core.errors import InputError
from barkhausen.core.registry import Registry
from barkhausen.experiment.work.base import Order, Result, file_digest

Settings = Mapping[str, Any]
Found = TypeVar("Found")
Table = TypeVar("Table", bound=Parameters)


@dataclass(frozen=True)
class Column:
    """A column of results.

    Attributes:
        name: Name in tables.
        label: Name in a sentence. Default: the name with spaces.
        unit: Unit of the values as pages show them.
        per: What completes the unit in the head of a table, such as ``"per inference"``.
        dtype: Type in tables.
        scale: Factor from the value in tables to the value on pages.
        decimals: Fixed number of decimals on pages. Default: four significant digits.
        higher_is_better: Direction of improvement; None for neither.
    """

    name: str
    label: str = ""
    unit: str = ""
    per: str = ""
    dtype: str = "float64"
    scale: float = 1.0
    decimals: int | None = None
    higher_is_better: bool | None = None

    @property
    def title(self) -> str:
        """Label with unit, for axes and heads of tables."""
        name = self.label or self.name.replace("_", " ")
        unit = f"{self.unit} {self.per}".strip()
        return f"{name} ({unit})" if unit else name


def fraction(name: str, label: str) -> Column:
    """A column of fractions that are shown in per cent, such as accuracies."""
    return Column(name, label, unit="%", scale=100.0, decimals=2, higher_is_better=True)


@dataclass(frozen=True)
class Planned:
    """A task as its settings decide it.

    Attributes:
        decides: Everything that decides its numbers, set or left at its default, without paths.
        values: Resolved values for the worker.
        device: SHA-256 of the device file that it uses.
        threads: CPU threads that it takes.
        given: Values without defaults, where the worker needs them.
        shown: Columns of the table that follow from the settings: mode, states, seed, dataset, device.
        needs: Name of the job and settings of the task that has to be finished before.
    """

    decides: Mapping[str, Any]
    values: Mapping[str, Any]
    device: str | None = None
    threads: int = 1
    given: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, Settings] | None = None


class Planning:
    """What the settings of a sweep are put on top of, and a memory of what many tasks have in common.

    Args:
        base: Content of the base recipe (or device parameters), as it is written there.
        chip: Content of the chip file, as it is written there.
        origin: Name of the sweep file, for messages.
        threads: CPU threads of each task.
    """

    def __init__(self, base: Mapping[str, Any], chip: Mapping[str, Any], origin: str, threads: int) -> None:
        self.base, self.chip, self.origin, self.threads = base, chip, origin, threads
        self._known: dict[Any, Any] = {}

    def once(self, key: Any, find: Callable[[], Found]) -> Found:
        """What ``find`` returns, called once for each key."""
        if key not in self._known:
            self._known[key] = find()
        found: Found = self._known[key]
        return found

    def digest(self, file: Path) -> str:
        """SHA-256 of a file's content."""
        return self.once(("digest", file), lambda: file_digest(file))

    def placed(self, settings: Settings, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The base with settings in their places; the base itself is left alone."""
        values: dict[str, Any] = json.loads(json.dumps(self.base if base is None else base))
        for key, value in settings.items():
            try:
                put(values, key, list(value) if isinstance(value, tuple) else value)
            except InputError as error:
                raise InputError(f"{self.origin}: {key} = {value!r}: {error}") from None
        return values

    def table(self, name: str, model: type[Table], settings: Settings) -> Table:
        """A table among the settings of a task; messages name its keys with the table.

        Args:
            name: Name of the table.
            model: Model of its keys.
            settings: Settings of its keys, such as ``mapping.chips``.

        Raises:
            InputError: A key is unknown, or a value is wrong.
        """
        whole: type[StrictParameters] = create_model("Settings", __base__=StrictParameters, **{name: (model, ...)})  # type: ignore[call-overload]  # the name is a variable
        found: Table = getattr(validated(whole, {name: {}, **self.placed(settings, {})}, self.origin), name)
        return found


@dataclass(frozen=True)
class Job:
    """A kind of task.

    Attributes:
        what: What one task is, in words.
        columns: Columns of results, in the order of the table.
        needed: Columns without which a table is of another version.
        summarised: Columns summarised unless others are named.
        plan: From the settings of a task to the task.
        work: The computation.
        networks: Whether a task has a network: its tables then have mode, states, seed, data set and device.
        chip: Whether the sweep file may name a chip.
        tables: Tables among the settings of a task, beside those of the recipe.
        datasets: Names of the data sets that a task reads, each with its number of validation samples and options.
        check: Check on the worker, before the computation, that the inputs are those of the plan.
        assumed: Assumptions that the values of a task bring, beside those that its files name.
        cause_unit: Last part of the columns of energy by cause, such as ``"picojoule"``.
        cause_place: Column behind which they stand.
        causes: Order of known causes; those that results bring besides follow.
        cause_labels: Labels of causes. Default: the name of the column.
        causes_title: Caption of the plot of energy by cause.
        cause_axis: Title of its axis.
        derived: Columns that follow from others, for the page: each with what computes it from a table.
        shown: Columns of the page's table of groups, the quantity of interest first.
        trade_off: Cost and gain of the plot of two objectives.
        against: Columns drawn against swept keys. Default: the quantity of interest.
        beside: Column drawn dashed beside the quantity of interest, and what it is.
        scores: Function to the columns of other scores that tasks may be judged by: for each score, the columns that
            stand in place of each usual one, the score itself first.
        optional: Columns that only tables of results that have them hold.
    """

    what: str
    columns: tuple[Column, ...]
    needed: tuple[str, ...]
    summarised: tuple[str, ...]
    plan: Callable[[Planning, Settings], Planned]
    work: Callable[[Order], Result]
    networks: bool = True
    chip: bool = False
    tables: tuple[str, ...] = ()
    datasets: Callable[[Mapping[str, Any]], list[tuple[str, int, Mapping[str, Any]]]] = lambda values: []
    check: Callable[[Order], None] = lambda order: None
    assumed: Callable[[Mapping[str, Any]], list[str]] = lambda values: []
    cause_unit: str = "picojoule"
    cause_place: str | None = None
    causes: tuple[str, ...] = ()
    cause_labels: Mapping[str, str] = field(default_factory=dict)
    causes_title: str = "Energy"
    cause_axis: str = "energy (pJ)"
    derived: Mapping[Column, Callable[[Any], Any]] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    trade_off: tuple[str, str] | None = None
    against: tuple[str, ...] = ()
    beside: tuple[str, str] | None = None
    scores: Callable[[], Sequence[Mapping[str, tuple[Column, ...]]]] = lambda: ()
    optional: tuple[Column, ...] = ()

    def for_results(self, names: Iterable[str]) -> Job:
        """The job as it is for results with these columns: judged by the score that they have.

        Args:
            names: Names of columns.
        """
        present = set(names)
        if has := tuple(column for column in self.optional if column.name in present):
            judged = tuple(column.name for column in has if column.higher_is_better is not None)
            whole = replace(self, columns=(*self.columns, *has), shown=(*self.shown, *judged), optional=())
            return whole.for_results(present)
        found = [each for each in self.scores() if present & {columns[0].name for columns in each.values()}]
        if not found:
            return self
        if any(usual in present for each in found for usual in each):
            more = tuple(column for each in found for columns in each.values() for column in columns)
            return replace(self, columns=(*self.columns, *more))
        place, *others = found

        def instead(names: Iterable[str], every: bool = False) -> tuple[str, ...]:
            kept = {name: place[name] if every else place[name][:1] for name in names if name in place}
            return tuple(
                other for name in names for other in ([c.name for c in kept[name]] if name in kept else [name])
            )

        columns = tuple(other for column in self.columns for other in place.get(column.name, (column,)))
        more = tuple(column for each in others for columns in each.values() for column in columns)
        cost, gain = instead(self.trade_off) if self.trade_off else ("", "")
        return replace(
            self,
            columns=(*columns, *more),
            needed=instead(self.needed),
            summarised=instead(self.summarised),
            shown=instead(self.shown, every=True),
            trade_off=(cost, gain) if self.trade_off else None,
        )

    @property
    def every_column(self) -> tuple[Column, ...]:
        """Columns of results and those that follow from them, of all scores."""
        others = (column for each in self.scores() for columns in each.values() for column in columns)
        return (*self.columns, *others, *self.optional, *self.derived)

    @property
    def sources(self) -> list[Path]:
        """Source files of the computation; with what they import, they decide its numbers."""
        return [Path(inspect.getfile(self.work)).resolve()]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next((column for column in self.every_column if column.name == name), Column(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, without those of energy by cause that only results bring."""
        return tuple(column.name for column in self.columns)

    def cause_columns(self, names: list[str]) -> list[str]:
        """Of these names of columns, those of energy by cause."""
        own = {*self.names, *(column.name for column in self.derived)}
        return [name for name in names if name.endswith(f"_{self.cause_unit}") and name not in own]

    def with_causes(self, found: list[str]) -> tuple[str, ...]:
        """Columns of results with those of energy by cause in their place.

        Args:
            found: Names of the columns that results have.
        """
        present = self.cause_columns(found)
        known = [name for name in self.known_causes if name in present]
        causes = list(dict.fromkeys([*known, *present]))
        place = self.names.index(self.cause_place) + 1 if self.cause_place in self.names else len(self.names)
        return (*self.names[:place], *causes, *self.names[place:])

    @property
    def known_causes(self) -> tuple[str, ...]:
        """Columns of the known causes."""
        return tuple(f"{cause}_{self.cause_unit}" for cause in self.causes)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that hold numbers, energies by known causes included."""
        return (*(column.name for column in self.every_column if column.dtype != "string"), *self.known_causes)


JOBS: Registry[Job] = Registry("kind of task", "task")
