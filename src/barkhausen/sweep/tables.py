"""Tables of a sweep as Parquet files: one row for each planned task, one for each chip, and separate timings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from barkhausen.core.dotted import taken
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_path
from barkhausen.experiment.jobs import JOBS
from barkhausen.results.columns import ALWAYS, IDENTITY, PLANNED, dtype_of
from barkhausen.results.file_names import CHIPS, TABLE, TIMINGS
from barkhausen.sweep.plan import Task
from barkhausen.sweep.sweep_file import Range, Search
from barkhausen.sweep.task import Outcome

ROW_GROUP = 100_000


def write_tables(
    directory: str | Path, kind: str, search: Search, plan: Sequence[Task], outcomes: Mapping[str, Outcome]
) -> None:
    """Write the three files anew, each atomically.

    Nothing in ``table.parquet`` and ``chips.parquet`` depends on when, where and how often a task ran: what follows
    from the same plan and the same results is the same, byte for byte (with the same version of pyarrow).

    Args:
        directory: Directory of the sweep.
        kind: Kind of its tasks.
        search: Search, whose axes are columns.
        plan: Tasks planned so far, in order.
        outcomes: Known outcomes by key.
    """
    directory = Path(directory)
    _write(directory / TABLE, table(kind, search, plan, outcomes))
    _write(directory / CHIPS, _chips(plan, outcomes))
    _write(directory / TIMINGS, _timings(plan, outcomes))


def table(kind: str, search: Search, plan: Sequence[Task], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """One row a task. Columns and types follow from the sweep, energies by cause from its results."""
    job = JOBS.named(kind)
    always = ALWAYS if job.networks else ()
    swept = search.keys
    found = dict.fromkeys(name for task in plan for name in outcomes.get(task.key, {}).get("row", ()))
    job = job.for_results(found)
    columns = list(dict.fromkeys([*IDENTITY, *swept, *always, *job.with_causes(list(found))]))
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    for task in plan:
        row = _row(task, outcomes.get(task.key), swept)
        for column, values in cells.items():
            values.append(row.get(column))
    series = {}
    for column, values in cells.items():
        dtype = _dtype_of(search, column, values) if column in swept else None
        if dtype is None:
            dtype = dtype_of(column, job)
        try:
            series[column] = pd.Series(values, dtype=dtype)
        except (OverflowError, TypeError, ValueError) as error:
            raise InputError(f"column '{column}': a result.json below tasks/ is damaged ({error})") from None
    return pd.DataFrame(series)


def tasks_of_table(directory: Path) -> set[str]:
    """Keys of the tasks of the table that a directory holds; none where there is no table that can be read."""
    try:
        return set(map(str, pq.read_table(directory / TABLE, columns=["task"])["task"].to_pylist()))
    except (OSError, ValueError, KeyError):
        return set()


def _row(task: Task, outcome: Outcome | None, swept: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {**task.shown}
    status, error = PLANNED, None
    if outcome is not None:
        status, error = outcome["status"], outcome.get("error")
        row |= outcome.get("row", {})
    # Points of a list need not name the same keys: what one leaves out is what its recipe says.
    resolved = task.resolved() if any(key not in task.settings for key in swept) else {}
    row |= {key: _cell(task.settings[key] if key in task.settings else taken(resolved, key)) for key in swept}
    return row | {"task": task.key, "kind": task.kind, "status": status, "error": error}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def _dtype_of(search: Search, key: str, values: Sequence[Any]) -> str:
    """Type of a swept column: that of all values that the axis has, tried or not."""
    axis = search.over.get(key, search.repeat.get(key))
    if isinstance(axis, Range):
        return "Int64" if axis.integer else "float64"
    kinds = {type(_cell(value)) for value in (values if axis is None else axis) if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "Int64"
    return "float64" if kinds and kinds <= {int, float} else "string"


def _chips(plan: Sequence[Task], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    rows = [
        (key, chip, accuracy)
        for key in dict.fromkeys(task.key for task in plan)
        for chip, accuracy in enumerate(outcomes.get(key, {}).get("chips", ()))
    ]
    frame = pd.DataFrame(rows, columns=["task", "chip", "accuracy"])
    return frame.astype({"task": "string", "chip": "Int64", "accuracy": "float64"})


def _timings(plan: Sequence[Task], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Timings of every task with an outcome, including the trainings that inferences needed."""
    tasks = [part for task in plan for part in (task.needs, task) if part is not None]
    columns = ["seconds", "worker", "started", "attempts"]
    rows = [
        (key, *(outcomes[key].get(column) for column in columns))
        for key in dict.fromkeys(task.key for task in tasks)
        if key in outcomes
    ]
    frame = pd.DataFrame(rows, columns=["task", *columns])
    types = {"task": "string", "seconds": "float64", "worker": "string", "started": "string", "attempts": "Int64"}
    return frame.astype(types)


def _write(path: Path, frame: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        pq.write_table(
            pa.Table.from_pandas(frame, preserve_index=False), temporary, compression="zstd", row_group_size=ROW_GROUP
        )
