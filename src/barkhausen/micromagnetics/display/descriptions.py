"""Descriptions of films and drives for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barkhausen.core.display.html import Description, Section, quantity
from barkhausen.core.units import NANO
from barkhausen.micromagnetics.display.plots import SIGNALS

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive
    from barkhausen.micromagnetics.film import Film


def describe_film(film: Film) -> Description:
    """Grid, family and material of a film."""
    grid, material = film.grid, film.material
    facts: dict[str, object] = {
        "cells": f"{grid.nx} × {grid.ny} of {NANO * grid.dx:g} × {NANO * grid.dy:g} × {NANO * grid.dz:g} nm",
        "size": f"{NANO * grid.length:g} × {NANO * grid.width:g} nm, {NANO * grid.dz:g} nm thick",
        "devices": film.devices,
    }
    if film.device_of_replica is not None:
        facts["replicas"] = len(film.device_of_replica)
    if film.fill is not None:
        facts["filled"] = f"{100 * float(film.fill.mean()):.1f} % of the grid"
    if film.anisotropy is not None:
        low, high = float(film.anisotropy.min()), float(film.anisotropy.max())
        facts["anisotropy"] = f"{low / 1e3:.4g} to {high / 1e3:.4g} kJ/m³"
    if material.effective_anisotropy > 0:
        facts["wall width"] = quantity(material.wall_width, "m")
    else:
        facts["easy axis"] = "in the plane"
    constants = {name: value for name, value in material.stated().items() if value not in (0.0, "")}
    sections = [Section("Material (SI units)", pairs=constants)]
    if film.origin:
        sections.append(Section("Origin", lines=[film.origin]))
    return Description("Film", facts, sections)


def describe_drive(drive: Drive) -> Description:
    """Signals of a drive that are not zero."""
    rows = []
    facts: dict[str, object] = {}
    for name, wave in drive.waveforms.items():
        if wave.is_zero:
            continue
        label, factor, unit = SIGNALS[name]
        low, high = factor * float(wave.values.min()), factor * float(wave.values.max())
        amplitude = f"{low:.4g} {unit}" if low == high else f"{low:.4g} to {high:.4g} {unit}"
        facts[label] = amplitude
        rows.append((label, amplitude, quantity(wave.end, "s"), wave.replicas if wave.replicas > 1 else "all"))
    if drive.gate is not None:
        slope = drive.gate.anisotropy_per_volt / 1e3
        facts["gate"] = f"{type(drive.gate).__name__}, {slope:.4g} kJ/m³ of anisotropy per volt"
    if drive.current_direction != (1.0, 0.0):
        facts["direction of the current"] = "({:.4g}, {:.4g})".format(*drive.current_direction)
    if not facts:
        facts["signals"] = "none"
    sections = [Section("Signals", header=("signal", "values", "last change", "replicas"), rows=rows, opened=True)]
    if drive.gate is not None:
        sections.append(Section("Gate (SI units)", pairs=drive.gate.model_dump()))
    return Description("Drive", facts, sections)
