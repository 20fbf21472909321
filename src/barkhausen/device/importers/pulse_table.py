"""Tables of conductances after pulses, in their many layouts, as sequences of signs and values by device and cycle.

Understood are, with or without a header:

- one row a pulse, with its number and a value, and optional columns of device, cycle and direction;
- two columns of values, one of pulses up and one of pulses down, with or without numbers of pulses (aihwkit's example
  of Gong et al. has two columns and no header);
- a matrix with one run in each column, pulses up in one file and pulses down in another (CrossSim's measurements).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.core.units import checked_unit_factor
from barkhausen.device.importers.header import LABELS, WORDS, split
from barkhausen.device.importers.numbers import cleaned, is_gap, is_number, parsed
from barkhausen.device.importers.pulsed import PULSE_NUMBER
from barkhausen.device.importers.sheets import Row, Sheet

UP = re.compile(r"(ltp|potentiation|set|up|\+1?|1|increasing|positive)\d*", re.I)
DOWN = re.compile(r"(ltd|depression|reset|down|-1?|decreasing|negative)\d*", re.I)
START = re.compile(r"(start|initial|none|0|)", re.I)
DIRECTIONS = ("direction", "sign", "polarity", "pulse_type", "type", "phase", "richtung")
VALUES = {
    "conductance": ("conductance", "g", "leitwert", "cond", "value", "wert"),
    "resistance": ("resistance", "r", "widerstand", "res"),
    "current": ("current", "i", "strom"),
}
UNITS = {"conductance": "S", "resistance": "ohm"}

Run = list[tuple[int, float]]
"""Sign of the pulse before each value (0: none, or not known), and the value."""


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
    columns = []
    for number in range(width):
        values = _column(rows, number)
        while values and np.isnan(values[-1]):
            values.pop()
        if values:
            columns.append(values)
    return columns


def _two_files(up: Sheet, down: Sheet, unit: str | None) -> PulseTable:
    factor, found = _factor(unit, "unit")
    both = [_matrix(sheet) for sheet in (up, down)]
    if len(both[0]) != len(both[1]):
        raise InputError(
            f"{up.header.where}: holds {len(both[0])} runs of pulses up, {down.header.where} {len(both[1])} of pulses "
            "down: must be equal, one column a run"
        )
    runs = {
        ("1", str(number)): _run(factor, one, other)
        for number, (one, other) in enumerate(zip(*both, strict=True), start=1)
    }
    return PulseTable(runs, found, (*up.notes, "one run in each column"), ("all runs are of one device",))


def _run(factor: float, up: Sequence[float], down: Sequence[float]) -> Run:
    """Pulses up, then pulses down; what precedes the first value of either is not known."""
    return [
        *((0 if k == 0 else 1, factor * value) for k, value in enumerate(up)),
        *((0 if k == 0 else -1, factor * value) for k, value in enumerate(down)),
    ]


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
        run, line = _turned([factor * value for value in values[0]])
        return PulseTable({("1", "1"): run}, found, (*sheet.notes, "no header"), (line,))
    if len(values) == 2:
        runs = {("1", "1"): _run(factor, *values)}
        note = "no header: pulses up in one column, pulses down in the other"
        return PulseTable(runs, found, (*sheet.notes, note))
    raise InputError(
        f"{sheet.header.where}: {len(columns)} columns of numbers without a header: name them (device, cycle, pulse, "
        "direction, conductance_uS), or give pulses up and pulses down in two files with one run in each column"
    )


def _turned(values: Sequence[float]) -> tuple[Run, str]:
    """Signs of a single curve, which turns at its largest value."""
    top = int(np.nanargmax(values))
    if not 2 < top < len(values) - 2:
        raise InputError(
            f"one curve of {len(values)} values whose largest is number {top + 1}: it does not rise and then fall; add "
            "a column 'direction' with up and down"
        )
    run = [(0 if k == 0 else 1 if k <= top else -1, value) for k, value in enumerate(values)]
    return run, f"no direction of the pulses is given: up until the largest value (pulse {top}), then down"


def _with_header(sheet: Sheet, unit: str | None) -> PulseTable:
    where = sheet.header.where
    headings = [cell.strip() for cell in sheet.header.cells]
    places = {name: _label(headings, (name, *WORDS.get(name, ()))) for name in LABELS[1:]}
    places["direction"] = _label(headings, DIRECTIONS)
    numbers = [k for k, heading in enumerate(headings) if PULSE_NUMBER.fullmatch(heading)]
    taken = {k for k in (*places.values(), *numbers[:1]) if k is not None}
    rest = [k for k in range(len(headings)) if k not in taken]
    ups = [k for k in rest if UP.fullmatch(_first_word(headings[k]))]
    downs = [k for k in rest if DOWN.fullmatch(_first_word(headings[k]))]
    for row in sheet.rows:
        if len(row.cells) != len(headings):
            raise InputError(f"{row.where}: {len(row.cells)} fields, the header has {len(headings)}")
    if len(ups) == 1 and len(downs) == 1:
        return _two_columns(sheet, places, ups[0], downs[0], unit)
    column, quantity, factor, found = _value(headings, rest, where, unit)
    values = _converted(_column(sheet.rows, column), quantity, factor, sheet)
    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(sheet.rows):
        groups.setdefault(_key(row, places), []).append(number)
    order = _column(sheet.rows, numbers[0]) if numbers else None
    runs: dict[tuple[str, str], Run] = {}
    assumed: list[str] = []
    for key, members in groups.items():
        if order is not None and places["direction"] is None:
            members = sorted(members, key=lambda k: order[k])  # noqa: PLW2901
        sequence = [values[k] for k in members]
        if places["direction"] is None:
            runs[key], line = _turned(sequence)
            assumed.append(line if len(groups) == 1 else "no direction of the pulses is given: each curve turns at "
                           "its largest value")  # fmt: skip
        else:
            signs = [_sign(sheet.rows[k], places["direction"]) for k in members]
            known = order is not None and order[members[0]] == 1
            runs[key] = [
                (sign if position or known else 0, value)
                for position, (sign, value) in enumerate(zip(signs, sequence, strict=True))
            ]
    return PulseTable(runs, found, sheet.notes, tuple(dict.fromkeys(assumed)))


def _two_columns(sheet: Sheet, places: dict[str, int | None], up: int, down: int, unit: str | None) -> PulseTable:
    headings = sheet.header.cells
    written = split(headings[up].strip(), "S")[1]
    factor, found = _factor(unit or written or None, f"{sheet.header.where}: column '{headings[up]}'")
    columns = [_column(sheet.rows, k) for k in (up, down)]
    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(sheet.rows):
        groups.setdefault(_key(row, places), []).append(number)
    runs = {}
    for key, members in groups.items():
        both = [[column[k] for k in members] for column in columns]
        for values in both:
            while values and np.isnan(values[-1]):
                values.pop()
        runs[key] = _run(factor, *both)
    return PulseTable(runs, found, sheet.notes)


def _first_word(heading: str) -> str:
    return re.split(r"[\s_(\[/]", heading.strip())[0]


def _label(headings: Sequence[str], names: Sequence[str]) -> int | None:
    for k, heading in enumerate(headings):
        if re.sub(r"[\s-]+", "_", heading.casefold()) in names:
            return k
    return None


def _key(row: Row, places: dict[str, int | None]) -> tuple[str, str]:
    device, cycle = (places[name] for name in LABELS[1:])
    return (
        "1" if device is None else cleaned(row.cells[device]),
        "1" if cycle is None else cleaned(row.cells[cycle]),
    )


def _value(headings: Sequence[str], rest: Sequence[int], where: str, unit: str | None) -> tuple[int, str, float, str]:
    found = []
    for k in rest:
        for quantity, names in VALUES.items():
            name, written = split(headings[k], UNITS.get(quantity, "A"))
            if name.casefold() in names:
                found.append((k, quantity, written))
    if len(found) != 1:
        raise InputError(
            f"{where}: the header must hold one column of conductances (conductance_uS) or resistances, or one of "
            f"pulses up and one of pulses down (LTP, LTD), not '{','.join(headings)[:200]}'"
        )
    k, quantity, written = found[0]
    if quantity == "current":
        raise InputError(f"{where}: column '{headings[k]}' holds currents: divide them by the read voltage")
    factor, known = _factor(unit or written or None, f"{where}: column '{headings[k]}'", quantity)
    if quantity == "resistance" and known == "1":
        raise InputError(f"{where}: column '{headings[k]}' has no unit: name it resistance_kohm or the like")
    return k, quantity, factor, known


def _converted(values: Sequence[float], quantity: str, factor: float, sheet: Sheet) -> list[float]:
    if quantity != "resistance":
        return [factor * value for value in values]
    for value, row in zip(values, sheet.rows, strict=True):
        if value <= 0:
            raise InputError(f"{row.where}: resistance must be positive, got {value:g}")
    return [1 / (factor * value) for value in values]


def _sign(row: Row, column: int) -> int:
    text = cleaned(row.cells[column])
    if UP.fullmatch(text):
        return 1
    if DOWN.fullmatch(text):
        return -1
    if START.fullmatch(text) or is_gap(text):
        return 0
    raise InputError(f"{row.where}: direction {text!r}: must be up or down (LTP or LTD, set or reset, 1 or -1)")
