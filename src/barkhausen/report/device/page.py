"""The page about a characterised device: its states, its walls in motion, and how to reproduce it.

All numbers on the page are computed from the device file and the history; the text around them is in
``device.html.jinja``. The page is self-contained: it loads nothing from elsewhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.file_statistics import Estimate
from barkhausen.report.device import figures
from barkhausen.report.device import wall_pictures as pictures
from barkhausen.report.device.numbers import DeviceNumbers, Retention, warnings_of
from barkhausen.report.device.wave_pictures import Waves, ruler
from barkhausen.report.figure_files import csv_address, csv_text
from barkhausen.report.render import render, sig
from barkhausen.results.table import NO_VALUE

NEEDED = ("wall_position", "wall_count", "perpendicular")
MOST_PICTURES = 16
"""Largest number of states shown in pictures; of more, evenly spaced ones are chosen."""

LARGEST_MATRIX = 24
"""Largest number of states for which overlaps of all pairs are tabulated; beyond, only neighbours are listed."""

NO_OVERLAP = 1e-6
"""Overlap below which a value is rounding noise."""

Values = Float[np.ndarray, "..."]
COMMAND = "barkhausen characterize device.toml --out device.nc"
YEAR = 365.25 * 24 * 3600.0


def write_characterisation_report(characterisation: Characterisation, path: Path) -> None:
    """Write one page about a characterised device.

    Args:
        characterisation: Device with the history of its walls.
        path: File of the page.

    Raises:
        InputError: The history does not belong to this device, the device file does not hold its parameters, or
            ``path`` cannot be written.
    """
    history = characterisation.history
    numbers = DeviceNumbers.of(characterisation.device)
    _check(history, numbers)
    event = ProgrammingEvent(numbers.parameters.protocol, [state.gate_voltage for state in numbers.states])
    view = pictures.TrackView.of(history)
    shown = _evenly(len(numbers.states), MOST_PICTURES)
    colours = figures.state_colours(len(numbers.states))
    waves = Waves.of(event, float(history["time"][-1]))
    maps = pictures.maps_of(history)
    rests = [float(pictures.wall_of(maps[-1:, state], view)[0]) for state in shown]
    moving = _in_motion(history, view, shown, waves)
    page = render(
        "device/device.html.jinja",
        dark_colours=figures.dark_colours(len(numbers.states)),
        n=numbers,
        warnings=warnings_of(numbers),
        attributes=_metadata(numbers),
        program=_program(numbers),
        command=numbers.attributes.get("command", COMMAND),
        state_names=[f"state {state.number}" for state in numbers.states],
        toml=tomli_w.dumps(numbers.parameters.model_dump(mode="json", exclude_none=True)),
        colours=colours,
        plots=figures,
        trajectories=figures.trajectory_plot(history, event, numbers.reset_position),
        lines=figures.lines_of_a_state(len(numbers.states), int(history.sizes["device"] * history.sizes["cycle"])),
        view=view,
        shown=shown,
        stills=[pictures.still(maps[-1, state]) for state in shown],
        rests=rests,
        rests_csv=csv_address(
            csv_text(
                ["state", "gate voltage (V)", "wall position (nm)"],
                [[k, numbers.states[k].gate_voltage, 1e9 * rest] for k, rest in zip(shown, rests, strict=True)],
            )
        ),
        event_csv=csv_address(event_csv(moving)),
        places=ruler(1e9 * view.left, 1e9 * (view.left + view.length)),
        waves=waves,
        moving=moving,
        largest_matrix=LARGEST_MATRIX,
        **_words(),
    )
    atomic_write(path, page)


def _check(history: xr.Dataset, numbers: DeviceNumbers) -> None:
    missing = [name for name in NEEDED if name not in history]
    if missing:
        raise InputError(f"the history of the characterisation lacks {', '.join(missing)}")
    if history.sizes["state"] != len(numbers.states):
        raise InputError(f"the history is of {history.sizes['state']} states, but the device has {len(numbers.states)}")


def _evenly(number: int, most: int) -> list[int]:
    return [int(k) for k in np.round(np.linspace(0, number - 1, min(number, most)))]


def _in_motion(history: xr.Dataset, view: pictures.TrackView, shown: Sequence[int], waves: Waves) -> dict[str, Any]:
    """Data of the animation on the page: frames of each state, with the inputs at their times."""
    maps = pictures.maps_of(history)
    frames = pictures.frames_to_show(len(maps), len(shown), view.columns * view.rows)
    times = history["time"].values[frames]
    states = []
    for state in shown:
        motion = pictures.moving(maps[frames, state])
        walls = pictures.wall_of(maps[frames, state], view)
        states.append(
            {
                "number": state,
                "sheet": motion.address,
                "columns": motion.columns,
                "wall": [round(1e9 * float(place), 1) if math.isfinite(place) else None for place in walls],
                "voltage": waves.voltages_at(times, state),
                "path": waves.path((1e9 * walls).tolist(), times, 1e9 * view.left, 1e9 * (view.left + view.length)),
            }
        )
    return {
        "times": [round(1e9 * float(time), 4) for time in times],
        "instants": waves.frames_of_instants(times),
        "current": waves.currents_at(times),
        "states": states,
    }


def event_csv(moving: dict[str, Any]) -> str:
    """Inputs and wall positions of every state at every time of the animation, as CSV."""
    names, columns = ["time (ns)", "current density (A/m2)"], [moving["times"], moving["current"]]
    for state in moving["states"]:
        names += [f"state {state['number']} {what}" for what in ("gate voltage (V)", "wall position (nm)")]
        columns += [state["voltage"], state["wall"]]
    return csv_text(names, list(zip(*columns, strict=True)))


def _metadata(numbers: DeviceNumbers) -> dict[str, object]:
    """Further metadata of the device file, under readable names."""
    how = numbers.parameters.characterisation
    named: dict[str, object] = {
        "seed": how.seed,
        "temperature": f"{how.temperature:g} K",
        "cells": f"{1e9 * how.cell:g} nm",
        "code version": numbers.device.data.attrs.get("code_version", NO_VALUE),
    }
    for key, value in numbers.attributes.items():
        if key == "dt":
            named["time step"] = f"{1e15 * float(value):.4g} fs"
        elif key == "duration":
            named["duration of an event"] = f"{1e9 * float(value):.4g} ns"
        elif key in ("reset_position", "reset_position_spread"):
            named[key.replace("_", " ")] = f"{1e9 * float(value):.4g} nm"
        elif key not in named and key != "command" and value not in ([], {}, "", None):
            named[key.replace("_", " ")] = value
    return named


def _program(numbers: DeviceNumbers) -> str:
    """Python program that reproduces the device from its parameters."""
    backend = numbers.attributes.get("backend")
    how = f", backend={json.dumps(backend)}" if isinstance(backend, str) else ""
    return (
        "from pathlib import Path\n\n"
        "from barkhausen.device import load_parameters\n"
        "from barkhausen.device.domain_wall.characterise import characterise\n\n"
        f'made_again = characterise(load_parameters(Path("device.toml")){how})'
    )


def _words() -> dict[str, Any]:
    return {
        "nm": nanometre,
        "volt": volt,
        "fj": femtojoule,
        "span": span,
        "lasting": lasting,
        "heat": heat,
        "overlap_text": overlap_text,
        "log2": math.log2,
        "nanmin": _least,
        "nanmax": _greatest,
        "nanmean": _mean,
    }


def nanometre(value: float, decimals: int = 1) -> str:
    """A length in nm, without the unit."""
    return f"{1e9 * value:.{decimals}f}" if math.isfinite(value) else NO_VALUE


def volt(value: float) -> str:
    """A voltage with its sign."""
    return f"{value:+.4g}".replace("-", "−") if value else "0"


def femtojoule(value: float) -> str:
    """An energy in fJ, without the unit."""
    return sig(1e15 * value, 3)


def span(estimate: Estimate, scale: float, decimals: int) -> str:
    """Confidence interval of an estimate; empty if unknown."""
    if not estimate.known:
        return ""
    return f"{scale * estimate.low:.{decimals}f} to {scale * estimate.high:.{decimals}f}"


def overlap_text(value: float) -> str:
    """An overlap as text; negligible values are shown as a bound."""
    if not math.isfinite(value):
        return NO_VALUE
    if value < NO_OVERLAP:
        return "0"
    return f"{value:.3f}" if value >= 0.0005 else "< 0.001"


def _least(values: Values) -> float:
    return min(_seen(values), default=math.nan)


def _greatest(values: Values) -> float:
    return max(_seen(values), default=math.nan)


def _mean(values: Values) -> float:
    seen = _seen(values)
    return sum(seen) / len(seen) if seen else math.nan


def _seen(values: Values) -> list[float]:
    return [float(value) for value in values[np.isfinite(values)]]


def lasting(seconds: float) -> str:
    """A time in a suitable unit, from picoseconds to the longest."""
    if not math.isfinite(seconds):
        return "∞" if seconds > 0 else NO_VALUE
    if seconds >= 1e4 * YEAR:
        power = math.floor(math.log10(seconds / YEAR))
        return f"10^{power} years"
    for name, unit in (("years", YEAR), ("days", 86400.0), ("h", 3600.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= unit:
            return f"{sig(seconds / unit, 3)} {name}"
    return f"{sig(1e9 * seconds, 3)} ns"


def heat(retention: Retention, barrier: float) -> str:
    """A barrier in units of kB T."""
    return sig(retention.in_heat(barrier), 3)
