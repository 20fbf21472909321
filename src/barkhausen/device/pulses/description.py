"""Description for people of a device moved by pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from barkhausen.core.display.html import Description, Section, flat_json, quantity
from barkhausen.core.units import NANO
from barkhausen.device.technology import TECHNOLOGIES

if TYPE_CHECKING:
    from barkhausen.device.pulses.device import PulsedDevice

KNOWN = ("parameters", "assumed", "attributes", "law", "cell")
"""Attributes of a device file that have sections of their own."""

POINTS = 9
"""Number of weights in the table of steps."""


def describe_pulsed(device: PulsedDevice) -> Description:
    """Steps, spreads, energies, assumptions and parameters of a device."""
    entry = TECHNOLOGIES.get(device.technology)
    unit = device.coordinate.unit
    low, high = device.state_range
    causes = device.energy_causes
    law = device.law
    up, down = device.scale_sd
    facts: dict[str, object] = {
        "technology": device.technology if entry is None else entry.label,
        "kind": "moved by pulses",
        "source": device.source,
        "law of the step": law.get("name", "table"),
        "range": f"{quantity(low, unit)} to {quantity(high, unit)}, by {device.coordinate.name}",
        "steps in the range": f"{device.states:.3g}",
        **_curves(device),
        "steps between devices": f"σ {100 * up:.1f} % up, {100 * down:.1f} % down, correlation "
        f"{device.scale_correlation:.2f}",
        "bounds between devices": "σ {:.3f} and {:.3f} in weight".format(*device.bound_sd),
    }
    if device.pattern_sds.any():
        facts["steps of a device at one state"] = f"σ up to {device.pattern_sds.max():.4f} in weight, in every cycle"
    if device.cell.devices > 1:
        facts["cells"] = device.cell.words()
    facts |= {
        label: _length(device, name)
        for name, label in (("pulse_motion", "motion in a pulse"), ("delay_motion", "motion in the delay after it"))
        if name in device.data
    }
    if causes:
        facts["energy"] = "{} up, {} down".format(*(quantity(value, "J") for value in device.energy()))
    places = [round(k * (device.data.sizes["grid"] - 1) / (POINTS - 1)) for k in range(POINTS)]
    mean, spread = device.step_means, device.step_sds
    steps = [
        (f"{device.grid[k]:.2f}", *(f"{table[row, k]:.4f}" for row in (0, 1) for table in (mean, spread)))
        for k in dict.fromkeys(places)
    ]
    sections = [
        Section("Steps", ("weight", "mean up", "σ cycles up", "mean down", "σ cycles down"), steps, opened=True),
        Section(
            "Energy of one pulse",
            ("cause", "up", "down"),
            [(label, *(quantity(value, "J") for value in device.energy(cause))) for cause, label in causes.items()],
        ),
        Section("Law of the mean step", pairs={name: value for name, value in law.items() if name != "name"}),
        Section("Assumptions", lines=device.assumed),
        Section("Parameters (SI units)", pairs=flat_json(str(device.data.attrs.get("parameters", "{}")))),
        Section("Metadata", pairs={str(k): v for k, v in device.data.attrs.items() if k not in KNOWN}),
    ]
    return Description("PulsedDevice", facts, sections)


def _curves(device: PulsedDevice) -> dict[str, object]:
    """Figures of merit: of the curves in the file, with intervals, or of the mean step."""
    data = device.data
    if "nonlinearity" not in data:
        figures = device.figures()
        return {
            "nonlinearity ν": f"{figures.nonlinearity_up:.2f} up, {figures.nonlinearity_down:.2f} down",
            "asymmetry": f"{figures.asymmetry:.3f}",
        }
    up, down = (_with_ends(data, "nonlinearity", row) for row in (0, 1))
    return {"nonlinearity ν": f"{up} up, {down} down", "asymmetry": _with_ends(data, "asymmetry")}


def _with_ends(data: xr.Dataset, name: str, row: int | None = None, factor: float = 1.0) -> str:
    """A value with its interval in brackets."""
    place = () if row is None else (row,)
    shown = f"{factor * float(data[name].values[place]):.2f}"
    if f"{name}_interval" not in data:
        return shown
    low, high = factor * data[f"{name}_interval"].values[place]
    return f"{shown} ({low:.2f} to {high:.2f})"


def _length(device: PulsedDevice, name: str) -> str:
    return f"{_with_ends(device.data, name, factor=NANO)} nm"
