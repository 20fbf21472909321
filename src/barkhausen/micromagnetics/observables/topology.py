"""Topological charge of a texture and its density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable, state_of
from barkhausen.micromagnetics.observables.lattice import Triangles, triangles_of
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


@dataclass(frozen=True)
class TopologicalCharge(Observable):
    """Topological charge Q = (1/4π) ∫ m · (∂m/∂x × ∂m/∂y) dx dy on the lattice.

    Sum over the triangles of the lattice of the solid angle that their three moments span, over 4π (Berg and Lüscher,
    Nucl. Phys. B 190, 412 (1981)). In a film without edges (:attr:`Grid.periodic` along x and y) it is a whole number
    to rounding, whatever the cell size: −1 for a skyrmion whose core points down, +1 for one whose core points up, 0
    for a skyrmionium. The tilt of the moments at a free edge adds a fraction. Triangles with an empty cell count
    nothing.
    """

    name: ClassVar[str] = "charge"
    units: ClassVar[str] = "1"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Charge of each replica."""
        return topological_charge(state.m, system.film)


@dataclass(frozen=True)
class TopologicalDensity(Observable):
    """Density of the topological charge in each cell, 1/m²; NaN in empty cells.

    The charge of a triangle goes to its three cells in equal parts, so that the density times the area of a cell,
    summed over the cells, is :class:`TopologicalCharge`.
    """

    name: ClassVar[str] = "charge_density"
    units: ClassVar[str] = "1/m2"
    dimensions: ClassVar[tuple[str, ...]] = ("x", "y")

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Cell centres in m."""
        return {"x": film.grid.x.tolist(), "y": film.grid.y.tolist()}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica nx ny"]:
        """Density, float64."""
        density = topological_density(state.m, system.film)
        return density if system.film.filled is None else torch.where(system.film.filled, density, torch.nan)


def topological_charge(m: Float[Tensor, "replica 3 nx ny"], film: Film) -> Float[Tensor, " replica"]:
    """Topological charge of each replica (:class:`TopologicalCharge`).

    Args:
        m: Unit magnetisation.
        film: Film, for its empty cells and periodic boundaries.
    """
    m = state_of(film, m)
    total = torch.zeros(len(m), dtype=torch.float64, device=m.device)
    for triangles in triangles_of(film):
        total += _charges(m, triangles).sum((1, 2))
    return total


def topological_density(m: Float[Tensor, "replica 3 nx ny"], film: Film) -> Float[Tensor, "replica nx ny"]:
    """Density of the topological charge in each cell, 1/m² (:class:`TopologicalDensity`); 0 in empty cells."""
    m = state_of(film, m)
    density = torch.zeros(len(m), *film.grid.shape, dtype=torch.float64, device=m.device)
    for triangles in triangles_of(film):
        third = _charges(m, triangles) / (3 * film.grid.dx * film.grid.dy)
        for offset in triangles.corners:
            density += torch.roll(third, offset, (1, 2))
    return density


def _charges(m: Tensor, triangles: Triangles) -> Float[Tensor, "replica nx ny"]:
    """Charge of the triangle that starts in each cell: tan(omega/2) = m1·(m2 × m3)/(1 + m1·m2 + m2·m3 + m3·m1)."""
    a, b, c = (triangles.at(m.to(torch.float64), corner) for corner in range(3))
    volume = (a * torch.linalg.cross(b, c, dim=1)).sum(1)
    width = 1 + (a * b + b * c + c * a).sum(1)
    charge = torch.atan2(volume, width) / (2 * math.pi)
    return charge if triangles.present is None else torch.where(triangles.present, charge, 0.0)
