"""Import of a measured device from CSV."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.fitted import fitted

INDICES = ("state", "device", "cycle")
JUNCTION_CONDUCTANCE = ("junction.tunnel_magnetoresistance", "junction.resistance_area")
QUANTITIES = ("position_m", "conductance_s")
MAXIMAL_CELLS = 10**8
"""Of the table state × device × cycle, 0.8 GB; only labels that hardly ever repeat need more."""


@dataclass(frozen=True)
class _Row:
    line: int
    state: str
    device: str
    cycle: str
    value: float


def import_measured_csv(
    path: Path,
    parameters: DeviceParameters | None = None,
    *,
    conductance_range: tuple[float, float] | None = None,
    fit: bool = False,
    seed: int = 0,
) -> CharacterisedDevice:
    """Read ``state,device,cycle,position_m`` or ``state,device,cycle,conductance_s``.

    The labels of states, devices and cycles may be any text. States are numbered in order of their mean
    position. Cycles that are missing for some device are left empty.

    Args:
        path: the CSV file, with a header line.
        parameters: of track, protocol and junction; the track's length is that of the measured device.
        conductance_range: (G_AP, G_P) in S of the whole junction, to turn conductances into positions; by
            default the extremes of the measured conductances, which is declared as an assumption.
        fit: add statistics of the states, and the law that foresees devices best (:func:`fitted`), instead of drawing
            from the measured values as they are.
        seed: of the fit.

    Raises:
        InputError: a column is missing, or a row is malformed or repeated (named by its line), or the values
            cannot belong to one device, or are of too few devices for a fit.
    """
    parameters = parameters or DeviceParameters()
    rows, quantity = _read_rows(path)
    assumed = parameters.assumed()
    if quantity == "conductance_s":
        # The measured range takes the place of the junction's, for the positions and for what a read costs.
        assumed = [line for line in assumed if not line.startswith(JUNCTION_CONDUCTANCE)]
        if conductance_range is None:
            values = [row.value for row in rows]
            conductance_range = min(values), max(values)
            assumed.insert(
                0,
                "G_AP = {:g} S and G_P = {:g} S are the extremes of the measured conductances".format(
                    *conductance_range
                ),
            )
        rows = _to_positions(rows, parameters, conductance_range, path)
    elif conductance_range is not None:
        raise InputError(f"{path}: a conductance range was given but the file holds positions")
    length = parameters.track.length
    for row in rows:
        if not 0 <= row.value <= length:
            raise InputError(
                f"{path}: line {row.line}: position {row.value:g} m lies off the track of {length:g} m "
                "(set track.length in the parameter file)"
            )
    try:
        positions, labels = _to_array(rows)
        device = CharacterisedDevice.from_positions(
            positions,
            parameters,
            source="measured",
            conductance_range=conductance_range,
            assumed=assumed,
            attributes={"imported_from": path.name, "quantity": quantity, "state_labels": labels},
        )
        return fitted(device, seed) if fit else device
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read_rows(path: Path) -> tuple[list[_Row], str]:
    text = read_text(path)
    reader = csv.reader(text.splitlines())
    try:
        return _parse(reader, path)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}") from None


def _parse(reader: Any, path: Path) -> tuple[list[_Row], str]:
    header = [name.strip().lower() for name in next(reader, [])]
    present = [name for name in QUANTITIES if name in header]
    if any(header.count(name) != 1 for name in (*INDICES, *present)) or len(present) != 1:
        raise InputError(
            f"{path}: line 1: the header must be state,device,cycle and one of position_m or conductance_s, "
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


def _to_positions(
    rows: list[_Row], parameters: DeviceParameters, conductance_range: tuple[float, float], path: Path
) -> list[_Row]:
    low, high = conductance_range
    if not 0 <= low < high:
        raise InputError(f"{path}: conductance range {low:g} to {high:g} S: must be rising and not negative")
    for row in rows:
        if not low <= row.value <= high:
            raise InputError(f"{path}: line {row.line}: conductance {row.value:g} S lies outside {low:g} to {high:g} S")
    length = parameters.track.length
    return [
        _Row(row.line, row.state, row.device, row.cycle, length * ((row.value - low) / (high - low))) for row in rows
    ]


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
    positions = np.full(shape, np.nan)
    index = [{label: i for i, label in enumerate(labels)} for labels in (states, devices, cycles)]
    for row in rows:
        positions[index[0][row.state], index[1][row.device], index[2][row.cycle]] = row.value
    return positions, states
