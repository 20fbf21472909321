"""One self-contained page about a sweep: what was varied, what came out, how sure it is, and what failed.

Every number and every comparison on the page is computed from the tables of the sweep; the words around them are in
``sweep.html.jinja``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from barkhausen.core.config import read_text, read_toml
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.experiment.characterisation.states import history_file, read_characterisation
from barkhausen.experiment.jobs import Job
from barkhausen.report.device.page import write_characterisation_report
from barkhausen.report.figure_files import csv_address
from barkhausen.report.plots import Spec
from barkhausen.report.render import render
from barkhausen.report.retention.page import PAGE as RETENTION_PAGE
from barkhausen.report.retention.page import read_summaries, write_retention_report
from barkhausen.report.sweep import figures
from barkhausen.report.sweep.figures import Group, Quantity
from barkhausen.report.sweep.metadata import content_of, metadata_of
from barkhausen.report.sweep.published_point import networks_of, published_point
from barkhausen.report.sweep.quantities import causes_of, quantities_of, quantity_of
from barkhausen.results.columns import FAILED, FINISHED, PLANNED, SEED, job_of, swept_keys
from barkhausen.results.file_names import CHIPS, SWEEP
from barkhausen.results.formats import as_csv
from barkhausen.results.headings import short_names
from barkhausen.results.published import Figure
from barkhausen.results.read import load_chips, load_table
from barkhausen.results.summarise import summarise
from barkhausen.results.table import NO_VALUE
from barkhausen.sweep.store import Store

PAGE = "report.html"
MOST_VALUES_NAMED = 10
MOST_TRACEBACKS = 5
MOST_PANELS = 4
SAID_ELSEWHERE = {"failed", "planned", "intervals", "no-spread", "mixed-samples"}
"""Keys of the notes of a summary that the page says in words of its own."""


@dataclass(frozen=True)
class Axis:
    """A swept key and the values that it takes."""

    key: str
    values: list[Any]
    numeric: bool

    @property
    def text(self) -> str:
        """The values in words."""
        if len(self.values) <= MOST_VALUES_NAMED:
            return ", ".join(value_text(value) for value in self.values)
        if self.numeric:
            return f"{value_text(min(self.values))} to {value_text(max(self.values))}"
        return ", ".join(value_text(value) for value in self.values[:MOST_VALUES_NAMED]) + ", …"


@dataclass(frozen=True)
class Failure:
    """Tasks that failed for one reason."""

    reason: str
    count: int
    example: str
    """Settings of the first of them."""
    traceback: str | None


def write_sweep_report(directory: str | Path, name: str = PAGE) -> None:
    """Write the page about a sweep into its directory.

    Args:
        directory: Directory of the sweep, with ``table.parquet`` and ``sweep.toml``.
        name: Name of the page.

    Raises:
        InputError: The table is missing, damaged or of another version, or the page cannot be written.
    """
    directory = Path(directory)
    frame = load_table(directory)
    if frame.empty:
        raise InputError(f"{directory}: the sweep has no task to report on")
    chips = load_chips(directory) if (directory / CHIPS).is_file() else None
    page = directory / name
    atomic_write(page, _page(directory, frame, chips))
    for device in _texts(frame, "device_file"):
        _write_device_page(directory / device)
    if retentions := _texts(frame, "retention_file"):
        summaries = read_summaries([directory / file for file in retentions])
        write_retention_report(summaries, directory / RETENTION_PAGE)


def _write_device_page(device: Path) -> None:
    """The page about a characterised device, beside its file, unless it is there."""
    page = device.with_suffix(".html")
    if not page.exists() and history_file(device).is_file():
        write_characterisation_report(read_characterisation(device), page)


def _page(directory: Path, frame: pd.DataFrame, chips: pd.DataFrame | None) -> str:
    job = job_of(frame)
    assert job is not None
    frame = frame.assign(**{column.name: derive(frame) for column, derive in job.derived.items()})
    causes = causes_of(job, [str(name) for name in frame.columns])
    every = quantities_of(job)
    quantities = [quantity for quantity in every if _known(frame, quantity.column)]
    causes = {cause: quantity for cause, quantity in causes.items() if frame[quantity.column].fillna(0).any()}
    main = quantities[0] if quantities else every[0]
    needed = list(dict.fromkeys([main.column, *(q.column for q in quantities), *causes_columns(causes)]))
    summary = summarise(frame, needed, chips=chips)
    axes = [axis_of(frame, key) for key in swept_keys(frame)]
    groups = groups_of(summary.frame, list(summary.group))
    finished = [group for group in groups if group.count(main)]
    plots = plots_of(
        job,
        frame,
        main,
        finished,
        axes=[axis for axis in axes if axis.key != SEED],
        causes=causes,
        networks=networks_of(directory, frame),
    )
    resolved, settings = _resolved(directory)
    metadata, assumed = metadata_of(directory, frame)
    return render(
        "sweep/sweep.html.jinja",
        title=str(settings.get("name") or "") or f"Sweep of {len(frame)} {'task' if len(frame) == 1 else 'tasks'}",
        job=job,
        search=settings.get("search", {}),
        axes=axes,
        counts={status: int((frame["status"] == status).sum()) for status in (FINISHED, FAILED, PLANNED)},
        failures=failures_of(directory, frame),
        frame_csv=csv_address(as_csv(frame.drop(columns=[column.name for column in job.derived]))),
        keys=[key for key in summary.group if _varies(frame, key)],
        groups=groups,
        finished=finished,
        quantities=quantities,
        main=main,
        seeds=sorted({group.count(main) for group in finished}),
        one_count=all(len({group.count(q) for q in quantities}) == 1 for group in groups),
        notes=[note.text for note in summary.notes if note.key not in SAID_ELSEWHERE],
        methods=sorted({str(group.row[f"{main.column}_method"]) for group in finished}),
        best=best_of(finished, main),
        datasets=_texts(frame, "dataset"),
        measured_on=_texts(frame, "measured_on"),
        modes=_texts(frame, "mode"),
        devices=_texts(frame, "device"),
        plots=plots,
        spreads=spreads_of(finished, main) if job.networks else None,
        resolved=resolved,
        metadata=metadata,
        assumed=assumed,
        value_text=value_text,
        is_number=_is_number,
        with_interval={q.column: any(math.isfinite(group.interval(q)[0]) for group in groups) for q in quantities},
        nan=math.isnan,
        retention_page=RETENTION_PAGE if _texts(frame, "retention_file") else None,
    )


def axis_of(frame: pd.DataFrame, key: str) -> Axis:
    """A swept key with its values in order."""
    values = [_plain(value) for value in frame[key].dropna().unique()]
    numeric = bool(values) and all(_is_number(value) for value in values)
    return Axis(key, sorted(values) if numeric else values, numeric)


def groups_of(summary: pd.DataFrame, keys: Sequence[str]) -> list[Group]:
    """The rows of a summary, each with a label that no other has.

    Args:
        summary: Of :func:`.summarise`, one row a group.
        keys: That it is grouped by.
    """
    varied = [key for key in keys if summary[key].nunique(dropna=False) > 1]
    names = short_names(varied)
    groups = []
    for row in summary.to_dict("records"):
        values = {key: _plain(row[key]) for key in keys}
        label = ", ".join(f"{names[key]} {value_text(values[key])}" for key in varied)
        groups.append(Group(values, label or "all tasks", {str(name): value for name, value in row.items()}))
    return groups


def curve_names(groups: Sequence[Group], key: str) -> Callable[[Group], str]:
    """What a group is called beside others that have the same value of the key."""
    others = [name for name in groups[0].values if name != key] if groups else []
    varied = [name for name in others if len({repr(group.values[name]) for group in groups}) > 1]
    names = short_names(varied)
    return lambda group: ", ".join(f"{names[name]} {value_text(group.values[name])}" for name in varied)


def causes_columns(causes: dict[str, Quantity]) -> list[str]:
    """The columns of the causes."""
    return [quantity.column for quantity in causes.values()]


@dataclass(frozen=True)
class Plots:
    """What is drawn of a sweep; a figure is a list of labelled plots."""

    against: list[tuple[Quantity, list[tuple[str, Spec]]]]
    categories: list[tuple[str, Spec]]
    trade_off: list[tuple[str, Spec]]
    front: list[Group]
    cost: Quantity | None
    gain: Quantity | None
    published: tuple[Figure, Figure] | None
    variance: list[tuple[str, Spec]]
    causes: list[tuple[str, Spec]]
    cause_quantities: dict[str, Quantity]


def plots_of(
    job: Job,
    frame: pd.DataFrame,
    main: Quantity,
    groups: Sequence[Group],
    *,
    axes: Sequence[Axis],
    causes: dict[str, Quantity],
    networks: Sequence[str | None],
) -> Plots:
    """The plots that the tasks of this kind and these axes allow.

    Args:
        job: Of the tasks.
        frame: One row a task.
        main: The quantity of interest.
        groups: Those with a finished task.
        axes: Swept keys but the seed.
        causes: Of energy.
        networks: Kinds of network of the tasks.
    """
    drawn = [quantity_of(job.column(name)) for name in job.against] or [main]
    beside = None if job.beside is None else quantity_of(job.column(job.beside[0]))
    if beside is not None and not _known(frame, beside.column):
        beside = None
    numeric = [axis for axis in axes if axis.numeric and len(axis.values) > 1]
    against = []
    for quantity in drawn:
        if not _known(frame, quantity.column):
            continue
        panels = []
        for axis in sorted(numeric, key=lambda axis: -len(axis.values))[:MOST_PANELS]:
            mine = [group for group in groups if _is_number(group.values[axis.key]) and group.count(quantity)]
            if len({group.values[axis.key] for group in mine}) > 1:
                spec = figures.against_plot(mine, quantity, axis.key, curve_names(mine, axis.key), beside=beside)
                panels.append((f"{_capital(quantity.name)} against {axis.key}", spec))
        if panels:
            against.append((quantity, panels))
    categories = []
    if not against and groups:
        categories = [(f"{_capital(main.name)} of each group", figures.categories_plot(groups, main))]
    cost, gain = (quantity_of(job.column(name)) for name in job.trade_off) if job.trade_off else (None, None)
    front: list[Group] = []
    trade_off = []
    point = None
    if cost is not None and gain is not None and _known(frame, cost.column) and _known(frame, gain.column):
        point = published_point(frame, networks, cost, gain)
        both = [group for group in groups if group.count(cost) and group.count(gain)]
        front = figures.pareto_front(both, cost, gain)
        if len(both) > 1:
            colour_by = _colour_names(both, axes)
            star = None
            if point is not None:
                star = (cost.scale * point[0].value, gain.scale * point[1].value, f"published, {point[0].rule}")
            spec = figures.trade_off_plot(both, cost, gain, front=front, curve_of=colour_by, published=star)
            trade_off = [(f"{_capital(gain.name)} against {cost.name}", spec)]
    variance = []
    if job.networks and any(math.isfinite(group.row[f"{main.column}_std_seeds"]) for group in groups):
        variance = [(f"Spread of the {main.name} between seeds and chips", figures.variance_plot(groups, main))]
    stacked = []
    if causes and groups:
        stacked = [("Energy by cause", figures.causes_plot(groups, causes, job.cause_axis))]
    return Plots(against, categories, trade_off, front, cost, gain, point, variance, stacked, causes)


def _colour_names(groups: Sequence[Group], axes: Sequence[Axis]) -> Callable[[Group], str]:
    """Colours follow the key with the largest number of distinguishable values."""
    fits = [
        axis
        for axis in axes
        if 1 < len(axis.values) <= figures.MOST_CURVES and len({repr(g.values.get(axis.key)) for g in groups}) > 1
    ]
    if not fits:
        return lambda group: ""
    axis = max(fits, key=lambda axis: (not axis.numeric, len(axis.values)))
    name = short_names([axis.key])[axis.key]
    return lambda group: f"{name} {value_text(group.values.get(axis.key))}"


def best_of(groups: Sequence[Group], quantity: Quantity) -> dict[str, Any] | None:
    """The best and the worst group, and the number of groups whose intervals overlap with that of the best."""
    if len(groups) < 2:
        return None
    sign = -1 if quantity.higher_is_better is False else 1
    ordered = sorted(groups, key=lambda group: sign * group.mean(quantity), reverse=True)
    best = ordered[0]
    low, high = best.interval(quantity)
    known = [group for group in ordered[1:] if math.isfinite(group.interval(quantity)[0])]
    close = [group for group in known if group.interval(quantity)[0] <= high and group.interval(quantity)[1] >= low]
    return {"best": best, "worst": ordered[-1], "close": len(close), "known": len(known) if math.isfinite(low) else 0}


def spreads_of(groups: Sequence[Group], quantity: Quantity) -> dict[str, float]:
    """Median over groups of the standard deviations between seeds and between chips, in the units of the page."""
    found = {}
    for name in ("std_seeds", "std_chips"):
        values = [float(group.row[f"{quantity.column}_{name}"]) for group in groups]
        values = [value for value in values if math.isfinite(value)]
        found[name] = quantity.scale * median(values) if values else math.nan
    return found


def failures_of(directory: Path, frame: pd.DataFrame) -> list[Failure]:
    """Failed tasks by reason, the most frequent first."""
    failed = frame[frame["status"] == FAILED]
    keys = swept_keys(frame)
    names = short_names(keys)
    found: list[Failure] = []
    for reason, rows in failed.groupby(failed["error"].fillna("no reason was kept"), sort=False):
        first = rows.iloc[0]
        example = ", ".join(f"{names[key]} {value_text(_plain(first[key]))}" for key in keys)
        traceback = _traceback(directory, str(first["task"])) if len(found) < MOST_TRACEBACKS else None
        found.append(Failure(str(reason), len(rows), example, traceback))
    return sorted(found, key=lambda failure: -failure.count)


def _traceback(directory: Path, task: str) -> str | None:
    text = content_of(Store(directory).of(task) / "failure.json").get("traceback")
    return str(text) if text else None


def _resolved(directory: Path) -> tuple[str, dict[str, Any]]:
    path = directory / SWEEP
    if not path.is_file():
        return "", {}
    return read_text(path), read_toml(path)


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    return [str(value) for value in frame[column].dropna().unique()] if column in frame.columns else []


def _known(frame: pd.DataFrame, column: str) -> bool:
    return column in frame.columns and bool(frame[column].notna().any())


def _varies(frame: pd.DataFrame, key: str) -> bool:
    return bool(frame[key].nunique(dropna=False) > 1)


def _plain(value: Any) -> Any:
    """A cell as Python has it; nothing where it is empty."""
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124
        return None
    return value.item() if hasattr(value, "item") else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_text(value: Any) -> str:
    """A value of a swept key as a reader writes it."""
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return f"{value:.6g}".replace("-", "−")
    text = str(value)
    if text.startswith("["):
        try:
            return "-".join(str(item) for item in json.loads(text)) if "[" not in text[1:] else text
        except ValueError:
            return text
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
