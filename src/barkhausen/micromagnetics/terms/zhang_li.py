"""Spin-transfer torque of a current in the film itself."""

from __future__ import annotations

from dataclasses import dataclass

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
from barkhausen.micromagnetics.terms.current import local_current


@dataclass(frozen=True)
class ZhangLi(Torque):
    """Adiabatic and non-adiabatic torque, −(u·grad) m + xi m × (u·grad) m, for a current J along +x
    (or as :attr:`ParameterMaps.current` says).

    The electrons, and with them the wall, drift against the current: u_x = −muB P J/(e Ms (1 + xi²)), as mumax3's
    ``J``, ``Pol``, ``xi`` (Zhang and Li, Phys. Rev. Lett. 93, 127204 (2004)). Written as the field that exerts this
    torque in the Gilbert equation, B = −(m × g + xi g)/gamma with g = u_x dm/dx by central differences; a missing
    neighbour is a mirror.
    """

    @staticmethod
    def drift_per_current(material: Material) -> float:
        """u_x/J in m³/C."""
        scale = BOHR_MAGNETON / (ELEMENTARY_CHARGE * material.saturation_magnetisation)
        return -scale * material.spin_polarisation / (1 + material.non_adiabaticity**2)

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
    """Add the central difference of m along an axis, per cell, to ``out``."""
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
