"""Direction and strength of the current in each cell, relative to the drive."""

from __future__ import annotations

from torch import Tensor

from barkhausen.micromagnetics.state import State


def local_current(state: State) -> tuple[Tensor, Tensor] | None:
    """Relative current density along x and along y, ``[device, nx, ny]``; ``None``: 1 along x everywhere."""
    maps = state.film.maps
    if maps is None or maps.current is None:
        return None
    along_x, along_y = maps.current.unbind(1)
    return along_x, along_y
