"""The file ``points.csv``: all points of a search for a front, from which an interrupted search resumes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.device.domain_wall.design.front import MERITS, Found, FrontSpace, Merits


class CsvPoints:
    """Points in a file of comma-separated values, one row each.

    The columns are the generation, all variables, the gate voltages of the states and the merits; the last two are
    empty for impossible designs. Numbers are written with all their digits. The file is always replaced as a whole.

    Args:
        path: File, which is read if it exists.
        space: Devices of the search.

    Raises:
        InputError: The file is not that of such a search.
    """

    def __init__(self, path: Path, space: FrontSpace) -> None:
        self.path, self.names, self.place = path, space.names, str(path)
        self.voltages = [f"gate_voltage_{k}" for k in range(space.states)]
        self.points: list[Found] = self._read() if path.exists() else []

    def of(self, generation: int) -> list[Found]:
        """The points of a generation in order; none if it has not been stored."""
        return [point for point in self.points if point.generation == generation]

    def add(self, points: Sequence[Found]) -> None:
        """Store one generation: all of it or, on failure, nothing.

        Raises:
            InputError: The file cannot be written.
        """
        every = [*self.points, *points]
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["generation", *self.names, *self.voltages, *MERITS])
        for point in every:
            merits = [""] * len(MERITS)
            if point.merits is not None:
                merits = [repr(getattr(point.merits, name)) for name in MERITS]
            voltages = [repr(v) for v in point.voltages] or [""] * len(self.voltages)
            rows.writerow([point.generation, *map(repr, point.vector), *voltages, *merits])
        atomic_write(self.path, text.getvalue())
        self.points = every

    def _read(self) -> list[Found]:
        rows = csv.DictReader(io.StringIO(read_text(self.path)))
        found = []
        try:
            for row in rows:
                possible = row[MERITS[0]] != ""
                merits = {name: _number(row[name], signed=False) for name in MERITS} if possible else None
                found.append(
                    Found(
                        int(row["generation"]),
                        tuple(_number(row[name]) for name in self.names),
                        tuple(_number(row[name]) for name in self.voltages) if possible else (),
                        None if merits is None else Merits(**merits),
                    )
                )
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise InputError(
                f"{self.path}: line {rows.line_num} is not a point of this search ({error}); delete the file to search "
                "anew"
            ) from None
        return found


def _number(text: str, *, signed: bool = True) -> float:
    value = float(text)
    if not math.isfinite(value) or (value < 0 and not signed):
        raise ValueError(f"{text} is out of range")
    return value
