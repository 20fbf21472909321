"""Import of devices moved by pulses from measured curves (LTP and LTD), or from look-up tables of CrossSim."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import StateCoordinate
from barkhausen.device.importers.look_up_tables import import_look_up_tables, is_look_up_table
from barkhausen.device.importers.pulse_table import PulseTable, pulse_table
from barkhausen.device.importers.sheets import Sheet, read_sheets
from barkhausen.device.pulses.curves import PulseCurves
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.fits import RESAMPLES, Law, fit_curves
from barkhausen.device.pulses.textbook import CONDUCTANCE

RELATIVE = StateCoordinate("relative conductance", "1", "conductance in units of the table")
TABLE_POINTS = 65
"""Number of points of the grid of a device made from look-up tables."""

LEAST_CONDUCTANCE, MOST_CONDUCTANCE = 1e-15, 1.0
"""Range in S of the largest conductance of a table: beyond, its unit must be wrong."""
LEAST_RELATIVE, MOST_RELATIVE = 1e-30, 1e30
"""Range of the largest value of a table without unit, with whose squares single precision can still compute."""


def import_pulse_curves(
    path: Path | str,
    down: Path | str | None = None,
    *,
    technology: str = "resistive",
    unit: str | None = None,
    sheet: str | None = None,
    law: Law = "table",
    points: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PulsedDevice:
    """Import conductances after pulses of one sign, then of the other, of one or several devices and cycles.

    Args:
        path: Table (CSV, Excel); that of pulses up where there are two. A table has one row a pulse (columns ``pulse``
            and ``conductance_uS`` or ``resistance_kohm``, optional ``device``, ``cycle``, ``direction``), two columns
            of values (``LTP``, ``LTD``), or one run in each column. Headers may be missing, columns may be separated by
            commas, semicolons or tabs, with decimal points or commas.
        down: Table of pulses down, with one run in each column, or the look-up table of decreasing conductance.
        technology: Name of the technology.
        unit: Unit of the values where the heading does not give it. Default: values are relative, without conductances
            in S.
        sheet: Name of the sheet of a workbook.
        law: Law of the step, as in :func:`.fit_curves`.
        points, resamples, seed: As in :func:`.fit_curves`.

    Raises:
        InputError: The layout is not understood, a cell is no number (the message gives its line), or the curves do not
            allow a fit.
    """
    path = Path(path)
    first = _single(path, sheet)
    second = None if down is None else _single(Path(down), None)
    if is_look_up_table(first):
        if second is None or not is_look_up_table(second):
            raise InputError(
                f"{path}: is a look-up table of CrossSim, of pulses of one sign: give that of the other sign too "
                "(dG_increasing.txt and dG_decreasing.txt)"
            )
        return import_look_up_tables(first, second, points or TABLE_POINTS, path, technology)
    table = pulse_table(first, second, unit)
    try:
        relative = table.unit == "1"
        curves = _curves(table)
        _check(curves, relative)
        return fit_curves(
            curves,
            technology=technology,
            source="measured",
            coordinate=RELATIVE if relative else CONDUCTANCE,
            law=law,
            points=points,
            resamples=resamples,
            seed=seed,
            assumed=[
                *table.assumed,
                *(["the table gives no unit: values are relative, and the device has no conductances"] * relative),
            ],
            attributes={"imported_from": path.name, **({"read_as": list(table.notes)} if table.notes else {})},
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _single(path: Path, sheet: str | None) -> Sheet:
    sheets = read_sheets(path, sheet)
    if len(sheets) > 1:
        raise InputError(f"{path}: choose one sheet of the workbook (--sheet)")
    return sheets[0]


def _check(curves: PulseCurves, relative: bool) -> None:
    """Refuse values that no device has, and directions that cannot be those of the pulses."""
    values = curves.values[np.isfinite(curves.values)]
    largest = float(np.abs(values).max())
    if relative:
        if not LEAST_RELATIVE < largest < MOST_RELATIVE:
            raise InputError(f"values up to {largest:.3g}: must be between {LEAST_RELATIVE:g} and {MOST_RELATIVE:g}")
    elif not LEAST_CONDUCTANCE <= largest <= MOST_CONDUCTANCE:
        raise InputError(
            f"conductances up to {largest:.3g} S: must be between {LEAST_CONDUCTANCE:g} and {MOST_CONDUCTANCE:g} S; "
            "check the unit"
        )
    wrong = [
        f"pulses {name} {'lower' if sign == 1 else 'raise'} the conductance on average"
        for sign, name in ((1, "up"), (-1, "down"))
        if sign * float(np.nansum(curves.pairs(sign)[1])) < 0
    ]
    if wrong:
        raise InputError(f"{' and '.join(wrong)}: check the directions{'; are they exchanged?' * (len(wrong) == 2)}")


def _curves(table: PulseTable) -> PulseCurves:
    """Runs as one array; those that end early are filled with missing values."""
    runs = table.runs
    patterns = {tuple(sign for sign, _ in run) for run in runs.values()}
    devices = list(dict.fromkeys(device for device, _ in runs))
    cycles = {device: [key[1] for key in runs if key[0] == device] for device in devices}
    most = max(map(len, cycles.values()))
    # The longest run is the pattern; others must begin like it in each direction.
    pattern = max(patterns, key=len)
    if len(patterns) > 1:
        counts = {sign: max(sum(s == sign for s in one) for one in patterns) for sign in (1, -1)}
        starts = max(sum(s == 0 for s in one) for one in patterns)
        for one in patterns:
            changes = sum(a != b for a, b in pairwise(one) if 0 not in (a, b))
            if changes > 1 or sum(s == 0 for s in one) != starts or starts > 1 or one[-1] != -1:
                raise InputError("the runs have different sequences of directions; they must be equal, or up then down")
        pattern = (*([0] * starts), *([1] * counts[1]), *([-1] * counts[-1]))
    values = np.full((len(devices), most, len(pattern)), np.nan)
    for i, device in enumerate(devices):
        for j, cycle in enumerate(cycles[device]):
            run = runs[device, cycle]
            if len(run) == len(pattern):
                values[i, j] = [value for _, value in run]
                continue
            ups = [value for sign, value in run if sign >= 0]
            downs = [value for sign, value in run if sign < 0]
            first = len(pattern) - sum(sign < 0 for sign in pattern)
            # Missing pulses up would stand between the last value up and the first down, which then has no change.
            values[i, j, : len(ups)] = ups
            values[i, j, first : first + len(downs)] = downs
    return PulseCurves(values, np.array(pattern, np.int8))
