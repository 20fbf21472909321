"""One self-contained page about finished runs: tables, plots, and what they show, in plain words.

Every number on the page is computed from the run directories; the words around it are in
``report.html.jinja``. The page loads nothing, so it can be kept, mailed and read years later.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from barkhausen.atomic import atomic_write
from barkhausen.errors import InputError
from barkhausen.experiment import figures, published
from barkhausen.experiment.recipe import flat
from barkhausen.experiment.run import read_json
from barkhausen.experiment.summary import SCHEMA, mean_counts
from barkhausen.experiment.table import held_out, kind_of, result_table
from barkhausen.validation import validated

MODES = ("in-situ", "ex-situ", "float")
SMALL_DROP, COLLAPSE = 0.01, 0.05
"""Drops of accuracy that the page calls small (below the first) and a collapse (above the second)."""
NO_VALUE = "\N{EN DASH}"

Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Dataset(_Table):
    name: str
    source: str
    train_samples: Annotated[int, Field(ge=1)]
    test_samples: int
    validation_samples: int


class _Chips(_Table):
    count: int
    mean: Fraction
    std: Amount


class _Layer(_Table):
    initial_events: Amount


class _State(_Table):
    events: Amount
    attempts: Amount
    failed: Amount


class _Programming(_Table):
    initial_events: Amount
    training_events: Amount
    attempts: Amount
    failed: Amount
    by_layer: dict[str, _Layer]
    by_state: dict[str, _State]


class _Summary(_Table):
    """What the page needs of a ``summary.json``; what else is in there is left alone."""

    mode: Literal["in-situ", "ex-situ", "float"]
    states: int | None
    seed: int
    epochs: Annotated[int, Field(ge=1)]
    dataset: _Dataset
    device: dict[str, str | float | None]
    test_accuracy: Fraction | None
    validation_accuracy: Fraction | None
    train_accuracy: Fraction
    precursor_accuracy: Fraction | None = None
    chips: _Chips
    fresh_chip_copy: _Chips | None = None
    programming: _Programming
    energy: dict[str, Amount]
    wall_seconds: Amount
    assumed: list[str]
    notes: list[str] = []
    software: dict[str, str | int]


class Epoch(_Table):
    """One line of ``metrics.jsonl``."""

    model_config = ConfigDict(strict=True, allow_inf_nan=True)

    epoch: int
    train_loss: float
    """Not a number where training diverged: that is a result, not damage."""
    held_out: Fraction = Field(validation_alias=AliasChoices("test_accuracy", "validation_accuracy"))
    events_by_layer: dict[str, Amount] = {}


class Histograms(_Table):
    """Device weights of one chip, ``[state][bin]``, at two moments that ``meaning`` names."""

    range: Annotated[list[float], Field(min_length=2, max_length=2)]
    levels: Annotated[list[float], Field(min_length=1)]
    before: list[list[int]]
    after: list[list[int]]
    meaning: Annotated[list[str], Field(min_length=2, max_length=2)]


@dataclass(frozen=True)
class FinishedRun:
    """What a finished run left in its directory, checked."""

    name: str
    summary: dict[str, Any]
    epochs: list[Epoch]
    histograms: Histograms | None

    @property
    def accuracy(self) -> float:
        """Accuracy on the samples that were not trained on."""
        return held_out(self.summary)

    @property
    def device_name(self) -> str:
        """The device file's name, or where the device comes from."""
        file = self.summary["device"].get("file")
        return Path(file).name if file else str(self.summary["device"].get("source"))

    def events_by_epoch(self) -> dict[str, list[float]]:
        """Programming events of each layer: initial programming first, then what each epoch added."""
        layers = self.summary["programming"]["by_layer"]
        initial = {name: layer["initial_events"] for name, layer in layers.items()}
        totals = [initial, *(epoch.events_by_layer for epoch in self.epochs)]
        return {name: [initial[name], *(b[name] - a[name] for a, b in pairwise(totals))] for name in initial}


@dataclass(frozen=True)
class Kind:
    """Runs that differ in nothing but their seed, with their row of the results table."""

    label: str
    row: dict[str, Any]
    runs: list[FinishedRun]

    @property
    def summary(self) -> dict[str, Any]:
        """Of the first seed."""
        return self.runs[0].summary

    @property
    def copy(self) -> tuple[float, float] | None:
        """Mean accuracy of the trained levels on chips that never learned, and its spread between chips."""
        copies = [run.summary["fresh_chip_copy"] for run in self.runs if run.summary.get("fresh_chip_copy")]
        return (fmean(copy["mean"] for copy in copies), fmean(copy["std"] for copy in copies)) if copies else None

    @property
    def precursor(self) -> float | None:
        """Accuracy of the precursor before its levels were programmed to chips (mean over seeds)."""
        values = [run.summary.get("precursor_accuracy") for run in self.runs]
        return fmean(value for value in values if value is not None) if None not in values else None

    @property
    def relative_error(self) -> float:
        """Device error relative to the weights, after training (mean over seeds)."""
        return fmean(figures.relative_error(run.histograms) for run in self.runs if run.histograms is not None)

    @property
    def by_state(self) -> dict[str, Any]:
        """Events, attempts and failures of each state (mean over seeds)."""
        return mean_counts([run.summary["programming"]["by_state"] for run in self.runs])

    def picojoule(self, cause: str) -> float:
        """Energy of one cause in pJ per inference."""
        return float(self.row[f"{cause.lower()}_share"] * self.row["picojoule_per_inference"])

    def per_attempt(self, cause: str) -> float:
        """Energy of one cause in J per programming attempt."""
        joule = fmean(run.summary["energy"][f"{cause.lower()}_joule"] for run in self.runs)
        return joule / fmean(run.summary["programming"]["attempts"] for run in self.runs)


@dataclass(frozen=True)
class Pair:
    """In-situ and ex-situ kinds on the same devices, data and number of states."""

    label: str
    in_situ: list[Kind]
    ex_situ: list[Kind]

    @property
    def copied(self) -> list[tuple[Kind, float, float]]:
        """The in-situ kinds that were copied to fresh chips, with accuracy and spread there."""
        return [(kind, *kind.copy) for kind in self.in_situ if kind.copy is not None]


def write_report(runs: Sequence[Path], out: Path) -> None:
    """Write one page about finished runs.

    Args:
        runs: their directories, in any order; one named twice counts once.
        out: the page; nothing beside it is needed to read it.

    Raises:
        InputError: there are no runs; one is not finished, damaged or of another version; ``out`` cannot be
            written.
    """
    if not runs:
        raise InputError("no runs to report on: name the directory of at least one finished run")
    finished = [load_run(path) for path in {path.resolve(): path for path in runs}.values()]
    finished.sort(
        key=lambda run: (MODES.index(run.summary["mode"]), -(run.summary["states"] or 0), run.summary["seed"])
    )
    kinds = _kinds(finished)
    page = _template().render(
        runs=finished,
        kinds=kinds,
        pairs=_pairs(kinds),
        plots=figures,
        published=published,
        zip=zip,
        assumptions=_assumptions(kinds),
        small_drop=SMALL_DROP,
        collapse=COLLAPSE,
        plotly_js=Markup(get_plotlyjs()),
    )
    atomic_write(out, page)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("barkhausen.experiment", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(percent=percent, sig=sig, count=count, joule=joule)
    return environment.get_template("report.html.jinja")


def load_run(directory: Path) -> FinishedRun:
    """Read and check what a finished run left.

    Raises:
        InputError: it is not finished, a file is missing or damaged, or it is of another version.
    """
    name, path = directory.resolve().name, directory / "summary.json"
    if not path.exists():
        raise InputError(f"{directory}: is not a finished run (no summary.json)")
    summary = read_json(path)
    if not isinstance(summary, dict):
        raise InputError(f"{path}: is not of one run; name the directory of each run")
    if summary.get("schema") != SCHEMA:
        raise InputError(f"{path}: has schema {summary.get('schema')!r}, this version reads schema {SCHEMA}")
    checked = validated(_Summary, summary, str(path))
    try:
        result_table([summary])
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise InputError(f"{path}: is damaged ({type(error).__name__}: {error})") from None
    epochs = _read_metrics(directory / "metrics.jsonl", checked)
    if checked.mode == "float":
        return FinishedRun(name, summary, epochs, None)
    path = directory / "histograms.json"
    histograms = validated(Histograms, read_json(path), str(path))
    panels = (histograms.before, histograms.after)
    sizes = {len(counts) for panel in panels for counts in panel}
    states = {len(checked.programming.by_state), len(histograms.levels), *map(len, panels)}
    if states != {checked.states} or len(sizes) != 1 or 0 in sizes:
        raise InputError(f"{path}: is damaged (not two histograms of {checked.states} states)")
    return FinishedRun(name, summary, epochs, histograms)


def _read_metrics(path: Path, summary: _Summary) -> list[Epoch]:
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is missing or damaged ({error})") from None
    epochs = [validated(Epoch, line, f"{path} line {number}") for number, line in enumerate(lines, 1)]
    layers = set(summary.programming.by_layer) if summary.mode == "in-situ" else set()
    if any(set(epoch.events_by_layer) != layers for epoch in epochs):
        raise InputError(f"{path}: is damaged (its layers are not those of summary.json)")
    if len(epochs) != summary.epochs:
        raise InputError(f"{path}: is damaged ({len(epochs)} epochs, {summary.epochs} in summary.json)")
    return epochs


def _kinds(runs: Sequence[FinishedRun]) -> list[Kind]:
    """The rows of the results table, each with its runs and a label that no other has."""
    groups: dict[tuple[Any, ...], list[FinishedRun]] = {}
    for run in runs:
        groups.setdefault(kind_of(run.summary), []).append(run)
    rows = result_table([run.summary for run in runs])
    labels = _labels([(_title(group[0].summary), _differences(group[0])) for group in groups.values()])
    return [Kind(*kind) for kind in zip(labels, rows, groups.values(), strict=True)]


def _pairs(kinds: Sequence[Kind]) -> list[Pair]:
    """Kinds on the same devices and data together, whatever was chosen for learning and programming."""
    groups: dict[tuple[Any, ...], list[Kind]] = {}
    fields = {}
    for kind in kinds:
        if kind.row["mode"] != "float":
            common = _differences(kind.runs[0])
            chosen = ("margin", "max_attempts", *TOLD_BY_RECIPE)
            common = {key: value for key, value in common.items() if not key.startswith(chosen)}
            key = (kind.row["states"], *common.values())
            groups.setdefault(key, []).append(kind)
            fields[key] = common
    labels = _labels([(f"{key[0]} states", fields[key]) for key in groups])
    return [
        Pair(label, *([kind for kind in group if kind.row["mode"] == mode] for mode in ("in-situ", "ex-situ")))
        for label, group in zip(labels, groups.values(), strict=True)
    ]


def _title(summary: dict[str, Any]) -> str:
    return "float" if summary["mode"] == "float" else f"{summary['mode']}, {summary['states']} states"


def _differences(run: FinishedRun) -> dict[str, Any]:
    """What may tell apart kinds of the same mode and number of states."""
    dataset = run.summary["dataset"]
    device = {key: value for key, value in run.summary["device"].items() if key not in {"file", "source"}}
    return {
        "": dataset["name"],
        "samples": dataset["train_samples"],
        "validation samples": dataset["validation_samples"],
        "epochs": run.summary["epochs"],
        "device": run.device_name,
        **device,
        **{key: str(value) for key, value in flat(run.summary["recipe"]).items() if key.startswith(TOLD_BY_RECIPE)},
    }


TOLD_BY_RECIPE = ("batch_size", "network.", "optimizer.", "transfer.")
"""Keys of the recipe that nothing else in a summary tells."""


def _labels(named: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Short names; where several are the same, what differs between them is added."""
    labels: list[str] = []
    for name, fields in named:
        twins = [other for other_name, other in named if other_name == name]
        telling = [key for key, value in fields.items() if any(other.get(key) != value for other in twins)]
        label = ", ".join([name, *(f"{key.replace('_', ' ')} {fields[key]}".strip() for key in telling)])
        while label in labels:
            label += "*"
        labels.append(label)
    return labels


def _assumptions(kinds: Sequence[Kind]) -> dict[tuple[str, ...], list[str]]:
    """Every assumption once, under the labels of the kinds that rest on it."""
    holders: dict[str, list[str]] = {}
    for kind in kinds:
        for line in dict.fromkeys(line for run in kind.runs for line in run.summary["assumed"]):
            holders.setdefault(line, []).append(kind.label)
    groups: dict[tuple[str, ...], list[str]] = {}
    for line, labels in holders.items():
        groups.setdefault(tuple(labels), []).append(line)
    return groups


def percent(value: float | None, decimals: int = 2) -> str:
    """A fraction in per cent."""
    return NO_VALUE if value is None else f"{100 * value:.{decimals}f}\N{NO-BREAK SPACE}%"


def sig(value: float | None, digits: int = 4) -> str:
    """A number with that many significant digits and no exponent."""
    if value is None or not math.isfinite(value):
        return NO_VALUE
    if value == 0:
        return "0"
    decimals = digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:,.{max(decimals, 0)}f}".replace(",", "\u202f")


def count(value: float) -> str:
    """A number of things; a mean of such numbers has one decimal."""
    return (f"{value:,.0f}" if value == round(value) else f"{value:,.1f}").replace(",", "\u202f")


def joule(value: float) -> str:
    """An energy with its SI prefix."""
    for prefix, scale in (("m", 1e-3), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12)):
        if value >= scale:
            return f"{sig(value / scale)} {prefix}J"
    return f"{sig(value / 1e-15)} fJ"
