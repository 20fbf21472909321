"""A characterisation that was never simulated: small, with known numbers, and quick to spoil."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int8

from barkhausen.device import DeviceParameters, domain_wall_device
from barkhausen.device.domain_wall.characterise import NONE, SEVERAL, SINGLE, Characterisation
from barkhausen.device.domain_wall.event import ProgrammingEvent

LENGTH, WIDTH, CELL = 512e-9, 64e-9, 4e-9
COLUMNS, ROWS = 128, 18
SIGMA_DEVICE, SIGMA_CYCLE = 6e-9, 4e-9
COMMAND = "barkhausen characterize mine.toml --out mine.nc"
HOME, FIRST, LAST = 50e-9, 110e-9, 440e-9
"""Positions of the wall after a reset, and the mean of the outermost states."""


def parameters_of(states: int, devices: int, cycles: int, **changes: Any) -> DeviceParameters:
    """A notched track with evenly spaced gate voltages."""
    voltages = tuple(round(-0.5 + k / (states - 1), 4) for k in range(states))
    notches = [
        {"position": place, "depth": 8e-9, "half_length": 12e-9, "side": side}
        for place, side in ((110e-9, "both"), (280e-9, "upper"), (440e-9, "both"))
    ]
    tables: dict[str, Any] = {
        "track": {"length": LENGTH, "width": WIDTH},
        "shape": {"notches": notches},
        "protocol": {
            "gate_voltages": voltages,
            "edge_time": 1e-10,
            "settle": 2e-9,
            "relaxation": 4e-9,
            "reset_voltage": 0.4,
        },
        "characterisation": {"devices": devices, "cycles": cycles, "cell": CELL, "seed": 7},
    }
    return DeviceParameters.model_validate(tables | changes)


def made_up(
    states: int = 5,
    devices: int = 16,
    cycles: int = 4,
    *,
    failures: int = 0,
    attributes: Mapping[str, object] | None = None,
    variables: Mapping[str, Any] | None = None,
    noise: float = 0.06,
    spread: float = 1.0,
    **changes: Any,
) -> Characterisation:
    """Gaussian positions, walls that move evenly under the pulses, and maps of a straight wall.

    Args:
        states, devices, cycles: how many.
        failures: of the last state, one in each device from the first on: by turns no wall and two.
        attributes: beside those that a simulation leaves.
        variables: further ones of the device file.
        noise: standard deviation of m_z in the maps.
        spread: factor on both sigmas.
        changes: tables of the parameters.
    """
    generator = np.random.default_rng(5)
    parameters = parameters_of(states, devices, cycles, **changes)
    mean = np.linspace(FIRST, LAST, states)
    position = mean[:, None, None] + spread * SIGMA_DEVICE * generator.standard_normal((states, devices, 1))
    position = position + spread * SIGMA_CYCLE * generator.standard_normal((states, devices, cycles))
    outcome = np.full(position.shape, SINGLE, dtype=np.int8)
    for number in range(failures):
        outcome[-1, number % devices, number // devices] = (NONE, SEVERAL)[number % 2]
    history = _history(parameters, position, outcome, noise, generator)
    device = domain_wall_device(
        np.where(outcome == SINGLE, position, np.nan),
        parameters,
        source="micromagnetics",
        outcome=outcome,
        assumed=[*parameters.assumed(), *parameters.assumed_of_simulation()],
        attributes={
            "seed": parameters.characterisation.seed,
            "dt": 5e-14,
            "backend": "compiled",
            "duration": float(history["time"][-1]),
            "reset_position": HOME,
            "reset_position_spread": 3e-9,
            "completed_resets": 1.0,
            **(attributes or {}),
        },
    )
    return Characterisation(device.extended(xr.Dataset(variables or {})), history)


def optional_variables(states: int = 5, devices: int = 16) -> dict[str, Any]:
    """Statistics as a device file may hold them, with values that are easy to find again on a page."""
    overlap = np.eye(states)
    for lower in range(states - 1):
        overlap[lower, lower + 1] = overlap[lower + 1, lower] = 0.01 + 0.3 * lower / states / 2
    interval = np.stack([overlap / 2, (1 + overlap) / 2], axis=-1)
    found: dict[str, Any] = {
        "overlap": (("state", "other_state"), overlap),
        "overlap_interval": (("state", "other_state", "bound"), interval),
        "read_error_rate": ("state", np.full(states, 0.025)),
        "read_error_interval": (("state", "bound"), np.tile([0.01, 0.0625], (states, 1))),
        "mutual_information": ((), np.float64(2.19)),
        "mutual_information_interval": ("bound", [2.05, 2.28]),
        "normality_device": ("state", np.full(states, 0.37)),
        "normality_cycle": ("state", np.full(states, 0.0042)),
        "retention_time": (("state", "device"), np.full((states, devices), 3.15576e8)),
        "barrier": (("state", "device"), np.full((states, devices), 2.4e-19)),
        "fit_score": ("distribution", [-23.8, -23.9, -24.1]),
        "fit_behind": ("distribution", [0.0, 0.1, 0.3]),
        "fit_standard_error": ("distribution", [0.0, 0.08, 0.15]),
        "fit_distance": (("distribution", "state"), np.full((3, states), 0.0625)),
        "fit_p_value": (("distribution", "state"), np.full((3, states), 0.75)),
    }
    for name, value in (("device", SIGMA_DEVICE), ("cycle", SIGMA_CYCLE)):
        found[f"sigma_{name}_interval"] = (("state", "bound"), np.tile([0.5 * value, 1.5 * value], (states, 1)))
    return found


def everything_there_is() -> Characterisation:
    """Five states with failures, lost resets, a command, and all optional variables; about a hundred frames."""
    attributes = {"command": COMMAND, "completed_resets": 0.95}
    return made_up(failures=3, attributes=attributes, variables=optional_variables())


def events_on(page: str) -> dict[str, Any]:
    """What the player plays."""
    found = re.search(r'<script type="application/json" id="events">(.*?)</script>', page, re.S)
    assert found
    events: dict[str, Any] = json.loads(found.group(1))
    return events


def _history(
    parameters: DeviceParameters,
    position: Float[np.ndarray, "state device cycle"],
    outcome: Int8[np.ndarray, "state device cycle"],
    noise: float,
    generator: np.random.Generator,
) -> xr.Dataset:
    voltages = parameters.protocol.gate_voltages or ()
    event = ProgrammingEvent(parameters.protocol, voltages)
    times = np.linspace(0.0, event.duration, 1 + round(event.duration / 0.1e-9))
    start = generator.uniform(0.2 * LENGTH, 0.8 * LENGTH, position.shape)
    back = np.clip((times - 0.2e-9) / (event.reset_end - 0.2e-9), 0.0, 1.0)[:, None, None, None]
    forth = np.clip((times - event.program_start) / (event.program_end - event.program_start), 0.0, 1.0)
    walls = start + back * (HOME - start) + forth[:, None, None, None] * (position - HOME)
    walls = walls + 1.5e-9 * generator.standard_normal(walls.shape)
    count = np.ones(walls.shape, dtype=np.int8)
    late = times > event.program_start
    for wrong, walls_left in ((NONE, 0), (SEVERAL, 3)):
        count[late[:, None, None, None] & (outcome == wrong)] = walls_left
    x, y = CELL * (np.arange(COLUMNS) + 0.5), CELL * (np.arange(ROWS) + 0.5)
    return xr.Dataset(
        {
            "wall_position": (
                ("time", "state", "device", "cycle"),
                np.where(count == 1, walls, np.nan).astype(np.float32),
            ),
            "wall_count": (("time", "state", "device", "cycle"), count),
            "perpendicular": (("time", "state", "x", "y"), _maps(x, y, walls[:, :, 0, 0], noise, generator)),
        },
        coords={"time": times, "x": x, "y": y},
        attrs={"drive": json.dumps({}), "dt": 5e-14},
    )


def _maps(
    x: Float[np.ndarray, " x"],
    y: Float[np.ndarray, " y"],
    walls: Float[np.ndarray, "time state"],
    noise: float,
    generator: np.random.Generator,
) -> Int8[np.ndarray, "time state x y"]:
    """m_z in units of 1/127 of a straight wall: up on its left, down on its right; notches hold no material."""
    profile = -np.tanh((x - walls[..., None]) / 6e-9)
    maps = np.broadcast_to(profile[..., None], (*profile.shape, len(y)))
    maps = maps * (1 - noise * np.abs(generator.standard_normal(maps.shape)))
    distance = np.minimum(y - y[0], y[-1] - y)
    depth = CELL + np.max([8e-9 * np.clip(1 - np.abs(x - place) / 12e-9, 0, 1) for place in (110e-9, 440e-9)], axis=0)
    empty = distance[None, :] < depth[:, None] - CELL / 2
    small: Int8[np.ndarray, "time state x y"] = np.where(empty, -128, np.round(127 * maps)).astype(np.int8)
    return small
