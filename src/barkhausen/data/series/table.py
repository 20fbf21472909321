"""Columns of published tables, verified by their values."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import decoded, read_bytes, unpacked
from barkhausen.data.published import PublishedFiles
from barkhausen.data.series.windows import SeriesDataset, SeriesOptions, windows_of


class Column(NamedTuple):
    """A published column: its place, number of rows, SHA-256 of its values (see :func:`check_values`), unit, and number
    of empty cells."""

    place: int
    rows: int
    sha256: str
    unit: str
    empty: int = 0


def column_of(path: Path, column: int, rows: int) -> list[str]:
    """Cells of one column of a comma-separated file with one line of headings.

    Args:
        path: The file, packed if its name ends in ``.gz``.
        column: Place of the column.
        rows: Number of rows that it must have.

    Raises:
        InputError: The file is damaged, or has another number of rows or too few columns.
    """
    stored = read_bytes(path, binary=True)
    text = decoded(unpacked(stored, str(path)) if path.suffix == ".gz" else stored, path)
    lines = [line for line in csv.reader(text.splitlines()) if line][1:]
    if len(lines) != rows:
        raise InputError(f"{path}: has {len(lines)} rows below its headings where the published series has {rows}")
    narrow = next((number for number, line in enumerate(lines, 2) if len(line) <= column), None)
    if narrow is not None:
        raise InputError(f"{path}: line {narrow}: has no column {column + 1}")
    return [line[column].strip() for line in lines]


def numbers(path: Path, cells: Sequence[str], empty: int = 0) -> list[float]:
    """The cells as numbers.

    Args:
        path: File for the message.
        cells: Cells of a column.
        empty: Number of empty cells that there may be; they become NaN.

    Raises:
        InputError: One is none.
    """
    found = []
    for row, cell in enumerate(cells, 1):
        if not cell and empty:
            found.append(math.nan)
            empty -= 1
            continue
        try:
            found.append(float(cell))
        except ValueError:
            raise InputError(f"{path}: row {row}: {cell[:40]!r} is no number") from None
    return found


def column_windows(
    files: PublishedFiles, data_dir: Path | None, allow_download: bool, options: SeriesOptions, published: Column
) -> SeriesDataset:
    """Find, read and verify one column of the only file of a data set; windows of it.

    Empty cells are filled in a straight line between the values before and after them.

    Args:
        files: Files of the data set.
        data_dir: Directory that the user names.
        allow_download: Whether the network may be used.
        options: Windows.
        published: The column.

    Raises:
        DataNotFoundError: The file is nowhere to be found.
        InputError: It is damaged or holds other values, or the windows do not fit.
    """
    root, source = files.find(data_dir, allow_download=allow_download)
    path, _ = files.present(files.files[0], root)
    values = numbers(path, column_of(path, published.place, published.rows), published.empty)
    check_values(path, values, published.sha256)
    return windows_of(files.name, source, filled(np.array(values)), published.unit, options)


def filled(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """The series with each NaN on the straight line between the values before and after it."""
    known = np.isfinite(values)
    time = np.arange(len(values))
    whole: Float[np.ndarray, " time"] = np.interp(time, time[known], values[known])
    return whole


def check_values(path: Path, values: Sequence[float], sha256: str) -> None:
    """Refuse values that are not the published ones.

    Args:
        path: File for the message.
        values: Values, in order.
        sha256: SHA-256 of the published values, each as Python writes it in ``%.6g``, one a line.

    Raises:
        InputError: They are others.
    """
    found = hashlib.sha256("\n".join(f"{value:.6g}" for value in values).encode()).hexdigest()
    if found != sha256:
        raise InputError(f"{path}: its values are not the published ones (sha256 {found}, published {sha256})")
