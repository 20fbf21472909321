"""A published system reproduced: its sweep run, and the results written beside the published figures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from barkhausen.core.errors import DataNotFoundError, InputError, OutcomeError
from barkhausen.core.files import atomic_write, claimed_directory, clear_directory, read_json_lines
from barkhausen.core.progress import Progress
from barkhausen.data import load_dataset
from barkhausen.experiment.summary import software
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.work.rows import device_name
from barkhausen.report.panels import Panel
from barkhausen.report.runs.page import Beside, write_report
from barkhausen.report.sweep.page import write_sweep_report
from barkhausen.report.system.page import write_system_page
from barkhausen.reproduce.systems import DEFAULT, SYSTEMS, Measured, Reading, System
from barkhausen.results.file_names import SWEEP
from barkhausen.results.table import as_csv, markdown_table, result_table, score_of_all
from barkhausen.sweep.engine import run_sweep
from barkhausen.sweep.plan import Planner, Task
from barkhausen.sweep.points import points
from barkhausen.sweep.store import Store
from barkhausen.sweep.sweep_file import Sweep, load_sweep

REPORT, SWEEP_REPORT = "report.html", "sweep.html"


QUICK = "a quick look, with fewer seeds, epochs or chips than the full run: not to be quoted"
"""Note of a short run, in its summaries and on its page."""


def reproduce(
    out: Path,
    name: str = DEFAULT,
    *,
    quick: bool = False,
    data_dir: Path | None = None,
    seeds: Sequence[int] | None = None,
    workers: int | None = None,
    progress: Progress | bool | None = None,
    log: Callable[[str], None] = lambda line: None,
    overwrite: bool = False,
) -> list[dict[str, Any]]:
    """Run a system, or what is still missing of it; write its tables (CSV, Markdown), summaries and pages.

    The runs are the tasks of a sweep: each on one thread, as many at a time as there are cores, so that the results do
    not depend on how many there are. An interrupted sweep resumes.

    Args:
        out: Directory of the sweep and its results.
        name: Name of the system.
        quick: Whether to run the short version of it.
        data_dir: Root of the data sets, where the user names one.
        seeds: Seeds of each kind of run. Default: those of the system.
        workers: Number of processes. Default: one a core, at most eight.
        progress: Where progress is shown.
        log: Function that receives a line for each thing worth saying.
        overwrite: Whether to throw away what the directory holds.

    Returns:
        The summaries of all runs; of a system that concludes its own, the rows of its table.

    Raises:
        InputError: There is no such system, data named by the user cannot be used, or ``out`` cannot be used.
        OutcomeError: A run failed.
    """
    system = SYSTEMS.named(name)
    sweep = sweep_of(system, quick=quick, seeds=seeds, data_dir=data_dir)
    for note in sweep.notes:
        log(note)
    _check(out, overwrite)
    counts = run_sweep(sweep, out, workers=workers, data_dir=data_dir, progress=progress, log=log)
    if counts.finished < counts.finished + counts.failed + counts.planned:
        raise OutcomeError(f"{out}: {counts.failed} runs failed; the same command tries them again")
    return _write(out, system, sweep) if system.conclude is None else _conclude(out, system, sweep)


def sweep_of(
    system: System, *, quick: bool = False, seeds: Sequence[int] | None = None, data_dir: Path | None = None
) -> Sweep:
    """The sweep of a system.

    Args:
        system: Which.
        quick, seeds, data_dir: As of :func:`reproduce`.
    """
    settings: dict[str, Any] = {} if seeds is None else {"search.repeat.seed": list(seeds)}
    settings |= system.quick if quick else {}
    notes: tuple[str, ...] = ()
    if system.stand_in is not None:
        dataset = load_sweep(system.sweep).base.get("dataset", {}).get("name", "mnist")
        try:
            load_dataset(dataset, data_dir)
        except DataNotFoundError as error:
            settings["set.dataset.name"] = system.stand_in
            what = load_dataset(system.stand_in).source
            notes = (
                f"{dataset.upper()} was not found and could not be downloaded: these are {what}, "
                f"NOT {dataset.upper()}, and not comparable with the published figures ({error})",
            )
    lines = [f"{key}={tomli_w.dumps({'value': value}).partition('=')[2].strip()}" for key, value in settings.items()]
    return dataclasses.replace(load_sweep(system.sweep, lines), notes=(*notes, *([QUICK] if quick else [])))


def _check(out: Path, overwrite: bool) -> None:
    """Refuse results of another layout, or throw away what the directory holds."""
    earlier = (out / "summary.json").exists() and not (out / SWEEP).exists()
    if earlier and not overwrite:
        raise InputError(f"{out}: holds results of an earlier version; choose another --out, or --overwrite")
    if not overwrite or not (earlier or (out / SWEEP).exists()):
        return
    # Claimed first: another process may be at work there.
    with claimed_directory(out, "summary.json" if earlier else SWEEP, "results"):
        clear_directory(out)


def _write(out: Path, system: System, sweep: Sweep) -> list[dict[str, Any]]:
    """Tables and pages of a finished sweep."""
    tasks = _tasks(sweep)
    store = Store(out)
    directories = [store.work(task.key) for task in tasks]
    summaries: list[dict[str, Any]] = [read_summary(directory / "summary.json")[0] for directory in directories]
    atomic_write(out / "summary.json", json.dumps(summaries, indent=1, allow_nan=False) + "\n")
    rows = result_table(summaries, system.labels, system.figures)
    atomic_write(out / "table.csv", as_csv(rows))
    atomic_write(out / "table.md", markdown_table(rows, score_of_all(summaries)))
    names = {directory: _name(summary) for directory, summary in zip(directories, summaries, strict=True)}
    write_sweep_report(out, SWEEP_REPORT)
    with_metrics = [_with_metrics(each, summary) for each, summary in zip(directories, summaries, strict=True)]
    beside = _beside(system, system.readings(with_metrics), system.panels(with_metrics))
    write_report(directories, out / REPORT, names=names, beside=beside)
    return summaries


def _with_metrics(directory: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """A summary with the lines of all epochs, for learning curves."""
    return {**summary, "metrics": read_json_lines(directory / "metrics.jsonl")}


def _conclude(out: Path, system: System, sweep: Sweep) -> list[dict[str, Any]]:
    """Table and pages of a finished sweep whose tasks are no single runs."""
    assert system.conclude is not None
    store = Store(out)
    measured = []
    for task in _tasks(sweep):
        result = store.result(task.key) or {}
        settings = {**sweep.file.set, **task.settings}
        chips = tuple(result.get("chips", ()))
        measured.append(Measured(settings, task.shown, result["row"], chips, store.work(task.key)))
    found = system.conclude(measured)
    rows = [dict(row) for row in found.table]
    summary = {
        "system": system.name,
        "status": system.status,
        "notes": list(sweep.notes),
        "readings": [dataclasses.asdict(reading) for reading in found.readings],
        "table": rows,
        "tasks": [each.plain() for each in measured],
        "assumed": list(system.assumptions),
        "software": software(),
    }
    atomic_write(out / "summary.json", json.dumps(summary, indent=1, allow_nan=False) + "\n")
    atomic_write(out / "table.csv", as_csv(rows))
    write_sweep_report(out, SWEEP_REPORT)
    beside = _beside(system, found.readings)
    write_system_page(out / REPORT, beside, found.panels, spread=found.spread, notes=sweep.notes)
    return rows


def _beside(system: System, readings: Sequence[Reading], panels: Sequence[Panel] = ()) -> Beside:
    return Beside(
        name=system.name,
        title=system.title,
        status=system.status,
        paper=system.paper,
        figures=system.figures,
        readings=[dataclasses.astuple(reading) for reading in readings],
        assumptions=system.assumptions,
        link=SWEEP_REPORT,
        panels=panels,
        labels=system.labels,
    )


def _tasks(sweep: Sweep) -> list[Task]:
    """All runs, seed by seed, so that the files have the same order however many seeds there are."""
    planner = Planner(sweep)
    tasks = [planner.task(point) for point in points(sweep.file.search)]
    # Several points may come to the same task.
    return sorted({task.key: task for task in tasks}.values(), key=lambda task: int(task.shown["seed"]))


def _name(summary: dict[str, Any]) -> str:
    device = "" if summary["states"] is None else f"-{device_name(summary)}"
    return f"{summary['mode']}{device}-seed{summary['seed']}"
