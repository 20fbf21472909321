"""Schema of the device files of kind ``pulses``: validation of a data set, which names the first error in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device.pulses.cell import cell_of
from barkhausen.device.schema import (
    CAUSE,
    CONDUCTANCE_MAPS,
    FORMAT_VERSION,
    READ_OUT,
    SOURCES,
    TAKEN,
    Rule,
    validate_variable,
)

KIND = "pulses"
"""Kind of device file: devices that identical pulses move up and down."""

SIGNS = ("up", "down")
"""The dimension ``sign``: pulses that raise the weight, and pulses that lower it."""

LARGEST_GRID = 4097
LARGEST_STEP = 20.0
"""Largest mean step, in weight units; the whole range has 2."""
LARGEST_SPREAD = 10.0
"""Largest relative standard deviation of the scale of the steps, and of a bound in weight units."""

MOTIONS = ("pulse_motion", "delay_motion", "delay_motion_rms")
"""Motion of a wall in pulses and in delays, in m."""

_TABLE = ("sign", "grid")
REQUIRED = {
    "grid_weight": Rule(("grid",), -1.0, 1.0),
    "step_mean": Rule(_TABLE, -LARGEST_STEP, LARGEST_STEP),
    "step_sd": Rule(_TABLE, 0.0, LARGEST_STEP),
    "scale_sd": Rule(("sign",), 0.0, LARGEST_SPREAD),
    "scale_correlation": Rule((), -1.0, 1.0),
    "bound_sd": Rule(("bound",), 0.0, LARGEST_SPREAD),
    "state_range": Rule(("bound",)),
}
OPTIONAL = {
    "energy": Rule(("cause", "sign"), 0.0),
    "conductance_low": Rule((), 0.0),
    "conductance_high": Rule((), 0.0),
    **{name: Rule((), 0.0) for name in READ_OUT},
    "read_sd": Rule((), 0.0, LARGEST_SPREAD),
    "pattern_sd": Rule(_TABLE, 0.0, LARGEST_STEP),
    "step_mean_interval": Rule((*_TABLE, "bound"), holes=True),
    "step_sd_interval": Rule((*_TABLE, "bound"), 0.0, holes=True),
    "scale_sd_interval": Rule(("sign", "bound"), 0.0, holes=True),
    "scale_correlation_interval": Rule(("bound",), -1.0, 1.0, holes=True),
    "bound_sd_interval": Rule(("end", "bound"), 0.0, holes=True),
    "nonlinearity": Rule(("sign",), holes=True),
    "nonlinearity_interval": Rule(("sign", "bound"), holes=True),
    "line_deviation": Rule(("sign",), 0.0, holes=True),
    "line_deviation_interval": Rule(("sign", "bound"), 0.0, holes=True),
    "asymmetry": Rule((), 0.0, 1.0),
    "asymmetry_interval": Rule(("bound",), 0.0, 1.0, holes=True),
    "step_count": Rule((), 0.0, holes=True),
    **{name: Rule((), holes=True) for name in MOTIONS},
    **{f"{name}_interval": Rule(("bound",), holes=True) for name in MOTIONS},
    "curve": Rule(("device", "cycle", "pulse"), holes=True),
    "curve_sign": Rule(("pulse",), -1.0, 1.0),
}


def validate(data: xr.Dataset) -> None:
    """Check a data set.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """
    _validate_attributes(data.attrs)
    for name, rule in (REQUIRED | OPTIONAL).items():
        if name in data:
            validate_variable(data[name], rule)
        elif name in REQUIRED:
            raise InputError(f"variable '{name}' is missing from the device file")
    for name, size in (("sign", 2), ("bound", 2), ("end", 2)):
        if data.sizes.get(name, size) != size:
            raise InputError(f"dimension '{name}' has {data.sizes[name]} entries, must have {size}")
    _validate_grid(data)
    _validate_steps(data)
    _validate_range(data)
    _validate_energies(data)
    cell_of(data)
    signs = data["curve_sign"].values if "curve_sign" in data else np.array([0])
    if not np.isin(signs, (-1, 0, 1)).all():
        raise InputError("variable 'curve_sign' holds a value that is none of -1, 0, 1")
    if "curve" in data and "curve_sign" not in data:
        raise InputError("variable 'curve' needs the variable 'curve_sign', which is missing from the device file")


def _validate_attributes(attributes: Mapping[Any, Any]) -> None:
    version: Any = attributes.get("format_version")
    if np.ndim(version) or version != FORMAT_VERSION:
        raise InputError(f"device file format {version}: devices moved by pulses have format {FORMAT_VERSION}")
    kind, source, technology = (attributes.get(name) for name in ("kind", "source", "technology"))
    if not isinstance(kind, str) or kind != KIND:
        raise InputError(f"kind = {kind!r}: must be {KIND!r}")
    if not isinstance(technology, str) or not technology:
        raise InputError(f"technology = {technology!r}: must be the name of a technology")
    if not isinstance(source, str) or source not in SOURCES:
        raise InputError(f"source = {source!r}: must be one of {', '.join(SOURCES)}")
    value = attributes.get("conductance_map", CONDUCTANCE_MAPS[0])
    if not isinstance(value, str) or value not in CONDUCTANCE_MAPS:
        raise InputError(f"conductance_map = {value!r}: must be {' or '.join(map(repr, CONDUCTANCE_MAPS))}")


def _validate_grid(data: xr.Dataset) -> None:
    grid = data["grid_weight"].values.astype(np.float64)
    if not 2 <= len(grid) <= LARGEST_GRID:
        raise InputError(f"variable 'grid_weight' has {len(grid)} entries, must have 2 to {LARGEST_GRID}")
    if not np.allclose(grid, np.linspace(-1, 1, len(grid)), atol=1e-6, rtol=0):
        raise InputError("variable 'grid_weight' must rise evenly from -1 to 1")


def _validate_steps(data: xr.Dataset) -> None:
    up, down = data["step_mean"].transpose("sign", "grid").values
    if (up < 0).any() or (down > 0).any():
        raise InputError("variable 'step_mean' holds a step against the direction of its pulse")
    for name, steps in zip(SIGNS, (up, down), strict=True):
        if not steps.any():
            raise InputError(f"variable 'step_mean' is zero everywhere for pulses {name}: no pulse moves the device")


def _validate_range(data: xr.Dataset) -> None:
    low, high = data["state_range"].values.astype(np.float64).tolist()
    if not high > low:
        raise InputError(f"variable 'state_range' is {low:g} to {high:g}: must be rising")
    if data.attrs.get("conductance_map") == "identity" and low < 0:
        raise InputError(f"variable 'state_range' begins at {low:g}, but a conductance is not negative")
    names = ("conductance_low", "conductance_high")
    if all(name in data for name in names):
        ends = [float(data[name]) for name in names]
        if not ends[0] < ends[1]:
            raise InputError(f"the conductances of the device file are {ends[0]:g} S and {ends[1]:g} S: must be rising")


def _validate_energies(data: xr.Dataset) -> None:
    if "energy" not in data:
        return
    for name in ("cause", "energy_label"):
        if name not in data.variables or data[name].dims != ("cause",):
            raise InputError(f"variable '{name}' must hold a text for each cause of energy")
    causes = [str(cause) for cause in data["cause"].values]
    for cause in causes:
        if not CAUSE.fullmatch(cause) or cause in TAKEN:
            raise InputError(f"cause of energy {cause!a}: must be a word of small letters that names no other energy")
    if len(set(causes)) < len(causes):
        raise InputError("variable 'cause' names a cause of energy twice")
