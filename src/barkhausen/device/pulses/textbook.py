"""Textbook devices: steps by a law, with declared spreads and a range of conductances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import StateCoordinate

UP, DOWN = 1, -1
"""Signs of a pulse."""

GRID = 129
"""Number of points of the grid of a device that is given by a law."""

CONDUCTANCE = StateCoordinate("conductance", "S", "conductance of the device")
CONDUCTANCES = (1e-6, 1e-5)
"""Smallest and greatest conductance in S of a textbook device; our assumption."""

WANTED = {"step": "positive", "cycle_sd": "zero or positive"}


def pair(value: float | tuple[float, float]) -> tuple[float, float]:
    """A value for pulses up and pulses down, from one for both or from two."""
    up, down = (value, value) if isinstance(value, int | float) else value
    return float(up), float(down)


def textbook(
    size: Callable[[np.ndarray, int], np.ndarray], law: Mapping[str, Any], how: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of :meth:`.PulsedDevice.from_steps` for a device that is given by a law.

    Args:
        size: Function from a grid that rises towards the bound of the pulse, and the row of its sign, to the mean size
            of the step.
        law: Name of the law and its parameters; a pair is of pulses up and down.
        how: Arguments that replace defaults.

    Raises:
        InputError: A parameter is not plausible.
    """
    for name, values in law.items():
        for value in values if isinstance(values, tuple) else ():
            if not np.isfinite(value) or (name == "step" and value <= 0) or (name == "cycle_sd" and value < 0):
                raise InputError(f"{name} = {value}: must be {WANTED.get(name, 'finite')}")
    grid = np.linspace(-1, 1, GRID)
    sizes = np.stack([np.maximum(size(grid, 0), 0.0), np.maximum(size(grid, 1), 0.0)[::-1]])
    lines = [f"{name} = {_words(value)} (textbook law)" for name, value in law.items()]
    if "state_range" not in how and "coordinate" not in how:
        lines.append("conductances of {:g} S to {:g} S (default)".format(*CONDUCTANCES))
    return {
        "mean": sizes * np.array([[UP], [DOWN]]),
        "sd": sizes * np.array(law["cycle_sd"])[:, None],
        "technology": "resistive",
        "source": "gaussian",
        "law": law,
        **how,
        "assumed": [*lines, *how.get("assumed", ())],
    }


def _words(value: Any) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return f"{value[0]:g}" if value[0] == value[1] else f"{value[0]:g} up, {value[1]:g} down"
