"""Parameters that differ from cell to cell, as the compiled kernel takes them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.bonds import strengths
from barkhausen.micromagnetics.compiled import LaneMaps
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import (
    CubicAnisotropy,
    Demag,
    Exchange,
    InterfacialDMI,
    SpinOrbitTorque,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
)


def needs_maps(system: System) -> bool:
    """Whether film or drive have more than constants of the material, filled fraction and anisotropy of each cell."""
    kinds = {type(term) for term in system.terms}
    turned = system.drive.current_direction != (1.0, 0.0) and ZhangLi in kinds
    local = system.field_profile is not None and Zeeman in kinds
    return system.film.maps is not None or _is_tilted(system) or _is_cubic(system) or turned or local


def _is_tilted(system: System) -> bool:
    return system.film.easy_axis is not None and any(type(term) is UniaxialAnisotropy for term in system.terms)


def _is_cubic(system: System) -> bool:
    kinds = {type(term) for term in system.terms}
    return CubicAnisotropy in kinds and system.film.material.cubic_anisotropy != 0


def lane_maps(system: System) -> LaneMaps | None:
    """The maps of a system's film, or ``None`` if the material's constants are all there is to it."""
    if not needs_maps(system):
        return None
    film, material, kinds = system.film, system.film.material, {type(term) for term in system.terms}
    cubic, tilted = _is_cubic(system), _is_tilted(system)
    one = film.full(1.0, 1, 1, 1)
    magnetisation = one if film.relative_magnetisation is None else film.relative_magnetisation
    shape = film.edge_field[1] if tilted and film.edge_field is not None and Demag in kinds else None
    return LaneMaps(
        bonds=_bonds(film, exchange=Exchange in kinds, dmi=InterfacialDMI in kinds),
        moment=_stacked(
            one if film.relative_moment is None else film.relative_moment,
            one if film.inverse_density is None else film.inverse_density,
            1 / magnetisation,
        ),
        motion=_motion(film),
        current=_current(system, magnetisation),
        axis=None if not tilted or film.easy_axis is None else _stacked(*film.easy_axis.unbind(1)),
        local_field=None
        if system.field_profile is None or Zeeman not in kinds
        else _stacked(*system.field_profile[:, None]),
        anisotropy_z=None if shape is None else of_lanes(shape),
        cell_ratio=film.grid.dx / film.grid.dy,
        torques=SpinOrbitTorque in kinds,
        cubic=-2 * material.cubic_anisotropy / material.saturation_magnetisation if cubic else 0.0,
        cubic_axes=CubicAnisotropy.axes(material).numpy() if cubic else None,
    )


def of_lanes(values: Float[Tensor, "device nx ny"]) -> np.ndarray:
    """One plane, or one number, where all devices or all cells are alike."""
    array = values.to(torch.float64).numpy()
    array = array[0] if len(array) == 1 else array
    return array.reshape(()) if array.size == 1 else array


def _stacked(*values: Float[Tensor, "device nx ny"]) -> np.ndarray:
    """Values side by side, ``[device, value, nx, ny]``."""
    return torch.stack(torch.broadcast_tensors(*values), 1).to(torch.float64).numpy()


def _bonds(film: Film, *, exchange: bool, dmi: bool) -> np.ndarray:
    """2 A/(Ms d²) and D/(Ms d) of the bond of each cell with the next along x, then along y; 0 after the last cell."""
    nx, ny = film.grid.shape
    planes = []
    for axis, step in enumerate((film.grid.dx, film.grid.dy)):
        for name, there, factor in (
            ("exchange_stiffness", exchange, 2.0 / step**2),
            ("dmi", dmi, 1.0 / step),
        ):
            if not there or film.grid.shape[axis] == 1:
                planes.append(torch.zeros(1, nx, ny, dtype=torch.float64))
                continue
            strength = factor * strengths(film, axis, name).to(torch.float64)
            end = (0, 0, 0, 1) if axis == 0 else (0, 1)
            planes.append(torch.nn.functional.pad(strength, end))
    return _stacked(*planes)


def _motion(film: Film) -> np.ndarray:
    """Damping, relative rate and relative thermal field of each cell."""
    one = film.full(1.0, 1, 1, 1)
    damping = film.damping if isinstance(film.damping, Tensor) else film.damping * one
    rate = (1 + film.material.damping**2) / (1 + damping * damping)
    # What an empty cell is turned by must be zero too.
    if film.filled is not None:
        rate = rate * film.filled
    thermal = film.thermal_factor
    return _stacked(damping, rate if film.moving is None else rate * film.moving, one if thermal is None else thermal)


def _current(system: System, magnetisation: Float[Tensor, "device nx ny"]) -> np.ndarray:
    """Current along x, along y and its size, relative to the drive's and divided by the relative Ms."""
    film, (x, y) = system.film, system.drive.current_direction
    one = film.full(1.0, 1, 1, 1)
    along_x, along_y = (one, 0 * one) if film.maps is None or film.maps.current is None else film.maps.current.unbind(1)
    along_x, along_y = x * along_x - y * along_y, y * along_x + x * along_y
    return _stacked(along_x / magnetisation, along_y / magnetisation, torch.hypot(along_x, along_y) / magnetisation)
