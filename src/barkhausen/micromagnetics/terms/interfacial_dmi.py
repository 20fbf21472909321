"""Interfacial Dzyaloshinskii-Moriya interaction."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.bonds import pieces
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm


@dataclass(frozen=True)
class InterfacialDMI(QuadraticTerm):
    """B = (2 D/Ms) (dm_z/dx, dm_z/dy, −dm_x/dx − dm_y/dy); sign of D as mumax3's ``Dind``.

    Discretised bond by bond: a bond along x holds the energy D (dy dz) (m_z m_x' − m_x m_z'), which is the midpoint
    value of the energy density D (m_z dm_x/dx − m_x dm_z/dx). The field is its exact derivative, so a free edge,
    having no bond, meets the boundary condition dm/dn = (D/2A) (n × z) × m by itself (the natural one of the
    variational problem; measured: second order in the cell size). mumax3 instead writes the condition into a ghost
    cell; the two differ by a term of order D² in the outermost cells, which vanishes with the cell size.
    """

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the DMI field in T to ``out``."""
        film, m = state.film, state.m
        factor = film.material.dmi / film.material.saturation_magnetisation
        for dim, step, axis in ((1, film.grid.dx, 0), (2, film.grid.dy, 1)):
            cells = m.shape[dim + 1]
            unlike = film.dmi_bonds[axis]
            if cells == 1 or (factor == 0.0 and unlike is None):
                continue
            scale = (factor if unlike is None else 1.0) / step
            sides = unlike if unlike is not None or film.bonds is None else film.bonds[axis]
            in_plane, out_of_plane = m[:, axis], m[:, 2]
            for source, target, sign in ((out_of_plane, out[:, axis], 1.0), (in_plane, out[:, 2], -1.0)):
                for first, second, bond in pieces(cells, film.grid.periodic[axis]):
                    ahead, behind = target.narrow(dim, *first), target.narrow(dim, *second)
                    if sides is None:
                        ahead.add_(source.narrow(dim, *second), alpha=sign * scale)
                        behind.sub_(source.narrow(dim, *first), alpha=sign * scale)
                    else:
                        forward, backward = (side.narrow(dim, *bond) for side in sides)
                        ahead.addcmul_(source.narrow(dim, *second), forward, value=sign * scale)
                        behind.addcmul_(source.narrow(dim, *first), backward, value=-sign * scale)

    def stiffest_field(self, film: Film) -> float:
        """Field in T of the mode with four cells a wavelength, which this term turns fastest: 2 D/Ms (1/dx + 1/dy)."""
        field = 0.0
        for axis, step in enumerate((film.grid.dx, film.grid.dy)):
            unlike = film.dmi_bonds[axis]
            if film.grid.shape[axis] > 1:
                strongest = abs(film.material.dmi) / film.material.saturation_magnetisation
                if unlike is not None:
                    strongest = max(float(side.abs().max()) for side in unlike)
                field += 2 * strongest / step
        return field
