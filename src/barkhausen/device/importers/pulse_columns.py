"""Columns of a table of pulses: numbers, labels, directions, and the values with their units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.core.errors import InputError
from barkhausen.core.units import checked_unit_factor, unit_factor
from barkhausen.device.importers.header import LABELS, WORDS, split
from barkhausen.device.importers.numbers import cleaned, is_gap, is_number
from barkhausen.device.importers.pulsed import PULSE_NUMBER
from barkhausen.device.importers.sheets import Sheet

UP = re.compile(r"(ltp|potentiation|set|up|\+1?|1|increasing|positive)\d*", re.I)
DOWN = re.compile(r"(ltd|depression|reset|down|-1?|decreasing|negative)\d*", re.I)
START = re.compile(r"(start|initial|none|0|)", re.I)
DIRECTIONS = ("direction", "sign", "polarity", "pulse_type", "type", "phase", "richtung")
VOLTAGES = ("voltage", "pulse_voltage", "amplitude", "pulse_amplitude", "v", "u", "vpulse", "spannung", "vg", "bias")
VALUES = {
    "conductance": ("conductance", "g", "leitwert", "cond", "value", "wert"),
    "resistance": ("resistance", "r", "widerstand", "res"),
    "current": ("current", "i", "strom"),
}
UNITS = {"conductance": "S", "resistance": "ohm"}
COUNTERS = ("nr", "no", "n", "index", "number", "nummer", "#", "iteration", "step")
"""Headings of numbers of pulses where no column says that it counts pulses."""

MOST_LABELS_SHOWN = 3
SUFFIX = re.compile(r"(_(id|no|nr|num|number|name|label|index|code))+$")


@dataclass(frozen=True)
class ValueColumn:
    """A column of values.

    Args:
        number: Number of the column.
        label: Its heading without the unit.
        quantity: ``conductance`` or ``resistance``.
        factor: Factor to the SI unit.
        unit: ``S``, or ``1`` where there is none.
    """

    number: int
    label: str
    quantity: str
    factor: float
    unit: str


@dataclass(frozen=True)
class PulseColumns:
    """Where each thing stands; None where there is no such column.

    Args:
        pulse, device, cycle, direction: Numbers of columns.
        voltage: Number of a column of the voltages of the pulses, of both signs.
        values: Columns of values; of pulses up where there are ``downs``.
        downs: Columns of values after pulses down, one for each of ``values``, or none.
        unused: Columns that nothing is read from.
    """

    pulse: int | None
    device: int | None
    cycle: int | None
    direction: int | None
    voltage: int | None
    values: tuple[ValueColumn, ...]
    downs: tuple[ValueColumn, ...]
    unused: tuple[int, ...]

    @property
    def unit(self) -> str:
        """``S``, or ``1`` where the values have no unit."""
        return self.values[0].unit


def columns_of_pulses(sheet: Sheet, headings: Sequence[str], unit: str | None) -> PulseColumns:
    """Where each thing stands in a table with a header.

    Args:
        sheet: Table.
        headings: Cells of the header.
        unit: Unit of the values where the headings have none.

    Raises:
        InputError: There is no column of values, too many, or units do not fit.
    """
    where = sheet.header.where
    numbers = [k for k, heading in enumerate(headings) if PULSE_NUMBER.fullmatch(heading)]
    numbers = numbers or [k for k, heading in enumerate(headings) if _plain(heading) in COUNTERS][:1]
    pulse = numbers[0] if numbers else None
    places = {name: _label(headings, (name, *WORDS.get(name, ())), pulse) for name in LABELS[1:]}
    direction = _label(headings, DIRECTIONS, pulse)
    taken = {k for k in (*places.values(), direction, pulse) if k is not None}
    rest = [k for k in range(len(headings)) if k not in taken]
    voltage = next((k for k in rest if direction is None and _is_voltage(sheet, headings[k], k)), None)
    rest = [k for k in rest if k != voltage]
    ups = [k for k in rest if UP.fullmatch(_first_word(headings[k]))]
    downs = [k for k in rest if DOWN.fullmatch(_first_word(headings[k]))]
    if ups and len(ups) == len(downs):
        values = tuple(_up_or_down(headings[k], k, where, unit) for k in ups)
        others = tuple(_up_or_down(headings[k], k, where, unit) for k in downs)
    else:
        values, others = _values(headings, rest, where, unit), ()
    if len({column.unit for column in (*values, *others)}) > 1:
        raise InputError(f"{where}: only some columns of values have a unit: give one to each, or to none")
    used = {column.number for column in (*values, *others)}
    unused = tuple(k for k in rest if k not in used)
    for k in unused:
        _refuse_labels(sheet, headings[k], k)
    return PulseColumns(pulse, places["device"], places["cycle"], direction, voltage, values, others, unused)


def _plain(heading: str) -> str:
    return re.sub(r"[\s\-./]+", "_", heading.strip().casefold()).strip("_")


def _label(headings: Sequence[str], names: Sequence[str], other: int | None) -> int | None:
    """Column with one of these names, as ``Device``, ``device_id`` or ``Device No.``."""
    for k, heading in enumerate(headings):
        plain = _plain(heading.replace("#", " no")) if heading.strip() != "#" else "#"
        if k != other and (plain in names or SUFFIX.sub("", plain) in names):
            return k
    return None


def _first_word(heading: str) -> str:
    return re.split(r"[\s_(\[/]", heading.strip())[0]


def _is_voltage(sheet: Sheet, heading: str, column: int) -> bool:
    """Whether a column holds the voltages of the pulses, of both signs; those of reads have one sign."""
    if _plain(split(heading, "V")[0]) not in VOLTAGES:
        return False
    cells = [cleaned(row.cells[column]) for row in sheet.rows]
    if not all(is_number(cell) or is_gap(cell) for cell in cells):
        return False
    values = [float(cell.replace(",", ".")) for cell in cells if is_number(cell)]
    return min(values, default=0) < 0 < max(values, default=0)


def _factor(heading: str, written: str, unit: str | None, where: str, quantity: str) -> tuple[float, str]:
    """Factor of a column, and its SI unit, ``1`` if none is known."""
    place = f"{where}: column '{heading}'"
    found = checked_unit_factor(written, UNITS[quantity], place) if written else None
    if unit is not None:
        given = checked_unit_factor(unit, UNITS[quantity], "unit")
        if found not in (None, given):
            raise InputError(f"{place} is in {written}, but the unit given is {unit}")
        found = given
    return (1.0, "1") if found is None else (found, "S")


def _up_or_down(heading: str, number: int, where: str, unit: str | None) -> ValueColumn:
    """A column of values after pulses of one sign: conductances, or resistances by their unit."""
    for quantity in ("conductance", "resistance"):
        name, written = split(heading, UNITS[quantity])
        if written and unit_factor(written, UNITS[quantity]) is not None:
            factor, known = _factor(heading, written, unit, where, quantity)
            return ValueColumn(number, name, quantity, factor, known)
    name, written = split(heading, UNITS["conductance"])
    factor, known = _factor(heading, written, unit, where, "conductance")
    return ValueColumn(number, name, "conductance", factor, known)


def _values(headings: Sequence[str], rest: Sequence[int], where: str, unit: str | None) -> tuple[ValueColumn, ...]:
    """The column of values, or one for each device where only units say that they are values."""
    found = []
    for k in rest:
        for quantity, names in VALUES.items():
            name, written = split(headings[k], UNITS.get(quantity, "A"))
            if _plain(name) in names:
                found.append((k, quantity, name, written))
    if not found:
        for quantity, si in UNITS.items():
            pairs = [(k, split(headings[k], si)) for k in rest]
            some = [
                (k, quantity, name, written)
                for k, (name, written) in pairs
                if written and unit_factor(written, si) is not None
            ]
            found = found or (some if len(some) > 1 else [])
        if len({name for _, _, name, _ in found}) < len(found):
            found = []
    elif len(found) > 1:
        found = []
    if not found:
        raise InputError(
            f"{where}: the header must hold one column of conductances (conductance_uS) or resistances, one with a "
            "unit for each device (D1_uS, D2_uS), or one of pulses up and one of pulses down (LTP, LTD), not "
            f"'{','.join(headings)[:200]}'"
        )
    columns = []
    for k, quantity, name, written in found:
        if quantity == "current":
            raise InputError(f"{where}: column '{headings[k]}' holds currents: divide them by the read voltage")
        factor, known = _factor(headings[k], written, unit, where, quantity)
        if quantity == "resistance" and known == "1":
            raise InputError(f"{where}: column '{headings[k]}' has no unit: name it resistance_kohm or the like")
        columns.append(ValueColumn(k, name, quantity, factor, known))
    return tuple(columns)


def _refuse_labels(sheet: Sheet, heading: str, column: int) -> None:
    """Refuse a column of several labels: rows of different devices would be read as those of one."""
    cells = [cleaned(row.cells[column]) for row in sheet.rows]
    labels = list(dict.fromkeys(cell for cell in cells if not is_gap(cell)))
    if len(labels) > 1 and not all(is_number(cell) for cell in labels) and len(labels) < len(cells):
        shown = ", ".join(labels[:MOST_LABELS_SHOWN]) + (", …" if len(labels) > MOST_LABELS_SHOWN else "")
        raise InputError(
            f"{sheet.header.where}: column '{heading}' holds {len(labels)} labels ({shown}): name it device, cycle or "
            "direction, or leave it out"
        )
