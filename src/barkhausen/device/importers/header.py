"""Columns of a table: which one holds the state, the device, the cycle and the value, and in which unit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.units import SPELLINGS, checked_unit_factor, unit_factor
from barkhausen.device.importers.sheets import Row

LABELS = ("state", "device", "cycle")

WORDS = {
    "state": ("level", "target", "zustand", "etat", "état", "stato", "estado", "programmed_state", "stufe", "pegel"),
    "device": (
        "sample",
        "cell",
        "bauelement",
        "bauteil",
        "probe",
        "dispositif",
        "dispositivo",
        "chip",
        "dut",
        "element",
    ),
    "cycle": (
        "run",
        "repeat",
        "repetition",
        "trial",
        "zyklus",
        "durchlauf",
        "cycle_number",
        "iteration",
        "nr",
        "messung",
    ),
    "position": ("x", "pos", "wall", "ort", "lage"),
    "conductance": ("g", "cond", "leitwert"),
    "resistance": ("r", "res", "widerstand"),
}
"""Other names of columns, which messages suggest; those of values are understood where they have a unit."""

UNDERSTOOD = {"position": ("x", "pos", "wall_position"), "conductance": ("g",), "resistance": ("r",)}
"""Other names of values that are understood at once, since their unit says what they are."""

IN_BRACKETS = re.compile(r"(.+?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")
AFTER_SIGN = re.compile(r"(.+?)(?:\s*/\s*|\s+in\s+|[_\s])([^\s_/]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """A value that a technology can import.

    Args:
        column: Column of the technology, such as ``"position_m"``.
        name: Its name without the unit, such as ``"position"``.
        unit: SI unit; ``"1"`` if it has none.
    """

    column: str
    name: str
    unit: str

    @classmethod
    def of(cls, column: str) -> Quantity:
        """The quantity of a column of a technology."""
        name, _, written = column.rpartition("_")
        for unit in SPELLINGS:
            if name and written.casefold() == unit.casefold():
                return cls(column, name, unit)
        return cls(column, column, "1")


@dataclass(frozen=True)
class Columns:
    """Where each thing stands in a row.

    Args:
        state, device, cycle: Numbers of the columns of labels; None where there is none.
        value: Number of the column of values.
        quantity: What the values are.
        unit: Their unit as it was written.
        factor: Factor from this unit to the SI unit.
    """

    state: int
    device: int | None
    cycle: int | None
    value: int
    quantity: Quantity
    unit: str
    factor: float


def columns_of(
    header: Row,
    quantities: Sequence[Quantity],
    *,
    chosen: Mapping[str, str] | None = None,
    unit: str | None = None,
    device_elsewhere: bool = False,
) -> Columns:
    """Where each thing stands.

    Args:
        header: First row.
        quantities: Values that the technology can import.
        chosen: Headings that the user gave for ``state``, ``device``, ``cycle`` or a quantity. Default: these words.
        unit: Unit of the values, where the heading does not give it.
        device_elsewhere: Whether the device is known without a column.

    Raises:
        InputError: A column is missing, double or has no unit, or a unit does not fit.
    """
    headings = [cell.strip() for cell in header.cells]
    own = _checked(chosen or {}, headings, quantities, header.where)
    found: dict[str, int | None] = {}
    for label in LABELS:
        found[label] = own[label] if label in own else _only(headings, [label], header.where)
    values = [
        (number, quantity, written)
        for quantity in quantities
        for number, written in _values(headings, quantity, own.get(quantity.name))
    ]
    if not values:
        # Names of values with what is no unit, which is then named.
        values = [
            (number, quantity, match[2])
            for quantity in quantities
            for number, heading in enumerate(headings)
            if (match := AFTER_SIGN.fullmatch(heading)) and _plain(match[1]) == quantity.name
        ]
    picked = [item for item in values if item[1].name in own]
    values = picked or [item for item in values if item[0] not in own.values()]
    # Cycles can be numbered, unless a column seems to hold them.
    missing = [name for name in LABELS if found[name] is None and (name != "cycle" or _near(name, headings))]
    if device_elsewhere and "device" in missing:
        missing.remove("device")
    if missing or len(values) != 1:
        raise InputError(_wrong(headings, header.where, quantities, missing, len(values)))
    (number, quantity, written), state = values[0], found["state"]
    assert state is not None
    factor = _factor(written, unit, quantity, header.where, headings[number])
    return Columns(state, found["device"], found["cycle"], number, quantity, unit or written or quantity.unit, factor)


def _checked(
    chosen: Mapping[str, str], headings: Sequence[str], quantities: Sequence[Quantity], where: str
) -> dict[str, int]:
    """Numbers of the columns that the user chose."""
    names = {name: quantity.name for quantity in quantities for name in (quantity.name, quantity.column)}
    names |= {label: label for label in LABELS}
    result = {}
    for name, heading in chosen.items():
        if name not in names:
            raise InputError(f"columns: no such thing as '{name}'{did_you_mean(name, names)}")
        number = _only(headings, [heading], where)
        if number is None:
            raise InputError(f"{where}: no column '{heading}'{did_you_mean(heading, [h for h in headings if h])}")
        result[names[name]] = number
    if len(set(result.values())) < len(result):
        raise InputError("columns: one column was chosen for two things")
    return result


def _only(headings: Sequence[str], names: Sequence[str], where: str) -> int | None:
    """Number of the column with one of these names; None if there is none."""
    numbers = [k for k, heading in enumerate(headings) if _plain(heading) in map(_plain, names)]
    if len(numbers) > 1:
        raise InputError(f"{where}: the header must be unambiguous, but '{headings[numbers[0]]}' stands there twice")
    return numbers[0] if numbers else None


def _values(headings: Sequence[str], quantity: Quantity, chosen: int | None) -> list[tuple[int, str]]:
    """Columns that hold a quantity, each with its unit as written, empty if there is none."""
    found = []
    for number, heading in enumerate(headings):
        if chosen is not None and number != chosen:
            continue
        name, written = split(heading, quantity.unit)
        known = (quantity.name, *(UNDERSTOOD.get(quantity.name, ()) if written else ()))
        if chosen is not None or _plain(name) in known or _plain(heading) == _plain(quantity.column):
            found.append((number, written))
    return found


def split(heading: str, unit: str) -> tuple[str, str]:
    """Name and unit of a heading such as ``position_nm``, ``Position (nm)`` or ``G / uS``; the unit may be empty."""
    for pattern in (IN_BRACKETS, AFTER_SIGN):
        match = pattern.fullmatch(heading)
        if match and (pattern is IN_BRACKETS or unit_factor(match[2], unit) is not None):
            return match[1], match[2]
    return heading, ""


def _factor(written: str, given: str | None, quantity: Quantity, where: str, heading: str) -> float:
    factor = checked_unit_factor(written, quantity.unit, f"{where}: column '{heading}'") if written else None
    if given is not None:
        wanted = checked_unit_factor(given, quantity.unit, "unit")
        if factor not in (None, wanted):
            raise InputError(f"{where}: column '{heading}' is in {written}, but the unit given is {given}")
        return wanted
    if factor is None and quantity.unit != "1":
        column, example = (
            (f"{quantity.name}_nm", "nm")
            if quantity.unit == "m"
            else (quantity.column, quantity.column.rpartition("_")[2])
        )
        raise InputError(
            f"{where}: column '{heading}' has no unit: name it {column} or the like, or give its unit "
            f"(--unit {example})"
        )
    return 1.0 if factor is None else factor


def _wrong(
    headings: Sequence[str], where: str, quantities: Sequence[Quantity], missing: Sequence[str], values: int
) -> str:
    """Message about a header that lacks a column or has one too many, with the names that could be meant."""
    wanted = " or ".join(quantity.column for quantity in quantities)
    hints = [(name, _near(name, headings)) for name in missing]
    if not values:
        hints += [(quantity.name, _near(quantity.name, headings)) for quantity in quantities]
    meant = [f"{name}={heading}" for name, heading in hints if heading]
    lacks = [f"'{name}'" for name in missing] + ([] if values else ["values"]) + (["one value"] if values > 1 else [])
    line = (
        f"{where}: the header must be state,device,cycle and one of {wanted} (or another unit, as in "
        f"{quantities[0].name}_{'nm' if quantities[0].unit == 'm' else 'uS' if quantities[0].unit == 'S' else 'k'}"
        f"{'ohm' if quantities[0].unit == 'ohm' else ''}), not '{','.join(headings)[:200]}'"
    )
    line += f"; no column of {' or '.join(lacks)}" if values < 2 else "; it has several columns of values"
    if meant:
        return f"{line}; did you mean columns {','.join(meant)}?"
    return f"{line}; if all rows are of one device, add a column with one label" if missing == ["device"] else line


def _near(name: str, headings: Sequence[str]) -> str:
    """Heading that probably holds what is looked for, or nothing."""
    plain = {_plain(re.split(r"[(\[/]", heading)[0].strip()): heading for heading in headings if heading}
    for word in (name, *WORDS.get(name, ())):
        for known, heading in plain.items():
            if known == word or known.split("_")[0] == word:
                return heading
    near = difflib.get_close_matches(name, list(plain), n=1, cutoff=0.7)
    return plain[near[0]] if near else ""


def _plain(heading: str) -> str:
    return re.sub(r"[\s_-]+", "_", heading.strip().casefold()).strip("_")
