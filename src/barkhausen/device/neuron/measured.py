"""Measured curves of the firing probability of a neuron, read from a table."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes
from barkhausen.device.neuron.device import NeuronDevice

COLUMNS = ("drive", "probability")
LARGEST = 1 << 20
"""Bytes of the largest table."""


def import_firing_curve(path: str | Path, *, drive: str = "voltage", unit: str = "V") -> NeuronDevice:
    """Make a neuron of a CSV file with the columns ``drive`` and ``probability``, and ``trials`` if it is known.

    Args:
        path: Table.
        drive: Name of the drive.
        unit: Its SI unit.

    Raises:
        InputError: The file cannot be read, a column is missing, or a value is impossible.
    """
    path = Path(path)
    content = read_bytes(path, binary=False)
    if len(content) > LARGEST:
        raise InputError(f"{path}: has {len(content)} bytes, more than a table of a curve has")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline="")))
    if not rows:
        raise InputError(f"{path}: holds no rows")
    missing = [name for name in COLUMNS if name not in rows[0]]
    if missing:
        raise InputError(f"{path}: has no column {missing[0]!r}; needed are {' and '.join(COLUMNS)}")
    drives, chances = (
        np.array([_number(path, row, name, line) for line, row in enumerate(rows, 2)]) for name in COLUMNS
    )
    order = np.argsort(drives)
    trials = None
    if "trials" in rows[0]:
        counts = [_number(path, row, "trials", line) for line, row in enumerate(rows, 2)]
        wrong = next((count for count in counts if count < 1 or count != round(count)), None)
        if wrong is not None:
            raise InputError(f"{path}: trials = {wrong:g}: must be a whole number of at least 1")
        trials = [int(counts[number]) for number in order]
    try:
        return NeuronDevice.from_probability(
            drives[order],
            chances[order],
            source="measured",
            drive=(drive, unit, f"{drive} of the pulse"),
            trials=trials,
            assumed=("the probability is linear between the measured drives, and constant beyond them",),
            attributes={"file": path.name},
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _number(path: Path, row: dict[str, str], name: str, line: int) -> float:
    text = row.get(name)
    try:
        value = float(str(text))
    except ValueError:
        raise InputError(f"{path}: line {line}: {name} = {text!r}: must be a number") from None
    if not math.isfinite(value):
        raise InputError(f"{path}: line {line}: {name} = {text!r}: must be finite")
    return value
