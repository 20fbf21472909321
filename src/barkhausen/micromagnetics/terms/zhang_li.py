"""Spin-transfer torque of a current in the film itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.units import BOHR_MAGNETON, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.bonds import pieces
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import Torque
from barkhausen.micromagnetics.terms.current import local_current, strongest_current

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive

STEEPEST = 1.372
"""Largest slope a cell of exp(ikx) by the difference of the fourth order: the maximum of (8 sin k − sin 2k)/6."""

WIDTH = 5
"""Cells along an axis that the slope of the fourth order takes."""


@dataclass(frozen=True)
class ZhangLi(Torque):
    """Adiabatic and non-adiabatic torque, −(u·grad) m + xi m × (u·grad) m, for a current J along +x
    (or as :attr:`ParameterMaps.current` says).

    The electrons, and with them the wall, drift against the current: u_x = −muB P J/(e Ms (1 + xi²)), as mumax3's
    ``J``, ``Pol``, ``xi`` (Zhang and Li, Phys. Rev. Lett. 93, 127204 (2004)). Written as the field that exerts this
    torque in the Gilbert equation, B = −(m × g + xi g)/gamma with g = u_x dm/dx. The slope is of the fourth order in
    the cell size where the two cells on either side are filled (the second order makes walls with xi different from
    alpha up to 5 % slow on cells of 4 nm), and of the second order at edges, where a missing neighbour is a mirror.
    """

    @staticmethod
    def drift_per_current(material: Material) -> float:
        """u_x/J in m³/C."""
        scale = BOHR_MAGNETON / (ELEMENTARY_CHARGE * material.saturation_magnetisation)
        return -scale * material.spin_polarisation / (1 + material.non_adiabaticity**2)

    def stiffest_field(self, film: Film) -> float:
        """0: the torque is all of the drive."""
        return 0.0

    def driven_field(self, film: Film, drive: Drive) -> float:
        """Field in T on the wave that the torque turns fastest, whose slope is 1.372 a cell: 1.372 u/(gamma dx)."""
        steps = [step for cells, step in zip(film.grid.shape, (film.grid.dx, film.grid.dy), strict=True) if cells > 1]
        drift = abs(self.drift_per_current(film.material) * drive.waveform("magnet_current_density").peak)
        if not steps:
            return 0.0
        ratio = film.relative_magnetisation
        drift *= strongest_current(film) / (1.0 if ratio is None else float(ratio.min()))
        return STEEPEST * drift / (GYROMAGNETIC_RATIO * min(steps)) * math.hypot(1, film.material.non_adiabaticity)

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the field equivalent to the torque, in T, to ``out``."""
        film, m = state.film, state.m
        drift = (self.drift_per_current(film.material) * state.inputs.magnet_current_density)[:, None, None]
        if film.relative_magnetisation is not None:
            drift = drift / film.relative_magnetisation
        current = local_current(state)
        slope = torch.zeros_like(m)
        if current is None:
            if m.shape[2] == 1:
                return
            _add_gradient(slope, film, m, 0)
            slope *= (drift / film.grid.dx)[:, None]
        else:
            for axis, (strength, step) in enumerate(zip(current, (film.grid.dx, film.grid.dy), strict=True)):
                gradient = torch.zeros_like(m)
                _add_gradient(gradient, film, m, axis)
                slope += gradient * (drift * strength / step)[:, None]
        out.sub_(cross(m, slope), alpha=1 / GYROMAGNETIC_RATIO)
        out.sub_(slope, alpha=film.material.non_adiabaticity / GYROMAGNETIC_RATIO)


def _add_gradient(out: Tensor, film: Film, m: Tensor, axis: int) -> None:
    """Add the difference of m along an axis, per cell, to ``out``: of the fourth order where the four cells around are
    filled, of the second order at edges."""
    dim, cells = 2 + axis, m.shape[2 + axis]
    for first, second, bond in pieces(cells, film.grid.periodic[axis]):
        half = 0.5 * (m.narrow(dim, *second) - m.narrow(dim, *first))
        ahead, behind = out.narrow(dim, *first), out.narrow(dim, *second)
        if film.bonds is None:
            ahead += half
            behind += half
        else:
            forward, backward = (side.narrow(dim - 1, *bond) for side in film.bonds[axis])
            ahead.addcmul_(half, forward[:, None])
            behind.addcmul_(half, backward[:, None])
    if cells < WIDTH:
        return
    # From the second order, (m1 − m−1)/2, to the fourth, (8 (m1 − m−1) − (m2 − m−2))/12.
    near, far = _shifted(film, m, dim, 1), _shifted(film, m, dim, 2)
    change = 2 * (near[1] - near[0]) - (far[1] - far[0])
    middle = out if film.grid.periodic[axis] else out.narrow(dim, 2, cells - 4)
    if film.fill is None or film.inverse_fill is None:
        middle.add_(change, alpha=1 / 12)
        return
    fill, inverse = film.fill[:, None], film.inverse_fill[:, None]
    least = torch.stack([*_shifted(film, fill, dim, 1), *_shifted(film, fill, dim, 2)]).amin(0)
    own, per_own = (
        (fill, inverse)
        if film.grid.periodic[axis]
        else (fill.narrow(dim, 2, cells - 4), inverse.narrow(dim, 2, cells - 4))
    )
    middle.addcmul_(change, torch.minimum(least, own) * per_own, value=1 / 12)


def _shifted(film: Film, values: Tensor, dim: int, by: int) -> tuple[Tensor, Tensor]:
    """Values of the cells before and after each cell, for the cells that have two neighbours on either side."""
    if film.grid.periodic[dim - 2]:
        return values.roll(by, dim), values.roll(-by, dim)
    inner = values.shape[dim] - 4
    return values.narrow(dim, 2 - by, inner), values.narrow(dim, 2 + by, inner)
