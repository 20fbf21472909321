"""Directory of a sweep: layout and locks.

sweep.toml                     the sweep, with every default and the content of its base
tasks/ab/abcdef…/              a task, named by its key
    task.json                  its definition
    work/                      the directory of the run, or the files of the characterisation
    result.json                its row; exists if and only if the task is finished
    failure.json               reason for the failure of the last attempt
    attempts.jsonl             a line for each attempt, written at its start
table.parquet, chips.parquet, timings.parquet, report.html
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write, claimed_directory, open_lock, remove_partial, take_lock
from barkhausen.core.files.reading import is_file, read_bytes
from barkhausen.results.columns import FINISHED
from barkhausen.results.file_names import SWEEP

POLL = 0.5
"""Time in s between attempts to take a lock that another process holds."""


class Store:
    """The directory of one sweep.

    Args:
        directory: Directory of this sweep alone, on a file system shared by all workers.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def of(self, key: str) -> Path:
        """Directory of a task."""
        return self.directory / "tasks" / key[:2] / key

    def work(self, key: str) -> Path:
        """Working directory of a task."""
        return self.of(key) / "work"

    def result(self, key: str) -> dict[str, Any] | None:
        """Result of a finished task, or None."""
        return _read(self.of(key) / "result.json")

    def failure(self, key: str) -> dict[str, Any] | None:
        """Record of the last failed attempt, or None."""
        return _read(self.of(key) / "failure.json")

    def attempts(self, key: str) -> list[str]:
        """A line for each attempt that was started."""
        path = self.of(key) / "attempts.jsonl"
        return read_text(path).splitlines() if is_file(path) else []

    def begin(self, key: str, about: dict[str, Any], attempt: dict[str, Any]) -> int:
        """Record the task and the start of an attempt; return its number, from 1. The lock must be held."""
        directory = self.of(key)
        remove_partial(directory)
        described = directory / "task.json"
        if not described.exists():
            atomic_write(described, json.dumps(about, indent=1) + "\n")
        lines = [*self.attempts(key), json.dumps(attempt)]
        atomic_write(directory / "attempts.jsonl", "\n".join(lines) + "\n")
        return len(lines)

    def finish(self, key: str, outcome: dict[str, Any]) -> None:
        """Write the result. The lock must be held."""
        atomic_write(self.of(key) / "result.json", json.dumps(outcome, indent=1, allow_nan=False) + "\n")
        (self.of(key) / "failure.json").unlink(missing_ok=True)

    def fail(self, key: str, outcome: dict[str, Any]) -> None:
        """Write the record of a failure."""
        atomic_write(self.of(key) / "failure.json", json.dumps(outcome, indent=1, allow_nan=False) + "\n")

    @contextlib.contextmanager
    def locked(self, key: str, patience: float) -> Iterator[bool]:
        """Hold the lock of a task, which ends with the process. Yields False if another process keeps it too long.

        Args:
            key: Key of the task.
            patience: Time in s to wait for another process, such as a worker that the scheduler has lost.
        """
        with open_lock(self.of(key)) as file:
            until = time.monotonic() + patience
            while not (ours := take_lock(file)) and time.monotonic() < until:
                time.sleep(POLL)
            yield ours

    @contextlib.contextmanager
    def claimed(self, sweep: str) -> Iterator[None]:
        """Reserve the directory for this sweep, and exclude other commands while the block runs.

        Args:
            sweep: Content of ``sweep.toml``. It may differ from the stored one; common tasks are kept.

        Raises:
            InputError: The directory is used for something else, another process is running there, or it cannot be
                written.
        """
        with claimed_directory(self.directory, SWEEP, "a sweep"):
            atomic_write(self.directory / SWEEP, sweep)
            yield


def _read(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file. None if it is missing or damaged; a damaged file is written again."""
    if not is_file(path):
        return None
    try:
        value = json.loads(read_bytes(path))
    except InputError:
        raise
    except (ValueError, RecursionError):
        return None
    return value if _is_outcome(value) else None


def _is_outcome(value: Any) -> bool:
    """Whether a value can be what a task wrote: its row has a number or text for each column."""
    if not isinstance(value, dict) or not isinstance(value.get("status"), str):
        return False
    row, chips = value.get("row", {}), value.get("chips", [])
    numbers = (value.get("seconds"), value.get("attempts"), *(chips if isinstance(chips, list) else [None]))
    return (
        isinstance(row, dict)
        and all(cell is None or isinstance(cell, str | int | float) for cell in row.values())
        and all(isinstance(number, int | float) for number in numbers)
        and all(value.get(name) is None or isinstance(value[name], str) for name in _TEXTS)
        and (value["status"] == FINISHED or isinstance(value.get("error"), str))
    )


_TEXTS = ("error", "traceback", "worker", "started")
