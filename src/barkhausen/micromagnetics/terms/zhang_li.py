"""Spin-transfer torque of a current in the film itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.units import BOHR_MAGNETON, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import Torque


@dataclass(frozen=True)
class ZhangLi(Torque):
    """Adiabatic and non-adiabatic torque, −(u·grad) m + xi m × (u·grad) m, for a current J along +x.

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
        if m.shape[2] == 1:
            return
        drift = self.drift_per_current(film.material) * state.inputs.magnet_current_density
        half = 0.5 * (m[:, :, 1:] - m[:, :, :-1])
        gradient = torch.zeros_like(m)
        if film.bonds is None:
            gradient[:, :, :-1] += half
            gradient[:, :, 1:] += half
        else:
            forward, backward = film.bonds[0]
            gradient[:, :, :-1].addcmul_(half, forward[:, None])
            gradient[:, :, 1:].addcmul_(half, backward[:, None])
        gradient *= (drift / film.grid.dx)[:, None, None, None]
        out.sub_(cross(m, gradient), alpha=1 / GYROMAGNETIC_RATIO)
        out.sub_(gradient, alpha=film.material.non_adiabaticity / GYROMAGNETIC_RATIO)
