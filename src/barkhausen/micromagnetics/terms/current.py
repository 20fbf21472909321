"""Direction and strength of the current in each cell, relative to the drive."""

from __future__ import annotations

import math

from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State


def local_current(state: State) -> tuple[Tensor, Tensor] | None:
    """Current density along x and along y relative to the drive, ``[device, nx, ny]``; ``None``: 1 along x everywhere.

    The map of the film, turned by the direction of the drive.
    """
    maps, (x, y) = state.film.maps, state.inputs.current_direction
    if maps is None or maps.current is None:
        if (x, y) == (1.0, 0.0):
            return None
        return state.film.full(x, 1, 1, 1), state.film.full(y, 1, 1, 1)
    along_x, along_y = maps.current.unbind(1)
    if (x, y) == (1.0, 0.0):
        return along_x, along_y
    return x * along_x - y * along_y, y * along_x + x * along_y


def strongest_current(film: Film) -> float:
    """Largest relative current density of a cell."""
    if film.maps is None or film.maps.current is None:
        return 1.0
    return math.sqrt(float(film.maps.current.square().sum(1).max()))
