"""The part of a device page about walls in motion: pictures at rest, one programming event, and wall positions in time.

It needs the history that a simulation of domain walls leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.report.device import trajectories
from barkhausen.report.device import wall_pictures as pictures
from barkhausen.report.device.numbers import DeviceNumbers
from barkhausen.report.device.wave_pictures import Waves, ruler
from barkhausen.report.figure_files import csv_address, csv_text

NEEDED = ("wall_position", "wall_count", "perpendicular")
MOST_PICTURES = 16
"""Largest number of states shown in pictures; of more, evenly spaced ones are chosen."""

SAMPLES = 3
"""Points of the outline of the track along each cell."""


def walls_of(history: xr.Dataset, numbers: DeviceNumbers) -> dict[str, Any]:
    """Values for the template.

    Args:
        history: History of a characterisation.
        numbers: Numbers of the device.

    Raises:
        InputError: The history does not belong to this device.
    """
    _check(history, numbers)
    parameters = numbers.parameters
    assert isinstance(parameters, DeviceParameters)
    voltages = numbers.device.data["gate_voltage"].values.tolist()
    event = ProgrammingEvent(parameters.protocol, voltages)
    view = pictures.TrackView.of(history)
    shown = _evenly(len(voltages), MOST_PICTURES)
    waves = Waves.of(event, float(history["time"][-1]))
    maps = pictures.maps_of(history)
    rests = [float(pictures.wall_of(maps[-1:, state], view)[0]) for state in shown]
    moving = _in_motion(history, view, shown, waves)
    return {
        "voltages": voltages,
        "trajectories": trajectories.trajectory_plot(history, event, numbers.reset_position),
        "lines": trajectories.lines_of_a_state(len(voltages), int(history.sizes["device"] * history.sizes["cycle"])),
        "view": view,
        "outline": track_outline(parameters, view),
        "shown": shown,
        "stills": [pictures.still(maps[-1, state]) for state in shown],
        "rests": rests,
        "rests_csv": csv_address(
            csv_text(
                ["state", "gate voltage (V)", "wall position (nm)"],
                [[k, voltages[k], 1e9 * rest] for k, rest in zip(shown, rests, strict=True)],
            )
        ),
        "event_csv": csv_address(event_csv(moving)),
        "places": ruler(1e9 * view.left, 1e9 * (view.left + view.length)),
        "waves": waves,
        "moving": moving,
    }


def track_outline(parameters: DeviceParameters, view: pictures.TrackView) -> str:
    """SVG path of the edges of the first device over its cells: smooth, with notches and roughness.

    Args:
        parameters: Parameters of the device, from which its edges follow.
        view: Geometry of the pictures. If they are of another grid, the path follows the borders of the cells.
    """
    outline = parameters.shape.outline(parameters.track)
    how = parameters.characterisation
    grid = outline.grid(parameters.track.thickness, how.cell)
    if (grid.nx, grid.ny) != (view.columns, view.rows):
        return view.outline
    places = torch.linspace(0.0, outline.length, 1 + SAMPLES * grid.nx, dtype=torch.float64)
    lower, upper = (edge[0] / grid.dy for edge in outline.edges(places, 1, how.seed))
    middle = grid.ny / 2
    across = (places / grid.dx).tolist()
    top = [f"{x:.2f} {middle - y:.2f}" for x, y in zip(across, upper.tolist(), strict=True)]
    bottom = [f"{x:.2f} {middle - y:.2f}" for x, y in zip(across, lower.tolist(), strict=True)]
    return f"M{'L'.join([*top, *reversed(bottom)])}Z"


def _check(history: xr.Dataset, numbers: DeviceNumbers) -> None:
    missing = [name for name in NEEDED if name not in history]
    if missing:
        raise InputError(f"the history of the characterisation lacks {', '.join(missing)}")
    if history.sizes["state"] != len(numbers.states):
        raise InputError(f"the history is of {history.sizes['state']} states, but the device has {len(numbers.states)}")
    if not isinstance(numbers.parameters, DeviceParameters):
        raise InputError("the device file does not hold the parameters that it was made with")


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
