"""Direction and strength of the current in each cell, relative to the drive."""

from __future__ import annotations

import math

from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State


def local_current(state: State) -> tuple[Tensor, Tensor] | None:
    """Relative current density along x and along y, ``[device, nx, ny]``; ``None``: 1 along x everywhere."""
    maps = state.film.maps
    if maps is None or maps.current is None:
        return None
    along_x, along_y = maps.current.unbind(1)
    return along_x, along_y


def strongest_current(film: Film) -> float:
    """Largest relative current density of a cell."""
    if film.maps is None or film.maps.current is None:
        return 1.0
    return math.sqrt(float(film.maps.current.square().sum(1).max()))
