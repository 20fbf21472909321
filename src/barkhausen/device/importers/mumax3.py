"""Import of a device simulated with mumax3, with one ``table.txt`` for each state, device and cycle."""

from __future__ import annotations

import glob
import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError, did_you_mean, warn
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.labelled import domain_wall_device
from barkhausen.device.domain_wall.parameters import DeviceParameters

INDICES = ("state", "device", "cycle")
PATTERN = "state{state}_device{device}_cycle{cycle}.out/table.txt"
"""Default pattern of the labels in paths."""

EARLY = 5e-3
"""Relative time by which a table may end before the longest one, since its last row may have been just missed."""

ROUNDING = 1e-5
"""Amount by which |m_z| may exceed 1, since mumax3 writes single precision."""

PROFILE = re.compile(r"m_?z[\W_]*\d+\W*|m[\W_]*(?:x|y|row|col|cell|crop|region)\w*?\d+[\w.,\- ]*z", re.IGNORECASE)
"""Names of columns that hold m_z of one row of cells or of one region."""

IN_PLANE = 0.7
"""Length of the mean in-plane magnetisation above which a film is taken to be magnetised in its plane. Of a track with
a perpendicular wall only the wall itself lies in the plane."""

NO_MZ = 0.02
"""Magnitude of m_z below which it is taken to be zero."""

Numbers = Float[np.ndarray, " row"]


@dataclass(frozen=True)
class _Table:
    path: Path
    state: str
    device: str
    cycle: str
    end: float
    """Time in s of the last row."""
    line: int
    """Line number of the last row."""
    value: float
    """Final value that gives the position: mean m_z, or the column in m."""
    rows: int
    """Number of rows."""
    largest: float
    """Greatest magnitude of the value over all rows."""
    in_plane: float
    """Length of the mean in-plane magnetisation in the last row; NaN if the table does not give it."""


def import_mumax3_tables(
    tables: Path | str | Sequence[Path | str],
    parameters: DeviceParameters | None = None,
    *,
    pattern: str = PATTERN,
    column: str | None = None,
    offset: float = 0.0,
    left: int = 1,
    domain_mz: float = 1.0,
    average: float | None = None,
) -> CharacterisedDevice:
    """Import resting wall positions from the tables of mumax3.

    Labels come from the paths and may be any text. States are numbered in order of their mean positions, devices and
    cycles in natural order of their labels (2 before 10). Missing combinations are allowed.

    Args:
        tables: Directory, searched recursively, or the table files themselves.
        parameters: Parameters of track, protocol and junction. The length of the track must be that of the simulated
            device; positions from m_z need it.
        pattern: Pattern of the end of each path, with the fields {state}, {device} and {cycle}. A field that is left
            out has one value. In a directory, every file named like the last part of the pattern must match the whole
            pattern; if that part has fields, every file with its extension.
        column: Name of a column that holds the position in m, such as ``wall_position`` in the scripts of
            :func:`~barkhausen.micromagnetics.mumax3.script.mumax3_script`. Default: the position follows from the mean
            m_z, x = L/2 (1 + left m_z/domain_mz).
        offset: Offset in m added to the column, such as half the track length for positions from its middle.
        left: Direction of the left domain for positions from m_z: 1 for up, −1 for down.
        domain_mz: |m_z| within the domains for positions from m_z. Thermal fluctuations and edges make it less than 1;
            with too large a value all positions are shifted towards the middle.
        average: Time in s at the end of a table over which values are averaged, weighted by time. Default: only the
            last row is used.

    Warns:
        InputWarning: Tables of one row or without times, or a film that seems to be magnetised in its plane.

    Raises:
        InputError: The length of the track is needed and not given; a path does not match, or labels occur twice; a
            table cannot be read, lacks a column, holds a profile of m_z, holds a value that is not a finite number,
            goes back in time, or ends before the others (the message gives the line); a position lies off the track; or
            the values cannot belong to one device.
    """
    parameters = parameters or DeviceParameters()
    if left not in (1, -1):
        raise InputError(f"left = {left}: must be 1 (up) or -1 (down)")
    if not 0 < domain_mz <= 1:
        raise InputError(f"domain_mz = {domain_mz}: must lie above 0, and at most at 1")
    if average is not None and not (math.isfinite(average) and average > 0):
        raise InputError(f"average = {average}: must be a positive time in s")
    if not math.isfinite(offset):
        raise InputError(f"offset = {offset}: must be a finite length in m")
    if column is None and offset:
        raise InputError("offset: needs column; the position from m_z counts from the left end")
    if column is None:
        parameters.require_length("m_z gives a position as a share of it")
    expression = _expression(pattern)
    paths = _paths(tables, pattern)
    found = [_read(path, _labels(path, expression, pattern), column, average) for path in paths]
    _check_together(found)
    _warn_of_doubtful(found, column)
    length = parameters.track.length
    rows = [(table, _position(table, column, length, offset, left / domain_mz)) for table in found]
    positions, states = _to_array(rows)
    when = "of the last row" if average is None else f"averaged over the last {average:g} s"
    if column is None:
        sign, side = ("+", "up") if left == 1 else ("-", "down")
        share = "m_z" if domain_mz == 1 else f"m_z/{domain_mz:g}"
        how = (
            f"wall positions are x = L/2 (1 {sign} {share}) from the mean m_z {when}: the left domain points {side}, "
            f"|m_z| in the domains is {domain_mz:g}, the track is equally wide everywhere"
        )
    else:
        how = f"wall positions are mumax3's column '{column}' {when}" + (f", plus {offset:g} m" if offset else "")
    end = max(table.end for table in found)
    try:
        return domain_wall_device(
            positions,
            parameters,
            source="simulated",
            assumed=[how, f"the walls are at rest at the end of the tables, {end:g} s", *parameters.assumed()],
            attributes={
                "imported_from": _place(tables),
                "pattern": pattern,
                "tables": len(paths),
                "quantity": "mz" if column is None else column,
                "state_labels": states,
            },
        )
    except InputError as error:
        raise InputError(f"{_place(tables)}: {error}") from None


def _expression(pattern: str) -> re.Pattern[str]:
    """Regular expression that matches the end of a path and gives its labels."""
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise InputError(f"pattern '{pattern}': {error}") from None
    text, seen = "", set[str]()
    for literal, name, spec, conversion in pieces:
        text += re.escape(literal)
        if name is None:
            continue
        if name not in INDICES or spec or conversion:
            raise InputError(f"pattern '{pattern}': no field '{{{name}}}'{did_you_mean(name, INDICES)}")
        if name in seen:
            raise InputError(f"pattern '{pattern}': {{{name}}} is named twice")
        seen.add(name)
        text += f"(?P<{name}>[^/]+?)"
    if "state" not in seen:
        raise InputError(f"pattern '{pattern}': needs {{state}}")
    return re.compile(rf"(?:^|/){text}$")


def _paths(tables: Path | str | Sequence[Path | str], pattern: str) -> list[Path]:
    if not isinstance(tables, Path | str):
        paths = [Path(path) for path in tables]
    elif (directory := Path(tables)).is_dir():
        last = pattern.rsplit("/", 1)[-1]
        named = f"*{glob.escape(Path(last).suffix)}" if "{" in last else glob.escape(last)
        paths = sorted((path for path in directory.rglob(named) if path.is_file()), key=lambda p: _natural(str(p)))
    else:
        paths = [directory]
    if not paths:
        raise InputError(f"{_place(tables)}: holds no table for the pattern '{pattern}'")
    return paths


def _labels(path: Path, expression: re.Pattern[str], pattern: str) -> tuple[str, str, str]:
    match = expression.search(path.as_posix())
    if match is None:
        raise InputError(f"{path}: does not match the pattern '{pattern}'")
    labels = match.groupdict()
    return labels["state"], labels.get("device", "0"), labels.get("cycle", "0")


def _read(path: Path, labels: tuple[str, str, str], column: str | None, average: float | None) -> _Table:
    lines = read_text(path).splitlines()
    header = lines[0].removeprefix("#").split("\t") if lines and lines[0].startswith("#") else []
    names = [name.strip().partition(" (")[0] for name in header]
    if names[:1] != ["t"]:
        raise InputError(f"{path}: line 1: is not the header of a mumax3 table, '# t (s)' and further columns")
    wanted = "mz" if column is None else column
    if wanted not in names:
        profile = [name for name in names if PROFILE.fullmatch(name)]
        if column is None and len(profile) > 1:
            raise InputError(
                f"{path}: line 1: holds {len(profile)} columns of m_z, '{profile[0]}' to '{profile[-1]}': a profile, "
                "not the mean m_z of the track ('mz'); save the mean, or a column with the wall position"
            )
        raise InputError(f"{path}: line 1: no column '{wanted}'{did_you_mean(wanted, names)}")
    whole = header[names.index(wanted)].strip()
    if column is not None and whole not in (column, f"{column} (m)"):
        raise InputError(f"{path}: line 1: column '{whole}' is not in m")
    # A diverged simulation shows in m first, wherever the position comes from.
    needed = {name: names.index(name) for name in ("t", wanted, "mx", "my", "mz") if name in names}
    twins = [k for k, name in enumerate(names) if name == wanted and k != needed[wanted]]
    rows: list[tuple[int, float, float]] = []
    in_plane = math.nan
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        where, fields = f"{path}: line {number}", line.split("\t")
        values = _numbers(fields, len(names), needed, where)
        for twin in twins:
            if fields[twin].strip() != fields[needed[wanted]].strip():
                raise InputError(f"{where}: two columns '{wanted}' hold different values")
        time, value = values["t"], values[wanted]
        in_plane = math.hypot(values["mx"], values["my"]) if {"mx", "my"} <= set(values) else math.nan
        if rows and time < rows[-1][1]:
            raise InputError(f"{path}: line {number}: goes back in time, from {rows[-1][1]:g} s to {time:g} s")
        rows.append((number, time, value))
    if not rows:
        raise InputError(f"{path}: holds no rows")
    line_of_end, end, last = rows[-1]
    largest = max(abs(value) for _, _, value in rows)
    if average is not None:
        if end == rows[0][1]:
            raise InputError(
                f"{path}: all rows are at t = {end:g} s, as of a loop of minimize() or relax(): there is no time to "
                "average over; leave out average to take the last row"
            )
        last = _mean_of_the_end(np.array(rows)[:, 1], np.array(rows)[:, 2], average, f"{path}: line {line_of_end}")
    return _Table(path, *labels, end, line_of_end, last, len(rows), largest, in_plane)


def _numbers(fields: list[str], width: int, needed: dict[str, int], where: str) -> dict[str, float]:
    """Values of a row by the names of their columns."""
    if len(fields) != width:
        raise InputError(f"{where}: {len(fields)} fields, the header has {width}")
    values = {}
    for name, index in needed.items():
        try:
            values[name] = float(fields[index])
        except ValueError:
            raise InputError(f"{where}: {name} = {fields[index].strip()!r} is not a number") from None
        if not math.isfinite(values[name]):
            raise InputError(f"{where}: {name} = {fields[index].strip()} is not finite")
    return values


def _mean_of_the_end(time: Numbers, value: Numbers, average: float, where: str) -> float:
    """Mean over the last ``average`` seconds by the trapezoidal rule; between rows the value is linear."""
    start = time[-1] - average
    if start < time[0] - 1e-6 * average:
        raise InputError(f"{where}: the table spans {time[-1] - time[0]:g} s, less than average = {average:g} s")
    inside = time > start
    t = np.concatenate(([start], time[inside]))
    v = np.concatenate(([np.interp(start, time, value)], value[inside]))
    return float(((t[1:] - t[:-1]) * (v[1:] + v[:-1])).sum() / (2 * average))


def _check_together(tables: Sequence[_Table]) -> None:
    """Raise :class:`InputError` if labels are given twice, or a table ends before the others."""
    first: dict[tuple[str, str, str], Path] = {}
    for table in tables:
        labels = table.state, table.device, table.cycle
        if labels in first:
            raise InputError(
                f"{table.path}: state {table.state}, device {table.device}, cycle {table.cycle} was given by "
                f"{first[labels]} already"
            )
        first[labels] = table.path
    end = max(table.end for table in tables)
    for table in tables:
        if table.end < end * (1 - EARLY):
            raise InputError(
                f"{table.path}: line {table.line}: ends at {table.end:g} s, others reach {end:g} s; was it interrupted?"
            )


def _warn_of_doubtful(tables: Sequence[_Table], column: str | None) -> None:
    """Warn of tables that are read but are probably not what they are taken for."""
    single = [table for table in tables if table.rows == 1]
    still = [table for table in tables if table.rows > 1 and table.end == 0]
    if single:
        warn(
            f"{single[0].path}: holds a single row, at t = {single[0].end:g} s{_others(single)}; is it the start of a "
            "simulation? The wall is taken to be at rest there"
        )
    if still:
        warn(
            f"{still[0].path}: all rows are at t = 0{_others(still)}, as of a loop of minimize() or relax(); the last "
            "row is taken"
        )
    if column is not None:
        return
    flat = [table for table in tables if table.in_plane > IN_PLANE]
    if flat:
        warn(
            f"{flat[0].path}: the mean magnetisation lies in the plane, {flat[0].in_plane:.2f} of it in the last row"
            f"{_others(flat)}: m_z = {flat[0].value:.3g} is then no position of a wall"
        )
    elif all(table.largest < NO_MZ for table in tables):
        warn(
            f"{tables[0].path}: m_z is about 0 throughout{_others(tables)}: every wall is read in the middle of the "
            "track; is the film magnetised in its plane?"
        )


def _others(tables: Sequence[_Table]) -> str:
    return f" (and {len(tables) - 1} more {'table' if len(tables) == 2 else 'tables'})" if len(tables) > 1 else ""


def _position(table: _Table, column: str | None, length: float, offset: float, per_mz: float) -> float:
    where = f"{table.path}: line {table.line}"
    if column is None:
        share = per_mz * table.value
        if abs(share) > 1 + ROUNDING:
            raise InputError(f"{where}: m_z = {table.value:g} is more than the domains have (1 or domain_mz)")
        return 0.5 * length * (1 + max(-1.0, min(1.0, share)))
    position = table.value + offset
    if not 0 <= position <= length:
        raise InputError(
            f"{where}: position {position:g} m lies off the track of {length:g} m (see track.length and offset)"
        )
    return position


def _to_array(rows: Sequence[tuple[_Table, float]]) -> tuple[Float[np.ndarray, "state device cycle"], list[str]]:
    """Positions, NaN where there is no table, and the labels of the states."""
    by_state: dict[str, list[float]] = {}
    for table, position in rows:
        by_state.setdefault(table.state, []).append(position)
    states = sorted(by_state, key=lambda label: float(np.mean(by_state[label])))
    devices = sorted({table.device for table, _ in rows}, key=_natural)
    cycles = sorted({table.cycle for table, _ in rows}, key=_natural)
    positions = np.full((len(states), len(devices), len(cycles)), np.nan)
    for table, position in rows:
        positions[states.index(table.state), devices.index(table.device), cycles.index(table.cycle)] = position
    return positions, states


def _natural(label: str) -> list[tuple[int, str]]:
    """Sort key of a label that compares numbers within it as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", label)]


def _place(tables: Path | str | Sequence[Path | str]) -> str:
    if isinstance(tables, Path | str):
        return str(tables)
    return str(Path(tables[0])) if len(tables) else "tables"
