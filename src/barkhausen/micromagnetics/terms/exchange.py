"""Heisenberg exchange."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.bonds import pieces
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm


@dataclass(frozen=True)
class Exchange(QuadraticTerm):
    """B = (2 A/Ms) laplacian(m) from differences between the four neighbours.

    A missing neighbour is a mirror (Neumann). Bonds of partly filled cells: :attr:`Film.bonds`, of unlike cells:
    :attr:`Film.exchange_bonds`.
    """

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the exchange field in T to ``out``."""
        film, m = state.film, state.m
        factor = 2.0 * film.material.exchange_stiffness / film.material.saturation_magnetisation
        for dim, step, axis in ((2, film.grid.dx, 0), (3, film.grid.dy, 1)):
            cells = m.shape[dim]
            if cells == 1:
                continue
            unlike = film.exchange_bonds[axis]
            scale = (factor if unlike is None else 2.0) / step**2
            sides = unlike if unlike is not None or film.bonds is None else film.bonds[axis]
            for first, second, bond in pieces(cells, film.grid.periodic[axis]):
                ahead, behind = out.narrow(dim, *first), out.narrow(dim, *second)
                difference = m.narrow(dim, *second) - m.narrow(dim, *first)
                if sides is None:
                    ahead.add_(difference, alpha=scale)
                    behind.sub_(difference, alpha=scale)
                else:
                    forward, backward = (side.narrow(dim - 1, *bond) for side in sides)
                    ahead.addcmul_(difference, forward[:, None], value=scale)
                    behind.addcmul_(difference, backward[:, None], value=-scale)

    def stiffest_field(self, film: Film) -> float:
        """Field of a checkerboard in T: 8 A/Ms (1/dx² + 1/dy²), or a bound on it where bonds differ."""
        field = 0.0
        for axis, step in enumerate((film.grid.dx, film.grid.dy)):
            unlike = film.exchange_bonds[axis]
            if film.grid.shape[axis] > 1:
                strongest = film.material.exchange_stiffness / film.material.saturation_magnetisation
                if unlike is not None:
                    strongest = max(float(side.max()) for side in unlike)
                field += 8 * strongest / step**2
        return field
