"""The tables of a sweep: one row a planned task, one row a chip, and times apart, as Parquet files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from barkhausen.core.config import flat
from barkhausen.core.files import atomic_path
from barkhausen.results.columns import ALWAYS, DTYPES, IDENTITY, PLANNED, RESULTS, TEXTS
from barkhausen.results.file_names import CHIPS, TABLE, TIMINGS
from barkhausen.sweep.plan import Task
from barkhausen.sweep.sweep_file import Kind, Range, Search
from barkhausen.sweep.task import Outcome

INFERENCE_CAUSES = ("device_read", "wires", "dac", "adc", "accumulate", "normalise", "buffer", "programming")

ROW_GROUP = 100_000


def result_columns(kind: Kind) -> tuple[str, ...]:
    """Columns of results of a kind of task, in the order of the table."""
    columns = RESULTS[kind]
    if kind != "infer":
        return columns
    place = columns.index("system_picojoule") + 1
    return (*columns[:place], *(f"{cause}_picojoule" for cause in INFERENCE_CAUSES), *columns[place:])


def number_columns(kind: Kind) -> list[str]:
    """Those of them that hold numbers."""
    return [column for column in result_columns(kind) if column not in TEXTS]


def write_tables(
    directory: Path, kind: Kind, search: Search, plan: Sequence[Task], outcomes: Mapping[str, Outcome]
) -> None:
    """Write the three files anew, each atomically.

    Nothing in ``table.parquet`` and ``chips.parquet`` depends on when, where and how often a task ran: what follows
    from the same plan and the same results is the same, byte for byte (with the same version of pyarrow).

    Args:
        directory: of the sweep.
        kind: of its tasks.
        search: names the columns of what was searched over.
        plan: the tasks so far planned, in order.
        outcomes: what is known of them, by address.
    """
    _write(directory / TABLE, table(kind, search, plan, outcomes))
    _write(directory / CHIPS, _chips(plan, outcomes))
    _write(directory / TIMINGS, _timings(plan, outcomes))


def table(kind: Kind, search: Search, plan: Sequence[Task], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """One row a task; the columns and their types follow from the sweep alone, not from how it went."""
    always = () if kind == "characterize" else ALWAYS
    swept = search.keys
    columns = list(dict.fromkeys([*IDENTITY, *swept, *always, *result_columns(kind)]))
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    for task in plan:
        row = _row(task, outcomes.get(task.address), swept)
        for column, values in cells.items():
            values.append(row.get(column))
    series = {}
    for column, values in cells.items():
        dtype = _dtype_of(search, column, values) if column in swept else None
        if dtype is None:
            dtype = "string" if column in TEXTS else DTYPES.get(column, "float64")
        series[column] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(series)


def _row(task: Task, outcome: Outcome | None, swept: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {**task.shown}
    status, error = PLANNED, None
    if outcome is not None:
        status, error = outcome["status"], outcome.get("error")
        row |= outcome.get("row", {})
    missing = [key for key in swept if key not in task.settings]
    # Points of a list need not name the same keys: what one leaves out is what its recipe says.
    resolved = flat(task.resolved()) if missing else {}
    row |= {key: _cell(task.settings.get(key, resolved.get(key))) for key in swept}
    return row | {"task": task.address, "kind": task.kind, "status": status, "error": error}


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
        (address, chip, accuracy)
        for address in dict.fromkeys(task.address for task in plan)
        for chip, accuracy in enumerate(outcomes.get(address, {}).get("chips", ()))
    ]
    frame = pd.DataFrame(rows, columns=["task", "chip", "accuracy"])
    return frame.astype({"task": "string", "chip": "Int64", "accuracy": "float64"})


def _timings(plan: Sequence[Task], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Of every task with an outcome; the trainings that inferences needed come with them."""
    tasks = [part for task in plan for part in (task.needs, task) if part is not None]
    columns = ["seconds", "worker", "started", "attempts"]
    rows = [
        (address, *(outcomes[address].get(column) for column in columns))
        for address in dict.fromkeys(task.address for task in tasks)
        if address in outcomes
    ]
    frame = pd.DataFrame(rows, columns=["task", *columns])
    types = {"task": "string", "seconds": "float64", "worker": "string", "started": "string", "attempts": "Int64"}
    return frame.astype(types)


def _write(path: Path, frame: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        pq.write_table(
            pa.Table.from_pandas(frame, preserve_index=False), temporary, compression="zstd", row_group_size=ROW_GROUP
        )
