"""Effective field of a cell taken apart for the splitting: what is fixed while its neighbours rest, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import (
    Demag,
    Exchange,
    InterfacialDMI,
    SpinOrbitTorque,
    Term,
    UniaxialAnisotropy,
    Zeeman,
)

NEIGHBOURS = (Exchange, InterfacialDMI)
"""Terms that are linear in m and couple a cell to the other colour of a checkerboard alone."""

TORQUES = (SpinOrbitTorque,)
"""Terms whose field is F + m × V, with F and V fixed while the neighbours rest."""

SPLIT = (*NEIGHBOURS, *TORQUES, Demag, UniaxialAnisotropy, Zeeman)
"""Terms that the splitting treats exactly but for the far part of the stray field; it extrapolates all others."""


def why_not_split(terms: tuple[Term, ...], film: Film) -> str | None:
    """Why the splitting is not taken by itself for these terms on this film, or ``None`` if it is."""
    reason = why_no_checkerboard(film)
    if reason is not None:
        return reason
    for term in terms:
        if type(term) not in SPLIT:
            return f"the splitting would extrapolate the field of {type(term).__name__}, which may be stiff"
    return None


def why_no_checkerboard(film: Film) -> str | None:
    """Why the splitting cannot take a film at all, or ``None`` if it can."""
    if film.layer_count > 1:
        return "the splitting takes single films, not stacks"
    for name, cells, periodic in zip("xy", film.grid.shape, film.grid.periodic, strict=True):
        if periodic and cells % 2:
            return f"the splitting needs an even number of cells along a periodic axis, not {cells} along {name}"
    return None


def even_cells(grid: Grid) -> Bool[Tensor, "nx ny"]:
    """One colour of a checkerboard: cells with an even sum of their numbers."""
    even: Tensor = (torch.arange(grid.nx)[:, None] + torch.arange(grid.ny)) % 2 == 0
    return even


@dataclass(frozen=True)
class NearDemag:
    """Part of the stray field in T that a cell itself and the nearest cells exert, per component of their m."""

    own_x: float
    """Along x, relative to y: a multiple of m exerts no torque."""
    own_z: float
    """Along z, relative to y."""
    own_y: float
    beside: tuple[float, float, float]
    above: tuple[float, float, float]

    @staticmethod
    def of(kernel: Float[Tensor, "4 offsets_x offsets_y"]) -> NearDemag:
        """That of a film, from :attr:`Film.demag_kernel`."""
        x, y = kernel.shape[1] // 2, kernel.shape[2] // 2
        xx, yy, zz = kernel[:3, x, y].tolist()
        none = [0.0, 0.0, 0.0]
        beside = kernel[:3, x + 1, y].tolist() if x else none
        above = kernel[:3, x, y + 1].tolist() if y else none
        # Square cells demagnetise alike along x and y, to rounding.
        own_x = 0.0 if abs(xx - yy) <= 1e-9 * abs(zz) else xx - yy
        return NearDemag(own_x, zz - yy, yy, tuple(beside), tuple(above))

    @staticmethod
    def far_kernel(kernel: Float[Tensor, "4 offsets_x offsets_y"]) -> Float[Tensor, "4 offsets_x offsets_y"]:
        """The kernel without that part."""
        far = kernel.clone()
        x, y = kernel.shape[1] // 2, kernel.shape[2] // 2
        far[:, x, y] = 0.0
        for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if (i == 0 or x) and (j == 0 or y):
                far[:3, x + i, y + j] = 0.0
        return far


class LocalFields:
    """Fields of a system's cells while their neighbours rest.

    Args:
        system: Film, terms and drive of the batch.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        terms = system.terms
        self._neighbours = tuple(term for term in terms if isinstance(term, (*NEIGHBOURS, Zeeman)))
        self._torques = tuple(term for term in terms if isinstance(term, TORQUES))
        self._easy = tuple(term for term in terms if isinstance(term, UniaxialAnisotropy))
        self.far = tuple(term for term in terms if type(term) not in SPLIT or isinstance(term, Demag))
        """Terms that are extrapolated."""
        self.others = any(type(term) not in SPLIT for term in terms)
        """Whether there are any but the stray field, which may depend on the drive."""
        self._near = NearDemag.of(system.film.demag_kernel) if any(isinstance(t, Demag) for t in terms) else None
        like = system.film.full(0.0)
        self._units = [torch.eye(3, dtype=like.dtype, device=like.device)[k][:, None, None] for k in range(2)]

    def frozen(
        self, others: Float[Tensor, "replica 3 nx ny"], cells: Bool[Tensor, "nx ny"], inputs: Inputs
    ) -> tuple[Tensor, Tensor | None]:
        """F and V of the field F + m × V on ``cells`` in T, but for anisotropy and extrapolated fields.

        Args:
            others: The magnetisation, zero on ``cells``.
            cells: Cells of one colour.
            inputs: Drive.
        """
        system = self.system
        out = torch.zeros_like(others)
        state = system.state(others, inputs)
        for term in self._neighbours:
            term.add_field(out, state)
        self._add_near(out, others)
        if not self._torques:
            return out, None
        base = self._torque_field(others, inputs)
        # e_x × V = (0, -V_z, V_y) and e_y × V = (V_z, 0, -V_x).
        along_x, along_y = (
            self._torque_field(torch.where(cells, unit, others), inputs).sub_(base) for unit in self._units
        )
        torque = torch.stack((-along_y[:, 2], along_x[:, 2], along_y[:, 0]), dim=1)
        return out.add_(base), torque

    def _torque_field(self, m: Tensor, inputs: Inputs) -> Tensor:
        out = torch.zeros_like(m)
        state = self.system.state(m, inputs)
        for term in self._torques:
            term.add_field(out, state)
        return out

    def _add_near(self, out: Tensor, m: Tensor) -> None:
        if self._near is None:
            return
        moment = self.system.film.relative_moment
        source = m if moment is None else m * moment[:, None]
        for dim, factors in ((2, self._near.beside), (3, self._near.above)):
            cells = m.shape[dim]
            if cells == 1:
                continue
            factor = out.new_tensor(factors)[:, None, None]
            out.narrow(dim, 0, cells - 1).addcmul_(source.narrow(dim, 1, cells - 1), factor)
            out.narrow(dim, 1, cells - 1).addcmul_(source.narrow(dim, 0, cells - 1), factor)

    def axes(self, inputs: Inputs) -> list[tuple[Tensor | int, Tensor | float]]:
        """Uniaxial fields k (m·u) u of the cells: u, a number of an axis or ``[device, 3, nx, ny]``, and k in T."""
        system, film = self.system, self.system.film
        fields: dict[int, Tensor | float] = {}
        oblique: list[tuple[Tensor | int, Tensor | float]] = []
        for term in self._easy:
            axis = film.easy_axis
            ones = system.state(system.start(torch.ones(1, 3, 1, 1).expand(1, 3, *film.grid.shape)), inputs)
            if axis is None:
                fields[2] = fields.get(2, 0.0) + term.field(ones)[:, 2]
            else:
                # Along its axis a unit vector feels k itself.
                along = system.state(axis.expand(system.replicas, -1, *film.grid.shape).contiguous(), inputs)
                oblique.append((axis, (term.field(along) * axis).sum(1)))
        if self._near is not None:
            moment = 1.0 if film.relative_moment is None else film.relative_moment
            edges = (0.0, 0.0) if film.edge_field is None else film.edge_field
            for number, own, edge in ((0, self._near.own_x, edges[0]), (2, self._near.own_z, edges[1])):
                if own or not isinstance(edge, float):
                    fields[number] = fields.get(number, 0.0) + own * moment + edge
        return [*oblique, *sorted(fields.items(), reverse=True)]

    def extrapolated(self, m: Float[Tensor, "replica 3 nx ny"], inputs: Inputs) -> Tensor | None:
        """Field in T of what is not treated cell by cell, or ``None`` if there is nothing."""
        if not self.far:
            return None
        out = torch.zeros_like(m)
        state = self.system.state(m, inputs)
        for term in self.far:
            term.add_field(out, state)
        if self._near is None:
            return out
        film = self.system.film
        moment = 1.0 if film.relative_moment is None else film.relative_moment
        near = self._near.own_y * (m if isinstance(moment, float) else m * moment[:, None])
        self._add_near(near, m)
        edges = (0.0, 0.0) if film.edge_field is None else film.edge_field
        for number, own, edge in ((0, self._near.own_x, edges[0]), (2, self._near.own_z, edges[1])):
            near[:, number] += m[:, number] * (own * moment + edge)
        return out.sub_(near)

    def rate(self) -> Tensor:
        """gamma/(1 + alpha²) of each cell in 1/(T s), 0 where the magnetisation does not move."""
        film = self.system.film
        rate = film.full(GYROMAGNETIC_RATIO, 1, 1, *film.grid.shape)
        damping = film.damping if isinstance(film.damping, float) else film.damping[:, None]
        rate = rate / (1 + damping * damping)
        if film.moving is not None:
            rate = rate * film.moving[:, None]
        return rate if film.filled is None else rate * film.filled[:, None]
