"""Import of a measured device of any technology from a table: CSV in its many manners, or Excel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import QUANTITIES, implausible
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.fitted import fitted
from barkhausen.device.importers.header import LABELS, Columns, Quantity, columns_of
from barkhausen.device.importers.numbers import cleaned, parsed
from barkhausen.device.importers.pulsed import refuse_pulse_trains
from barkhausen.device.importers.sheets import Row, Sheet, read_sheets
from barkhausen.device.technology import DEFAULT_TECHNOLOGY, TECHNOLOGIES, MeasuredValue, technology_of

INDICES = LABELS
MAXIMAL_CELLS = 10**8
"""Largest number of cells of the table state × device × cycle (0.8 GB). Only labels that almost never repeat need
more."""


@dataclass(frozen=True)
class _Measurement:
    where: str
    state: str
    device: str
    cycle: str
    value: float
    """In the SI unit; NaN where it is missing."""


@dataclass(frozen=True)
class _Table:
    measurements: list[_Measurement]
    quantity: Quantity
    unit: str
    notes: list[str]


def import_measured_csv(
    path: Path | str,
    parameters: Parameters | None = None,
    *,
    technology: str = DEFAULT_TECHNOLOGY,
    conductance_range: tuple[float, float] | None = None,
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    sheet: str | None = None,
    fit: bool = False,
    seed: int = 0,
) -> CharacterisedDevice:
    """Import a table with the columns ``state``, ``device``, ``cycle`` and a value of the technology, such as
    ``position_nm`` or ``Conductance (uS)``.

    Labels of states, devices and cycles may be any text. States are numbered in order of their mean values. Missing
    values (empty, ``NaN``, ``n/a``, ``-`` and the like) are left out and counted. Columns may be separated by commas,
    semicolons or tabs, with decimal points or commas, in UTF-8, UTF-16 or Windows-1252; a file that begins as an Excel
    workbook (.xlsx) is read as such. Without a column ``cycle`` the rows of each state and device are numbered.

    Args:
        path: Table with a header.
        parameters: Parameters of the technology; for a domain-wall device the length of the track must be that of the
            measured device, and must be given where conductances stand for positions. Default: those of the technology.
        technology: Name of the technology, where no parameters are given.
        conductance_range: Smallest and greatest conductance in S. Default: that of the technology, usually the extremes
            of the measured conductances, which is listed as an assumption.
        columns: Headings of the columns, such as ``{"state": "Zustand", "position": "x"}``. Default: ``state``,
            ``device``, ``cycle`` and the names of the technology, with any unit.
        unit: Unit of the values, such as ``"nm"``, ``"uS"`` or ``"kohm"``. Default: that in the heading.
        sheet: Name of the sheet of a workbook, or ``"all"``; sheets without a column ``device`` then hold one device
            each, named like the sheet. Default: the only one.
        fit: Whether to add statistics of the states and the distribution that predicts held-out devices best
            (:func:`fitted`). Otherwise synapses are drawn from the measured values unchanged.
        seed: Seed of the fit.

    Raises:
        InputError: A column or its unit is missing, a row is malformed or repeated (the message gives its line), a
            value is not plausible, the values cannot belong to one device, there are too few devices for a fit, or the
            table is one of pulse trains.
    """
    path = Path(path)
    entry = TECHNOLOGIES.named(technology) if parameters is None else technology_of(parameters)
    parameters = parameters or entry.parameters()
    if entry.imported is None:
        raise InputError(f"{path}: import does not apply to a {entry.label}")
    quantities = [Quantity.of(column) for column in entry.columns]
    table = _read(path, quantities, columns, unit, sheet)
    present = [item for item in table.measurements if not math.isnan(item.value)]
    missing = len(table.measurements) - len(present)
    _check_present(table, present, path)
    measured = [MeasuredValue(item.value, item.where) for item in present]
    found = entry.imported(table.quantity.column, measured, parameters, conductance_range, str(path))
    rows = [replace(item, value=value) for item, value in zip(present, found.values, strict=True)]
    gaps = _gaps(table.measurements, missing)
    try:
        values, labels = _to_array(rows)
        device = entry.labelled(
            values,
            parameters,
            source="measured",
            assumed=[*gaps, *found.assumed],
            attributes={
                "imported_from": path.name,
                "quantity": table.quantity.column,
                "state_labels": labels,
                **({"missing": missing} if missing else {}),
                **({"read_as": table.notes} if table.notes else {}),
            },
            **found.options,
        )
        return fitted(device, seed) if fit else device
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read(
    path: Path,
    quantities: Sequence[Quantity],
    columns: Mapping[str, str] | None,
    unit: str | None,
    sheet: str | None,
) -> _Table:
    sheets = read_sheets(path, sheet)
    several = len(sheets) > 1
    notes = [note for item in sheets for note in item.notes]
    measurements: list[_Measurement] = []
    found: list[Columns] = []
    for item in sheets:
        if not columns:
            refuse_pulse_trains(item)
        where = columns_of(item.header, quantities, chosen=columns, unit=unit, device_elsewhere=several)
        found.append(where)
        if where.quantity != found[0].quantity:
            raise InputError(
                f"{item.header.where}: holds {where.quantity.name}s, other sheets {found[0].quantity.name}s"
            )
        measurements += _measurements(item, where, notes)
    if not measurements:
        raise InputError(f"{path}: holds no rows")
    first = found[0]
    if first.factor != 1:
        notes.append(f"{first.quantity.name}s in {first.unit}")
    if first.cycle is None:
        notes.append("no column of cycles: the rows of each state and device are numbered")
    _check_repeats(measurements)
    return _Table(measurements, first.quantity, first.unit, list(dict.fromkeys(notes)))


def _measurements(sheet: Sheet, columns: Columns, notes: list[str]) -> list[_Measurement]:
    width = len(sheet.header.cells)
    for row in sheet.rows:
        if len(row.cells) != width:
            comma = sheet.separator == "," and len(row.cells) > width
            hint = "; a decimal comma in a file separated by commas must stand in quotation marks" if comma else ""
            raise InputError(f"{row.where}: {len(row.cells)} fields, the header has {width}{hint}")
    where = [row.where for row in sheet.rows]
    values, commas = parsed([row.cells[columns.value] for row in sheet.rows], where)
    if commas:
        notes.append("decimal commas")
    counts: dict[tuple[str, str], int] = {}
    result = []
    for row, value in zip(sheet.rows, values, strict=True):
        state, device, cycle = (_label(row, getattr(columns, name)) for name in LABELS)
        device = sheet.name if columns.device is None else device
        number = counts[state, device] = counts.get((state, device), 0) + 1
        labels = state, device, str(number) if columns.cycle is None else cycle
        if not all(labels):
            raise InputError(f"{row.where}: state, device and cycle must not be empty")
        result.append(_Measurement(row.where, *labels, value * columns.factor))
    return result


def _label(row: Row, column: int | None) -> str:
    return "" if column is None else cleaned(row.cells[column])


def _check_repeats(measurements: Sequence[_Measurement]) -> None:
    first: dict[tuple[str, str, str], str] = {}
    for item in measurements:
        seen = first.setdefault((item.state, item.device, item.cycle), item.where)
        if seen != item.where:
            raise InputError(
                f"{item.where}: state {item.state}, device {item.device}, cycle {item.cycle} "
                f"was given in {seen.rsplit(': ', 1)[-1]} already"
            )


def _check_present(table: _Table, present: Sequence[_Measurement], path: Path) -> None:
    """Refuse tables in which a state has no value, and values that are not plausible."""
    if not present:
        raise InputError(f"{path}: all {len(table.measurements)} values are missing")
    empty = {item.state for item in table.measurements} - {item.state for item in present}
    if empty:
        raise InputError(f"{path}: all values of state {min(empty)} are missing")
    name = table.quantity.name
    if name not in QUANTITIES:
        return
    for item in present:
        if (line := implausible(name, item.value)) is not None:
            end = " " if line.endswith("?") else "; "
            raise InputError(f"{item.where}: {name} = {line}{end}Give the unit in the heading or by itself")


def _gaps(measurements: Sequence[_Measurement], missing: int) -> list[str]:
    """Assumption behind values that are left out, with their number in each state."""
    if not missing:
        return []
    by_state: dict[str, int] = {}
    for item in measurements:
        if math.isnan(item.value):
            by_state[item.state] = by_state.get(item.state, 0) + 1
    where = ", ".join(f"{state}: {count}" for state, count in sorted(by_state.items()))
    where = where if len(where) <= 100 else f"in {len(by_state)} states"
    return [f"{missing} of {len(measurements)} values are missing ({where}) and left out, as if missing at random"]


def _to_array(rows: Sequence[_Measurement]) -> tuple[np.ndarray, list[str]]:
    by_state: dict[str, list[float]] = {}
    for row in rows:
        by_state.setdefault(row.state, []).append(row.value)
    states = sorted(by_state, key=lambda label: float(np.mean(by_state[label])))
    devices = list(dict.fromkeys(row.device for row in rows))
    cycles = list(dict.fromkeys(row.cycle for row in rows))
    shape = len(states), len(devices), len(cycles)
    if math.prod(shape) > MAXIMAL_CELLS:
        raise InputError(
            f"{shape[0]} states, {shape[1]} devices and {shape[2]} cycles make a table of more than "
            f"{MAXIMAL_CELLS} cells; number the cycles anew for each device"
        )
    values = np.full(shape, np.nan)
    index = [{label: i for i, label in enumerate(labels)} for labels in (states, devices, cycles)]
    for row in rows:
        values[index[0][row.state], index[1][row.device], index[2][row.cycle]] = row.value
    return values, states
