"""Figures and tables of the page about a device that passes with a probability which its drive sets."""

from __future__ import annotations

import numpy as np
import xarray as xr

from barkhausen.core.units import FEMTO, with_unit
from barkhausen.device.probability import ProbabilityDevice
from barkhausen.device.probability.device import KIND
from barkhausen.report.device_kind.page import PAGES, KindOfPage
from barkhausen.report.panels import Panel
from barkhausen.report.read_stochastic.figures import curve_panel
from barkhausen.report.render import sig

SHIFTS = (-4, -2, -1, 0, 1, 2, 4)
"""Drives of the table of energies, from the midpoint in units of the inverse slope."""


def lede(device: ProbabilityDevice) -> str:
    """What the device is, in a sentence."""
    name, unit = device.drive
    curve = device.curve
    return (
        f"An attempt passes with a probability that the {name} sets: half its range is reached at "
        f"{with_unit(curve.midpoint, unit, 4)}, and it goes up to {sig(curve.amplitude)}."
    )


def panels(device: ProbabilityDevice, history: xr.Dataset | None) -> list[Panel]:
    """The curve with the counts behind it, and the energy of an attempt."""
    return [curve_panel({device.technology: device}), *_energies(device)]


def _energies(device: ProbabilityDevice) -> list[Panel]:
    if not device.energy_causes:
        return []
    curve, (name, unit) = device.curve, device.drive
    rows = []
    for shift in SHIFTS:
        drive = curve.midpoint + shift / curve.slope
        if drive > 0:
            joules = [float(device.energy(cause, np.array(drive))) for cause in device.energy_causes]
            rows.append(
                (with_unit(drive, unit, 4), sig(float(curve(drive)), 3), *(sig(FEMTO * joule) for joule in joules))
            )
    labels = [f"{label} (fJ)" for label in device.energy_causes.values()]
    return [
        Panel("Energy", "Energy of an attempt at some drives.", [], (name, "probability of passing", *labels), rows)
    ]


PAGES.register(KIND, KindOfPage(ProbabilityDevice, lede, panels))
