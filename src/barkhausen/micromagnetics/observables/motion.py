"""Velocity of walls and skyrmions from the positions that a simulation recorded."""

from __future__ import annotations

import numpy as np
import xarray as xr

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError, did_you_mean

BLOCKS = 8
"""Default number of parts of the window whose displacements are compared."""


def velocity(result: xr.Dataset, position: str = "wall_position") -> xr.DataArray:
    """Velocity in m/s at every recorded time: central differences of the positions, one-sided at both ends.

    Args:
        result: Result of :func:`~barkhausen.micromagnetics.simulate`.
        position: Variable with the positions.

    Returns:
        Velocities with the dimensions of the positions; NaN beside a time without a position.

    Raises:
        InputError: There is no such variable, or fewer than two records.
    """
    where = _positions(result, position)
    values = np.gradient(where.values, where["time"].values, axis=where.get_axis_num("time"))
    return where.copy(data=values).rename(f"{position}_velocity").assign_attrs(units="m/s")


@checks_arguments()
def mean_velocity(
    result: xr.Dataset,
    start: float | None = None,
    stop: float | None = None,
    *,
    position: str = "wall_position",
    blocks: int = BLOCKS,
) -> xr.Dataset:
    """Mean velocity of each replica in a window of time, with its standard error.

    The window is cut into ``blocks`` equal parts. The velocity is the displacement over the window by its duration, the
    standard error that of the mean of the parts' velocities: right for independent parts, hence for parts that are
    longer than a period of the motion and than its memory.

    Args:
        result: Result of :func:`~barkhausen.micromagnetics.simulate`.
        start, stop: Window in s. Default: all records.
        position: Variable with the positions.
        blocks: Number of parts, 2 or more.

    Returns:
        ``velocity`` and ``uncertainty`` in m/s, with the dimensions of the positions except the time. NaN for a replica
        without a position at an end of a part.

    Raises:
        InputError: There is no such variable, or the window holds fewer records than parts.
    """
    where = within(_positions(result, position), start, stop)
    records = where.sizes["time"]
    if blocks < 2 or records <= blocks:
        raise InputError(f"blocks = {blocks}: must be 2 or more and fewer than the {records} records of the window")
    ends = where.isel(time=np.round(np.linspace(0, records - 1, blocks + 1)).astype(int))
    axis, times = ends.get_axis_num("time"), ends["time"].values
    steps = np.diff(times).reshape([-1 if k == axis else 1 for k in range(ends.ndim)])
    parts = np.diff(ends.values, axis=axis) / steps
    mean = (ends.values.take(-1, axis) - ends.values.take(0, axis)) / (times[-1] - times[0])
    error = parts.std(axis=axis, ddof=1) / np.sqrt(blocks)
    empty = ends.isel(time=0, drop=True)
    return xr.Dataset(
        {
            "velocity": empty.copy(data=mean).assign_attrs(units="m/s"),
            "uncertainty": empty.copy(data=error).assign_attrs(units="m/s"),
        },
        attrs={"start": float(times[0]), "stop": float(times[-1]), "blocks": blocks, "position": position},
    )


def within(values: xr.DataArray, start: float | None, stop: float | None = None) -> xr.DataArray:
    """Records from ``start`` to ``stop`` (s), both included even where rounding has moved them."""
    times = values["time"].values
    slack = 1e-6 * (times[-1] - times[0]) / max(1, len(times) - 1)
    first = None if start is None else start - slack
    return values.sel(time=slice(first, None if stop is None else stop + slack))


def _positions(result: xr.Dataset, name: str) -> xr.DataArray:
    if not isinstance(result, xr.Dataset):
        raise InputError(f"result: {type(result).__name__} is no Dataset that simulate or advance returned")
    if name not in result:
        raise InputError(f"position: no variable '{name}' in the result{did_you_mean(str(name), map(str, result))}")
    if result.sizes.get("time", 0) < 2 or "time" not in result[name].dims:
        raise InputError(f"position: '{name}' needs two records or more")
    return result[name]
