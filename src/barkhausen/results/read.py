"""Reading, checking and combining long-format tables of sweeps and runs, with one row for each task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from barkhausen.core.config import flat
from barkhausen.core.errors import InputError
from barkhausen.core.files import read_json
from barkhausen.core.registry import load_extensions
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.work.rows import single_chips, training_row
from barkhausen.results.columns import (
    ALWAYS,
    FAILED,
    FINISHED,
    IDENTITY,
    PLANNED,
    SEED,
    current_name,
    dtype_of,
)
from barkhausen.results.display import accessor  # noqa: F401 (tables have .barkhausen.plot())
from barkhausen.results.file_names import CHIPS, SWEEP, TABLE
from barkhausen.results.finished import FinishedRun, load_run
from barkhausen.results.notes import Note


@dataclass(frozen=True)
class Tables:
    """Tables found under paths.

    Attributes:
        rows: Table with one row for each task.
        chips: Table with one row for each chip of a task: ``task``, ``chip``, ``accuracy``; empty if single chips are
            unknown.
        notes: Notes on how the tables were combined.
    """

    rows: pd.DataFrame
    chips: pd.DataFrame
    notes: tuple[Note, ...] = ()


def load_table(directory: Path | str) -> pd.DataFrame:
    """Table of a sweep, with one row for each planned task in the order of the plan.

    Raises:
        InputError: The table is missing, damaged or of another version.
    """
    directory = Path(directory)
    path = directory / TABLE
    if not path.exists() and (directory / SWEEP).exists():
        raise InputError(f"{directory}: is a sweep without a table yet; the same `barkhausen sweep` resumes it")
    frame = _read_parquet(path, IDENTITY)
    kinds = frame["kind"].dropna().unique().tolist()
    load_extensions()
    for kind in kinds:
        if kind not in JOBS:
            raise InputError(f"{path}: has tasks of kind {kind!r}, this version reads {', '.join(JOBS)}")
        needed = JOBS[kind].for_results(map(str, frame.columns)).needed
        missing = [column for column in needed if column not in frame.columns]
        if missing:
            raise InputError(f"{path}: has no column {missing[0]!r}; it is of another version")
    if len(kinds) > 1:
        raise InputError(f"{path}: mixes tasks of the kinds {', '.join(sorted(kinds))}")
    unknown = sorted(set(frame["status"].dropna()) - {FINISHED, FAILED, PLANNED})
    if unknown or frame[["task", "kind", "status"]].isna().any(axis=None):
        raise InputError(
            f"{path}: is damaged (status {unknown[0]!r})" if unknown else f"{path}: is damaged (empty cells)"
        )
    return frame


def load_chips(directory: Path | str) -> pd.DataFrame:
    """The single chips of a sweep's tasks: columns ``task``, ``chip``, ``accuracy``.

    Raises:
        InputError: The file is missing, damaged or of another version.
    """
    path = Path(directory) / CHIPS
    frame = _read_parquet(path, ("task", "chip", "accuracy"))
    # A column without a value has no type of its own.
    if frame["accuracy"].notna().any() and not pd.api.types.is_numeric_dtype(frame["accuracy"]):
        raise InputError(f"{path}: is damaged (accuracies that are no numbers)")
    return frame


def _read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    # pyarrow's errors for what is no parquet file are OSErrors, ValueErrors and more, depending on where it breaks.
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except ImportError:
        raise InputError(f"{path}: reading it needs pyarrow (pip install pyarrow)") from None
    except Exception as error:
        raise InputError(f"{path}: is damaged or no parquet file ({str(error)[:200]})") from None
    frame = frame.rename(columns=current_name)
    for column in columns:
        if column not in frame.columns:
            raise InputError(f"{path}: has no column {column!r}; it is of another version or no table of a sweep")
    texts = [name for name, column in frame.items() if column.dtype == object or pd.api.types.is_string_dtype(column)]
    fixed = {name: dtype_of(str(name)) for name in frame.columns}
    try:
        return frame.astype(
            dict.fromkeys(texts, "string") | {name: kind for name, kind in fixed.items() if kind != "float64"}
        )
    except (OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error})") from None


def load_tables(paths: Sequence[str | Path]) -> Tables:
    """Put together the tables of sweeps and of finished runs.

    Args:
        paths: Directories of sweeps, of runs, and directories with runs right below them (what ``barkhausen reproduce``
            of version 0.1.0 left). A path given twice counts once, and so does a task that several sweeps hold, since
            it is the same computation.

    Raises:
        InputError: A path is none of these, something in it is damaged, or the kinds of tasks differ.
    """
    places = [Path(each) for each in paths]
    if not places:
        raise InputError("nothing to put into a table: name a directory of a sweep or of runs")
    tables: list[pd.DataFrame] = []
    chips: list[pd.DataFrame] = []
    runs: list[Path] = []
    for place in {place.resolve(): place for place in places}.values():
        if (place / TABLE).exists() or (place / SWEEP).exists():
            tables.append(load_table(place))
            if (place / CHIPS).exists():
                chips.append(load_chips(place))
        else:
            runs += _runs_below(place)
    if runs:
        found = list({run.resolve(): run for run in runs}.values())
        finished = [load_run(run) for run in found]
        tables.append(_table_of(finished, found))
        chips.append(_chips_of(finished, found))
    kinds = sorted({kind for table in tables for kind in table["kind"].dropna().unique()})
    if len(kinds) > 1:
        raise InputError(f"tasks of the kinds {' and '.join(kinds)} do not go into one table; name them apart")
    rows = _together(tables)
    if rows.empty:
        raise InputError(f"{', '.join(map(str, paths))}: the table has no rows")
    notes: tuple[Note, ...] = ()
    again = rows["task"].duplicated()
    if again.any():
        text = f"{int(again.sum())} rows are of tasks that stand in the tables already, and do not count again"
        notes = (Note("repeated", text),)
        # Finished beats failed beats planned, wherever it stands.
        rank = rows["status"].map({FINISHED: 0, FAILED: 1, PLANNED: 2})
        best = rows.assign(_rank=rank).sort_values("_rank", kind="stable").drop_duplicates("task").index
        rows = rows.loc[sorted(best)].reset_index(drop=True)
    none = pd.DataFrame({"task": [], "chip": [], "accuracy": []}).astype({"task": "string", "chip": "Int64"})
    return Tables(rows, _together(chips).drop_duplicates(["task", "chip"]) if chips else none, notes)


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows below each other; columns that some lack are empty there, and stand beside those they stood beside."""
    if len(tables) == 1:
        return tables[0]
    rows = pd.concat(tables, ignore_index=True)
    columns = list(dict.fromkeys(column for table in tables for column in table.columns))
    late = [column for table in tables[1:] for column in table.columns if column not in tables[0].columns]
    place = columns.index("error") + 1 if "error" in columns else len(columns)
    order = [column for column in columns if column not in late]
    swept = [column for column in late if "." in column]
    order[place:place] = swept
    return rows.reindex(columns=[*order, *(column for column in late if column not in swept)])


def _runs_below(path: Path) -> list[Path]:
    """The directory itself if it is a run's, or those right below that are."""
    if not path.is_dir():
        raise InputError(f"{path}: no such directory")
    summary = path / "summary.json"
    if summary.exists() and isinstance(read_json(summary), dict):
        return [path]
    found = [below.parent for below in sorted(path.glob("*/summary.json"))]
    if not found:
        raise InputError(f"{path}: is neither a sweep ({TABLE}) nor a finished run (summary.json), nor holds any run")
    return found


def table_of_runs(directories: Sequence[Path]) -> pd.DataFrame:
    """The same columns as a sweep's table, from finished runs; keys of the recipe that differ count as swept.

    ``task`` is the directory.

    Raises:
        InputError: One is not finished, damaged or of another version.
    """
    found = list({directory.resolve(): directory for directory in directories}.values())
    return _table_of([load_run(directory) for directory in found], found)


def _table_of(runs: Sequence[FinishedRun], directories: Sequence[Path]) -> pd.DataFrame:
    recipes = [flat(run.summary["recipe"]) for run in runs]
    keys = list(dict.fromkeys(key for recipe in recipes for key in recipe if key not in {*ALWAYS, "threads"}))
    cells = {key: [_cell(recipe.get(key)) for recipe in recipes] for key in keys}
    swept = {key: column for key, column in cells.items() if any(cell != column[0] for cell in column)}
    rows = [
        {"task": str(directory), "kind": "train", "status": FINISHED, "error": None}
        | {key: column[number] for key, column in swept.items()}
        | _results(run)
        for number, (run, directory) in enumerate(zip(runs, directories, strict=True))
    ]
    found = list(dict.fromkeys(name for row in rows for name in row))
    columns = [*IDENTITY, *swept, *ALWAYS, *(name for name in JOBS["train"].with_causes(found) if name not in ALWAYS)]
    return _typed(pd.DataFrame(rows, columns=columns), swept)


def _results(run: FinishedRun) -> dict[str, Any]:
    summary = run.summary
    return {
        "mode": summary["mode"],
        SEED: summary["seed"],
        "dataset": summary["dataset"]["name"],
        "device": run.device_name,
        **training_row(summary),
    }


def _chips_of(runs: Sequence[FinishedRun], directories: Sequence[Path]) -> pd.DataFrame:
    """Single chips, of runs whose summary has them (``values`` beside mean and spread)."""
    rows = [
        (str(directory), number, value)
        for run, directory in zip(runs, directories, strict=True)
        for number, value in enumerate(single_chips(run.summary))
    ]
    frame = pd.DataFrame(rows, columns=["task", "chip", "accuracy"])
    return frame.astype({"task": "string", "chip": "Int64", "accuracy": "float64"})


def _cell(value: object) -> Any:
    """A value of a recipe as a table holds it: lists as JSON text."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def _typed(frame: pd.DataFrame, swept: Sequence[str] | dict[str, Any]) -> pd.DataFrame:
    """Fixed types, whatever the values happen to be."""
    types: dict[str, Any] = {}
    for column in frame.columns:
        if column in swept:
            types[column] = _type_of(frame[column])
        else:
            types[column] = dtype_of(str(column))
    return frame.astype(types)


def _type_of(column: pd.Series[Any]) -> str:
    kinds = {type(value) for value in column if value is not None}
    if kinds <= {bool}:
        return "boolean"
    if kinds <= {int}:
        return "Int64"
    if kinds <= {int, float}:
        return "float64"
    return "string"
