"""Cubic anisotropy of the first order."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import EnergyTerm


@dataclass(frozen=True)
class CubicAnisotropy(EnergyTerm):
    """Energy density Kc (a² b² + b² c² + c² a²) with a, b, c = m along the three cubic axes.

    B = −(2 Kc/Ms) [a (b² + c²) c1 + b (c² + a²) c2 + c (a² + b²) c3], as mumax3's ``Kc1``, ``anisC1``, ``anisC2``.
    The axes are the material's ``cubic_axis_1``, ``cubic_axis_2`` and their cross product.
    """

    @staticmethod
    def axes(material: Material) -> Float[Tensor, "3 3"]:
        """The three axes, one a row (float64)."""
        first, second = (
            torch.tensor(axis, dtype=torch.float64) for axis in (material.cubic_axis_1, material.cubic_axis_2)
        )
        return torch.stack((first, second, torch.linalg.cross(first, second)))

    def _axes(self, state: State) -> Float[Tensor, "3 3"]:
        return self.axes(state.film.material).to(state.m.device, state.m.dtype)

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the anisotropy field in T to ``out``."""
        film, axes = state.film, self._axes(state)
        along = torch.einsum("ak,rkxy->raxy", axes, state.m)
        square = along * along
        others = square.sum(1, keepdim=True) - square
        field = torch.einsum("ak,raxy->rkxy", axes, along * others)
        factor = -2.0 * film.material.cubic_anisotropy / film.material.saturation_magnetisation
        out += factor * (field if film.relative_magnetisation is None else field / film.relative_magnetisation[:, None])

    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Energy of the term in J."""
        film = state.film
        square = torch.einsum("ak,rkxy->raxy", self._axes(state), state.m).square().to(torch.float64)
        density = 0.5 * (square.sum(1).square() - square.square().sum(1))
        if film.fill is not None:
            density = density * film.fill
        if film.relative_thickness is not None:
            density = density * film.relative_thickness
        return film.material.cubic_anisotropy * film.grid.cell_volume * density.sum((1, 2))

    def stiffest_field(self, film: Film) -> float:
        """2 |Kc|/Ms in T, the curvature along the axes; nowhere is it larger."""
        ratio = film.relative_magnetisation
        field = 2 * abs(film.material.cubic_anisotropy) / film.material.saturation_magnetisation
        return field if ratio is None else field / float(ratio.min())
