"""Description for people of a device moved by pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barkhausen.core.display.html import Description, Section, flat_json, quantity
from barkhausen.device.technology import TECHNOLOGIES

if TYPE_CHECKING:
    from barkhausen.device.pulses.device import PulsedDevice

KNOWN = ("parameters", "assumed", "attributes", "law")
"""Attributes of a device file that have sections of their own."""

POINTS = 9
"""Number of weights in the table of steps."""


def describe_pulsed(device: PulsedDevice) -> Description:
    """Steps, spreads, energies, assumptions and parameters of a device."""
    entry = TECHNOLOGIES.get(device.technology)
    unit = device.coordinate.unit
    low, high = device.state_range
    figures = device.figures()
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
        "nonlinearity ν": f"{figures.nonlinearity_up:.2f} up, {figures.nonlinearity_down:.2f} down",
        "asymmetry": f"{figures.asymmetry:.3f}",
        "steps between devices": f"σ {100 * up:.1f} % up, {100 * down:.1f} % down, correlation "
        f"{device.scale_correlation:.2f}",
        "bounds between devices": "σ {:.3f} and {:.3f} in weight".format(*device.bound_sd),
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
