"""Look-up tables of CrossSim: the change of conductance by one pulse as a function of conductance and probability.

A table is a text file: a line of words, a line of conductances (columns), a line of cumulative probabilities (rows),
then the changes of conductance. There are two, of pulses up (``dG_increasing.txt``) and down (``dG_decreasing.txt``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.importers.numbers import is_number, parsed
from barkhausen.device.importers.sheets import Row, Sheet
from barkhausen.device.pulses.device import PulsedDevice

Numbers = tuple[Float[np.ndarray, " conductance"], Float[np.ndarray, " level"], Float[np.ndarray, "level conductance"]]


def is_look_up_table(sheet: Sheet) -> bool:
    """Whether a table is a look-up table of CrossSim."""
    rows = _numeric(sheet)
    if len(rows) < 4:
        return False
    conductances, levels = (_values(row) for row in rows[:2])
    return (
        len(conductances) > 2
        and len(levels) == len(rows) - 2
        and bool((np.diff(levels) > 0).all())
        and 0 <= levels[0] <= levels[-1] <= 1
    )


def import_look_up_tables(up: Sheet, down: Sheet, points: int, path: Path, technology: str) -> PulsedDevice:
    """Device of two look-up tables.

    Args:
        up, down: Tables of pulses up and down.
        points: Number of points of the grid of weights.
        path: File, for metadata.
        technology: Name of the technology.

    Raises:
        InputError: The tables do not fit each other, or a mean change is zero everywhere.
    """
    tables = [_table(sheet) for sheet in (up, down)]
    if not np.allclose(tables[0][0], tables[1][0], rtol=1e-4):
        raise InputError(f"{down.header.where}: has other conductances than {up.header.where}")
    conductances = tables[0][0]
    low, high = float(conductances[0]), float(conductances[-1])
    unit = 2 / (high - low)
    places = np.linspace(low, high, points)
    mean, sd = np.zeros((2, points)), np.zeros((2, points))
    for row, (_, levels, changes) in enumerate(tables):
        # A quantile function that is linear between its levels, and constant beyond the first and the last.
        edges = np.concatenate([[0.0], levels, [1.0]])
        padded = np.concatenate([changes[:1], changes, changes[-1:]]) * unit
        share = np.diff(edges)[:, None]
        first, second = padded[:-1], padded[1:]
        average = (share * (first + second) / 2).sum(axis=0)
        square = (share * (first**2 + first * second + second**2) / 3).sum(axis=0)
        signed = np.maximum(average, 0.0) if row == 0 else np.minimum(average, 0.0)
        mean[row] = np.interp(places, conductances, signed)
        sd[row] = np.interp(places, conductances, np.sqrt(np.maximum(square - average**2, 0.0)))
    return PulsedDevice.from_steps(
        mean,
        sd,
        technology=technology,
        source="measured",
        state_range=(low, high),
        assumed=["look-up tables say nothing of differences between devices: all are equal"],
        attributes={"imported_from": path.name, "read_as": ["look-up tables of CrossSim"]},
    )


def _numeric(sheet: Sheet) -> list[Row]:
    rows = [sheet.header, *sheet.rows]
    return [row for row in rows if all(is_number(cell) for cell in row.cells if cell.strip())]


def _values(row: Row) -> Float[np.ndarray, " cell"]:
    cells = [cell for cell in row.cells if cell.strip()]
    return np.array(parsed(cells, [row.where] * len(cells))[0])


def _table(sheet: Sheet) -> Numbers:
    rows = _numeric(sheet)
    conductances, levels = _values(rows[0]), _values(rows[1])
    changes = [_values(row) for row in rows[2:]]
    for row, values in zip(rows[2:], changes, strict=True):
        if len(values) != len(conductances):
            raise InputError(f"{row.where}: {len(values)} changes for {len(conductances)} conductances")
    if not (np.diff(conductances) > 0).all() or conductances[0] < 0:
        raise InputError(f"{rows[0].where}: conductances must rise and not be negative")
    return conductances, levels, np.array(changes)
