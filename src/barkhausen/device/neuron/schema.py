"""Schema of device files of kind ``neuron``: validation that names the first error in one line."""

from __future__ import annotations

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.device.schema import CAUSE, FORMAT_VERSION, SOURCES, Rule, validate_variable

KIND = "neuron"
STEPS, PROBABILITY = "steps", "probability"
OPERATIONS = ("pulse", "read", "reset")
CYCLES = ("cycles_tried", "cycles_fired", "cycles_failed", "cycles_lost")
MAXIMAL = 4096
"""Largest number of drives and of places."""

_TABLE = ("drive", "place")
REQUIRED = {
    STEPS: {
        "drive": Rule(("drive",), 0.0),
        "place": Rule(("place",), 0.0),
        "step_mean": Rule(_TABLE),
        "step_spread": Rule(_TABLE, 0.0),
        "threshold": Rule((), 0.0),
        "step_time": Rule((), 0.0),
    },
    PROBABILITY: {"drive": Rule(("drive",)), "fire_probability": Rule(("drive",), 0.0, 1.0)},
}
OPTIONAL = {
    STEPS: {"step_count": Rule(_TABLE, 0.0), **dict.fromkeys(CYCLES, Rule((), 0.0))},
    PROBABILITY: {"trials": Rule(("drive",), 1.0)},
}
ENERGIES = {"energy": Rule(("cause",), 0.0), "drive_power": Rule(("cause",))}


def validate_neuron(data: xr.Dataset) -> None:
    """Check a data set of kind ``neuron``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a neuron.
    """
    _attributes(data)
    law = data.attrs["law"]
    for name, rule in (REQUIRED[law] | OPTIONAL[law]).items():
        if name in data.variables:
            validate_variable(data[name], rule)
        elif name in REQUIRED[law]:
            raise InputError(f"variable '{name}' is missing from the device file")
    for name in ("drive", "place") if law == STEPS else ("drive",):
        values = data[name].values
        if not 2 <= len(values) <= MAXIMAL or not (np.diff(values) > 0).all():
            raise InputError(f"variable '{name}' must hold 2 to {MAXIMAL} rising numbers")
    if law == STEPS:
        _steps(data)
    if "energy" in data:
        _energies(data)


def _attributes(data: xr.Dataset) -> None:
    version, source, law = (data.attrs.get(name) for name in ("format_version", "source", "law"))
    if np.ndim(version) or version != FORMAT_VERSION:  # type: ignore[arg-type]  # may be anything
        raise InputError(f"device file format {version}: kind {KIND!r} needs {FORMAT_VERSION}")
    if data.attrs.get("kind") != KIND:
        raise InputError(f"kind = {data.attrs.get('kind')!r}: must be {KIND!r}")
    if not isinstance(law, str) or law not in REQUIRED:
        raise InputError(f"law = {law!r}: must be {' or '.join(REQUIRED)}{did_you_mean(str(law), REQUIRED)}")
    technology = data.attrs.get("technology")
    if not isinstance(technology, str) or not technology:
        raise InputError(f"technology = {technology!r}: must be the name of a technology")
    if not isinstance(source, str) or source not in (*SOURCES, "published"):
        raise InputError(f"source = {source!r}: must be one of {', '.join((*SOURCES, 'published'))}")


def _steps(data: xr.Dataset) -> None:
    drives, places, threshold = data["drive"].values, data["place"].values, float(data["threshold"])
    if drives[0] != 0:
        raise InputError(f"variable 'drive' begins with {drives[0]:g}: must begin with 0, which gives the leak")
    if threshold <= 0 or places[0] != 0 or not np.isclose(places[-1], threshold, rtol=1e-6):
        raise InputError(
            f"variable 'place' goes from {places[0]:g} to {places[-1]:g}: must go from 0 to the threshold, "
            f"{threshold:g}"
        )
    if not np.allclose(np.diff(places), np.diff(places)[0], rtol=1e-6):
        raise InputError("variable 'place' must be evenly spaced")
    held = [name for name in CYCLES if name in data]
    if held and len(held) < len(CYCLES):
        raise InputError(f"variables {', '.join(CYCLES)} belong together; one is missing")
    if held and not float(data["cycles_failed"]) <= float(data["cycles_fired"]) <= float(data["cycles_tried"]):
        raise InputError("variables 'cycles_failed', 'cycles_fired' and 'cycles_tried' must not fall in this order")


def _energies(data: xr.Dataset) -> None:
    for name, rule in ENERGIES.items():
        if name not in data:
            raise InputError(f"variable '{name}' is missing beside 'energy'")
        validate_variable(data[name], rule)
    for name in ("cause", "operation", "energy_label"):
        if name not in data.variables or data[name].dims != ("cause",):
            raise InputError(f"variable '{name}' must hold a text for each cause of energy")
    for name in map(str, data["cause"].values):
        if not CAUSE.fullmatch(name):
            raise InputError(f"cause of energy {name!r}: must be small letters, digits and underscores")
    wrong = [name for name in map(str, data["operation"].values) if name not in OPERATIONS]
    if wrong:
        raise InputError(f"operation = {wrong[0]!r}: must be one of {', '.join(OPERATIONS)}")
