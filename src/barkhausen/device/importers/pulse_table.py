"""Tables of conductances after pulses, in their many layouts, as sequences of signs and values by device and cycle.

Understood are, with or without a header:

- one row a pulse, with its number and a value, and optional columns of device, cycle and direction;
- two columns of values, one of pulses up and one of pulses down, with or without numbers of pulses (aihwkit's example
  of Gong et al. has two columns and no header);
- several such columns: one of values for each device, or several pairs of pulses up and down, which are cycles;
- a matrix with one run in each column, pulses up in one file and pulses down in another (CrossSim's measurements).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.core.units import checked_unit_factor
from barkhausen.device.importers.numbers import cleaned, is_gap, is_number, parsed
from barkhausen.device.importers.pulse_columns import (
    DOWN,
    START,
    UNITS,
    UP,
    PulseColumns,
    ValueColumn,
    columns_of_pulses,
)
from barkhausen.device.importers.pulse_runs import Run, cycles_of, turned, up_and_down
from barkhausen.device.importers.sheets import Row, Sheet

ONE_DEVICE = "all runs are of one device"
MANY_TURN = "no direction of the pulses is given: each curve turns at its largest value"


@dataclass(frozen=True)
class PulseTable:
    """Sequences of pulses in a table.

    Args:
        runs: Sequences by device and cycle, in the order of the table.
        unit: ``S`` or, where the table gives no unit, ``1``.
        notes: What was found out while reading, a phrase each.
        assumed: Assumptions, a line each.
    """

    runs: dict[tuple[str, str], Run]
    unit: str
    notes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def pulse_table(sheet: Sheet, down: Sheet | None = None, unit: str | None = None) -> PulseTable:
    """Read a table.

    Args:
        sheet: Table, or the one of pulses up where there are two.
        down: Table of pulses down.
        unit: Unit of the values where the headings have none.

    Raises:
        InputError: The layout is not understood, or a cell is no number; the message names the line.
    """
    if down is not None:
        return _two_files(sheet, down, unit)
    if _headless(sheet):
        return _without_header(sheet, unit)
    return _with_header(sheet, unit)


def _headless(sheet: Sheet) -> bool:
    cells = [cell for cell in sheet.header.cells if cell.strip()]
    return bool(cells) and all(is_number(cell) for cell in cells)


def _rows(sheet: Sheet) -> list[Row]:
    rows = [sheet.header, *sheet.rows] if _headless(sheet) else sheet.rows
    if not rows:
        raise InputError(f"{sheet.header.where}: holds no rows")
    return rows


def _column(rows: Sequence[Row], number: int) -> list[float]:
    cells = [row.cells[number] if number < len(row.cells) else "" for row in rows]
    return parsed(cells, [row.where for row in rows])[0]


def _factor(unit: str | None, where: str, quantity: str = "conductance") -> tuple[float, str]:
    if unit is None:
        return 1.0, "1"
    return checked_unit_factor(unit, UNITS[quantity], where), "S"


def _matrix(sheet: Sheet) -> list[list[float]]:
    """Columns of numbers, without the missing cells at their ends."""
    rows = _rows(sheet)
    width = max(len(row.cells) for row in rows)
    columns = [_shortened(_column(rows, number)) for number in range(width)]
    return [values for values in columns if values]


def _shortened(values: list[float]) -> list[float]:
    """The values without those that are missing at the end."""
    known = np.flatnonzero(~np.isnan(values))
    return values[: known[-1] + 1] if len(known) else []


def _two_files(up: Sheet, down: Sheet, unit: str | None) -> PulseTable:
    factor, found = _factor(unit, "unit")
    both = [_matrix(sheet) for sheet in (up, down)]
    if len(both[0]) != len(both[1]):
        raise InputError(
            f"{up.header.where}: holds {len(both[0])} runs of pulses up, {down.header.where} {len(both[1])} of pulses "
            "down: must be equal, one column a run"
        )
    runs = {
        ("1", str(number)): up_and_down(one, other, factor)
        for number, (one, other) in enumerate(zip(*both, strict=True), start=1)
    }
    return PulseTable(runs, found, (*up.notes, "one run in each column"), (ONE_DEVICE,))


def _without_header(sheet: Sheet, unit: str | None) -> PulseTable:
    rows = _rows(sheet)
    widths = {len(row.cells) for row in rows}
    if len(widths) > 1:
        raise InputError(f"{sheet.header.where}: the rows have {min(widths)} to {max(widths)} fields")
    columns = [_column(rows, number) for number in range(widths.pop())]
    factor, found = _factor(unit, "unit")
    numbered = len(columns) > 1 and np.array_equal(np.diff(columns[0]), np.ones(len(rows) - 1)) and len(rows) > 2
    values = columns[1:] if numbered else columns
    if len(values) == 1:
        cycles, line = turned([factor * value for value in values[0]], sheet.header.where)
        return PulseTable(_numbered("1", cycles), found, (*sheet.notes, "no header"), (line,))
    if len(values) == 2:
        runs = {("1", "1"): up_and_down(values[0], values[1], factor)}
        note = "no header: pulses up in one column, pulses down in the other"
        return PulseTable(runs, found, (*sheet.notes, note))
    raise InputError(
        f"{sheet.header.where}: {len(columns)} columns of numbers without a header: name them (device, cycle, pulse, "
        "direction, conductance_uS), or give pulses up and pulses down in two files with one run in each column"
    )


def _numbered(device: str, cycles: Sequence[Run]) -> dict[tuple[str, str], Run]:
    return {(device, str(number)): run for number, run in enumerate(cycles, start=1)}


def _with_header(sheet: Sheet, unit: str | None) -> PulseTable:
    headings = [cell.strip() for cell in sheet.header.cells]
    if not headings:
        raise InputError(f"{sheet.header.where}: holds no rows")
    if not sheet.rows:
        raise InputError(f"{sheet.header.where}: holds no rows below the header")
    for row in sheet.rows:
        if len(row.cells) != len(headings):
            raise InputError(f"{row.where}: {len(row.cells)} fields, the header has {len(headings)}")
    columns = columns_of_pulses(sheet, headings, unit)
    order = None if columns.pulse is None else _pulse_numbers(sheet, columns.pulse)
    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(sheet.rows):
        groups.setdefault(_key(row, columns), []).append(number)
    notes = sheet.notes
    if columns.unused:
        notes = (*notes, f"columns not used: {', '.join(headings[k] for k in columns.unused)}")
    if columns.downs:
        runs, assumed = _up_and_down_columns(sheet, columns, groups, order)
    else:
        runs, assumed = _one_column(sheet, columns, groups, order)
    return PulseTable(runs, columns.unit, notes, tuple(dict.fromkeys(assumed)))


def _up_and_down_columns(
    sheet: Sheet, columns: PulseColumns, groups: dict[tuple[str, str], list[int]], order: list[float] | None
) -> tuple[dict[tuple[str, str], Run], list[str]]:
    """Pulses up in one column and down in another, or several pairs of such columns."""
    runs: dict[tuple[str, str], Run] = {}
    for up, down in zip(columns.values, columns.downs, strict=True):
        both = [_values(sheet, one) for one in (up, down)]
        for (device, cycle), members in groups.items():
            for part, rows in enumerate(_restarts(members, order), start=1):
                pair = [_shortened([column[k] for k in rows]) for column in both]
                name = cycle if len(columns.values) == 1 and part == 1 else f"{cycle}, {up.label}, {part}"
                runs[device, name] = up_and_down(pair[0], pair[1])
    return runs, [ONE_DEVICE] if len(columns.values) > 1 else []


def _one_column(
    sheet: Sheet, columns: PulseColumns, groups: dict[tuple[str, str], list[int]], order: list[float] | None
) -> tuple[dict[tuple[str, str], Run], list[str]]:
    """All pulses in one column of values, or in one for each device."""
    runs: dict[tuple[str, str], Run] = {}
    assumed: list[str] = []
    single = len(groups) * len(columns.values) == 1
    signs = None if columns.direction is None else [_sign(row, columns.direction) for row in sheet.rows]
    signs = signs or (None if columns.voltage is None else _signs_of(sheet, columns.voltage))
    for column in columns.values:
        values = _values(sheet, column)
        for (device, cycle), members in groups.items():
            label = column.label if len(columns.values) > 1 else device
            where = sheet.header.where if single else f"{sheet.header.where}: device {label}, cycle {cycle}"
            if signs is None:
                # Numbers that begin again are those of each direction, or of each cycle: the order is that of the rows.
                ordered = order is not None and len({order[k] for k in members}) == len(members)
                rows = sorted(members, key=lambda k: order[k]) if order is not None and ordered else members
                cycles, line = turned([values[k] for k in rows], where)
                assumed.append(line if single else MANY_TURN)
            else:
                known = order is not None and order[members[0]] == 1
                run = [(signs[k] if position or known else 0, values[k]) for position, k in enumerate(members)]
                cycles = cycles_of(run) if columns.cycle is None else [run]
            if len(cycles) == 1:
                runs[label, cycle] = cycles[0]
            else:
                runs |= {(label, f"{cycle}, {number}"): run for number, run in enumerate(cycles, start=1)}
    return runs, assumed


def _values(sheet: Sheet, column: ValueColumn) -> list[float]:
    """Conductances of a column."""
    values = _column(sheet.rows, column.number)
    if column.quantity != "resistance":
        return [column.factor * value for value in values]
    for value, row in zip(values, sheet.rows, strict=True):
        if value <= 0:
            raise InputError(f"{row.where}: resistance must be positive, got {value:g}")
    return [1 / (column.factor * value) for value in values]


def _pulse_numbers(sheet: Sheet, column: int) -> list[float]:
    numbers = _column(sheet.rows, column)
    for number, row in zip(numbers, sheet.rows, strict=True):
        if not (number >= 0 and number.is_integer()):
            raise InputError(
                f"{row.where}: pulse number must be a whole number, 0 or more, got {cleaned(row.cells[column])!r}"
                + ("; directions stand in a column 'direction' (up, down)" if number < 0 else "")
            )
    return numbers


def _restarts(members: list[int], order: list[float] | None) -> list[list[int]]:
    """Rows of each cycle, where the numbers of the pulses begin again."""
    parts: list[list[int]] = [[]]
    for position, k in enumerate(members):
        if position and order is not None and order[k] <= order[members[position - 1]]:
            parts.append([])
        parts[-1].append(k)
    return parts


def _signs_of(sheet: Sheet, column: int) -> list[int]:
    """Signs of the voltages of the pulses."""
    return [0 if np.isnan(value) else int(np.sign(value)) for value in _column(sheet.rows, column)]


def _key(row: Row, columns: PulseColumns) -> tuple[str, str]:
    labels = []
    for name, column in (("device", columns.device), ("cycle", columns.cycle)):
        label = "1" if column is None else cleaned(row.cells[column])
        if is_gap(label):
            raise InputError(f"{row.where}: no {name} is given")
        labels.append(label)
    return labels[0], labels[1]


def _sign(row: Row, column: int) -> int:
    text = cleaned(row.cells[column])
    if UP.fullmatch(text):
        return 1
    if DOWN.fullmatch(text):
        return -1
    if START.fullmatch(text) or is_gap(text):
        return 0
    raise InputError(f"{row.where}: direction {text!r}: must be up or down (LTP or LTD, set or reset, 1 or -1)")
