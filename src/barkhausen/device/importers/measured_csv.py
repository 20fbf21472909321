"""Import of a measured device of any technology from CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from barkhausen.core.config import Parameters, read_text
from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.fitted import fitted
from barkhausen.device.technology import DEFAULT_TECHNOLOGY, TECHNOLOGIES, MeasuredValue, technology_of

INDICES = ("state", "device", "cycle")
MAXIMAL_CELLS = 10**8
"""Largest number of cells of the table state × device × cycle (0.8 GB). Only labels that almost never repeat need
more."""


@dataclass(frozen=True)
class _Row:
    line: int
    state: str
    device: str
    cycle: str
    value: float


def import_measured_csv(
    path: Path,
    parameters: Parameters | None = None,
    *,
    technology: str = DEFAULT_TECHNOLOGY,
    conductance_range: tuple[float, float] | None = None,
    fit: bool = False,
    seed: int = 0,
) -> CharacterisedDevice:
    """Import the columns ``state,device,cycle`` and a column of the technology, such as ``position_m`` or
    ``conductance_s``.

    Labels of states, devices and cycles may be any text. States are numbered in order of their mean values. Missing
    cycles are allowed.

    Args:
        path: CSV file with a header line.
        parameters: Parameters of the technology; for a domain-wall device the length of the track must be that of the
            measured device. Default: those of the technology.
        technology: Name of the technology, where no parameters are given.
        conductance_range: Smallest and greatest conductance in S. Default: that of the technology, usually the extremes
            of the measured conductances, which is listed as an assumption.
        fit: Whether to add statistics of the states and the distribution that predicts held-out devices best
            (:func:`fitted`). Otherwise synapses are drawn from the measured values unchanged.
        seed: Seed of the fit.

    Raises:
        InputError: A column is missing, a row is malformed or repeated (the message gives its line), the values cannot
            belong to one device, or there are too few devices for a fit.
    """
    entry = TECHNOLOGIES.named(technology) if parameters is None else technology_of(parameters)
    parameters = parameters or entry.parameters()
    if entry.imported is None:
        raise InputError(f"{path}: import does not apply to a {entry.label}")
    rows, column = _read_rows(path, entry.columns)
    measured = [MeasuredValue(row.value, f"{path}: line {row.line}") for row in rows]
    found = entry.imported(column, measured, parameters, conductance_range, str(path))
    rows = [replace(row, value=value) for row, value in zip(rows, found.values, strict=True)]
    try:
        values, labels = _to_array(rows)
        device = entry.labelled(
            values,
            parameters,
            source="measured",
            assumed=found.assumed,
            attributes={"imported_from": path.name, "quantity": column, "state_labels": labels},
            **found.options,
        )
        return fitted(device, seed) if fit else device
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read_rows(path: Path, quantities: Sequence[str]) -> tuple[list[_Row], str]:
    text = read_text(path)
    reader = csv.reader(text.splitlines())
    try:
        return _parse(reader, path, quantities)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}") from None


def _parse(reader: Any, path: Path, quantities: Sequence[str]) -> tuple[list[_Row], str]:
    header = [name.strip().lower() for name in next(reader, [])]
    present = [name for name in quantities if name in header]
    if any(header.count(name) != 1 for name in (*INDICES, *present)) or len(present) != 1:
        raise InputError(
            f"{path}: line 1: the header must be state,device,cycle and one of {' or '.join(quantities)}, "
            f"not '{','.join(header)}'"
        )
    columns = [header.index(name) for name in (*INDICES, present[0])]
    rows = []
    first: dict[tuple[str, str, str], int] = {}
    for fields in reader:
        if any(field.strip() for field in fields):
            row = _read_row(fields, len(header), columns, f"{path}: line {reader.line_num}", reader.line_num)
            seen = first.setdefault((row.state, row.device, row.cycle), row.line)
            if seen != row.line:
                raise InputError(
                    f"{path}: line {row.line}: state {row.state}, device {row.device}, cycle {row.cycle} "
                    f"was given in line {seen} already"
                )
            rows.append(row)
    if not rows:
        raise InputError(f"{path}: holds no rows")
    return rows, present[0]


def _read_row(fields: list[str], width: int, columns: list[int], where: str, line: int) -> _Row:
    if len(fields) != width:
        raise InputError(f"{where}: {len(fields)} fields, the header has {width}")
    state, device, cycle, number = (fields[column].strip() for column in columns)
    if not (state and device and cycle):
        raise InputError(f"{where}: state, device and cycle must not be empty")
    try:
        value = float(number)
    except ValueError:
        raise InputError(f"{where}: {number!r} is not a number") from None
    if not math.isfinite(value):
        raise InputError(f"{where}: {number!r} is not finite")
    return _Row(line, state, device, cycle, value)


def _to_array(rows: list[_Row]) -> tuple[np.ndarray, list[str]]:
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
