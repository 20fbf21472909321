"""Description of a characterised device for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from barkhausen.core.display.html import Description, Section, flat_json, quantity
from barkhausen.device.technology import TECHNOLOGIES

if TYPE_CHECKING:
    from barkhausen.device.characterised import CharacterisedDevice

KNOWN = ("parameters", "assumed", "attributes")
"""Attributes of a device file that have sections of their own."""


def describe_device(device: CharacterisedDevice) -> Description:
    """States, statistics, energies, assumptions and parameters of a device."""
    entry = TECHNOLOGIES.get(device.technology)
    coordinate = device.coordinate
    unit = coordinate.unit
    low, high = device.state_range
    _, devices, cycles = device.state_values.shape
    mean, between_devices, between_cycles = device.moments
    facts: dict[str, object] = {
        "technology": device.technology if entry is None else entry.label,
        "states": f"{device.states}, by {coordinate.name}",
        "source": device.source,
        "values": f"{int(np.isfinite(device.state_values).sum())} of {devices} devices × {cycles} cycles × "
        f"{device.states} states",
        "range": f"{quantity(low, unit)} to {quantity(high, unit)}",
        "distribution": device.data.attrs.get("distribution", "empirical"),
    }
    failed = device.failure_rate
    if failed.any():
        facts["failures"] = f"up to {100 * failed.max():.1f} % of the programming events of a state"
    causes = device.energy_causes
    if causes:
        total = np.sum([device.energy(cause) for cause in causes], axis=0)
        facts["energy"] = f"{quantity(total.min(), 'J')} to {quantity(total.max(), 'J')} per programming attempt"
    weights = device.weight_of(mean)
    rows = [
        (
            state,
            quantity(mean[state], unit, 4),
            quantity(between_devices[state], unit),
            quantity(between_cycles[state], unit),
            f"{weights[state]:.3f}",
            f"{100 * failed[state]:.1f} %",
        )
        for state in range(device.states)
    ]
    sections = [
        Section("States", ("state", "mean", "σ devices", "σ cycles", "weight", "failed"), rows, opened=True),
        Section(
            "Energy of one programming attempt",
            ("state", *causes.values()),
            [(s, *(quantity(device.energy(cause)[s], "J") for cause in causes)) for s in range(device.states)]
            if causes
            else [],
        ),
        Section("Assumptions", lines=device.assumed),
        Section("Parameters (SI units)", pairs=flat_json(str(device.data.attrs.get("parameters", "{}")))),
        Section("Metadata", pairs=_metadata(device)),
        Section(
            "Variables",
            ("variable", "dimensions", "unit", "meaning"),
            [
                (name, ", ".join(map(str, item.dims)), item.attrs.get("units", ""), item.attrs.get("long_name", ""))
                for name, item in device.data.data_vars.items()
            ],
        ),
    ]
    return Description("CharacterisedDevice", facts, sections)


def _metadata(device: CharacterisedDevice) -> dict[str, object]:
    attributes = {str(name): value for name, value in device.data.attrs.items() if name not in KNOWN}
    return attributes | flat_json(str(device.data.attrs.get("attributes", "{}")))
