"""What a device file says about barriers and retention, in sentences."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from barkhausen.core.units import BOLTZMANN
from barkhausen.device.characterised import CharacterisedDevice

METHODS = {
    "compact": "compact model, not calibrated",
    "compact-calibrated": "compact model, calibrated to micromagnetic paths of least energy",
    "string": "micromagnetic paths of least energy",
    "measured": "measured",
}
"""Words for each method by which barriers are found (:data:`.BARRIER_METHODS`)."""

WORST = 0.1
"""Share of the devices whose retention is worse than the quoted one."""

DAY, YEAR = 86_400.0, 3.156e7
"""Seconds of a day and of a year."""


def barrier_method(device: CharacterisedDevice) -> str:
    """Method by which the barriers of a file were found, in words. Files of version 0.1 do not state it."""
    named = device.data["barrier"].attrs.get("method") if "barrier" in device.data else None
    default = "measured" if device.source == "measured" else "compact"
    return METHODS.get(str(named), METHODS[default]) if named is not None else METHODS[default]


def retention_lines(device: CharacterisedDevice) -> list[str]:
    """Barriers with their method and error, and retention of the weakest state with its bound; none if unknown."""
    data = device.data
    if "barrier" not in data or "retention_time" not in data:
        return []
    attributes = json.loads(str(data.attrs.get("parameters", "{}")))
    temperature = attributes.get("characterisation", {}).get("temperature")
    barrier = _rows(data, "barrier")
    medians = [float(np.median(row)) for row in barrier if row.size]
    if not medians:
        return []
    line = f"barriers: {barrier_method(device)}"
    if "barrier_error" in data:
        size = data["barrier"].values
        share = np.nanmax(data["barrier_error"].values / np.where(size > 0, size, np.nan))
        line += f", standard error {100 * share:.2g} %"
    if temperature:
        heat = BOLTZMANN * temperature
        line += f"; {min(medians) / heat:.1f} to {max(medians) / heat:.1f} kB T at {temperature:g} K (median devices)"
    times = _rows(data, "retention_time")
    worst = {k: of_tenth(row) for k, row in enumerate(times) if row.size}
    state = min(worst, key=lambda k: worst[k])
    which = "10 % worst device" if times[state].size >= 1 / WORST else f"worst of {times[state].size} devices"
    text = f"retention of state {state}, {which}: {lasting(worst[state])}"
    if "retention_time_lower" in data:
        lower = {k: of_tenth(row) for k, row in enumerate(_rows(data, "retention_time_lower")) if row.size}
        text += f" (lower 95 % bound {lasting(lower[state])})"
    return [line, text]


def worst_retention(device: CharacterisedDevice) -> float | None:
    """Retention time in s of the 10 % worst device in the worst state; None if the file holds none."""
    rows = _rows(device.data, "retention_time") if "retention_time" in device.data else []
    return min((of_tenth(row) for row in rows if row.size), default=None)


def lasting(seconds: float) -> str:
    """A time with a prefix of the second, or in years."""
    if seconds >= YEAR:
        return "more than 1e6 years" if seconds > 1e6 * YEAR else f"{seconds / YEAR:.3g} years"
    if seconds >= DAY:
        return f"{seconds / DAY:.3g} days"
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _rows(data: xr.Dataset, name: str) -> list[np.ndarray]:
    values = data[name].transpose("state", "device").values
    return [row[~np.isnan(row)] for row in values]


def of_tenth(values: np.ndarray) -> float:
    """Retention time of the 10 % worst device: of the one that nine tenths exceed."""
    return float(np.quantile(values, WORST, method="lower"))
