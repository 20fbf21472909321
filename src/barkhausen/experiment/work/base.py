"""What a worker gets, and what it gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barkhausen.core.files.reading import read_bytes


@dataclass(frozen=True)
class Order:
    """What a worker gets.

    Attributes:
        values, given, device, threads: As planned.
        directory: Directory of the task's own files.
        root: Directory of the sweep.
        needed: Directory of the files of the task that had to be finished before.
        data_dir: Root of the data sets.
        notes: Lines that the results are to carry.
    """

    values: dict[str, Any]
    given: dict[str, Any]
    device: str | None
    threads: int
    directory: Path
    root: Path
    needed: Path | None = None
    data_dir: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a finished task gives: its row, and the accuracy on each chip that was measured."""

    row: dict[str, Any]
    chips: tuple[float, ...] = ()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(read_bytes(path, binary=True)).hexdigest()
