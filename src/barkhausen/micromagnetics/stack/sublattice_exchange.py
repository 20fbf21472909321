"""Exchange between the two sublattices of an antiferromagnet."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import check_fields
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import bonds as neighbours
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.stack.coupling import Coupling, by_layer, check_pair
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm


@dataclass(frozen=True)
class SublatticeExchange(Coupling, QuadraticTerm):
    """Exchange of two sublattices A and B in the same cells: −4 (A0/a²) m_A·m_B + A12 grad m_A : grad m_B a volume.

    B on A is 4 A0/(a² Ms) m_B + (A12/Ms) laplacian(m_B), discretised as the exchange within a layer; A0 < 0 makes an
    antiferromagnet (Sánchez-Tejerina et al., Phys. Rev. B 101, 014433 (2020); mumax+'s ``afmex_cell``, ``afmex_nn``
    and ``latcon``).

    Args:
        homogeneous: A0 in J/m, between sublattices in the same cell.
        lattice_constant: a in m.
        inhomogeneous: A12 in J/m, between sublattices in neighbouring cells.
        pair: Numbers of the two sublattices.

    Raises:
        InputError: A constant that is not finite, a lattice constant that is not positive.
    """

    homogeneous: float
    lattice_constant: float
    inhomogeneous: float = 0.0
    pair: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        check_fields(self)
        check_pair(self)
        for name in ("homogeneous", "inhomogeneous"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"SublatticeExchange.{name} = {getattr(self, name)}: must be finite, in J/m")
        if not 1e-11 < self.lattice_constant < 1e-7:
            raise InputError(
                f"SublatticeExchange.lattice_constant = {self.lattice_constant}: must be 0.01 to 100 nm, in m"
            )

    @property
    def sign(self) -> int:
        """1 for A0 >= 0, −1 for A0 < 0."""
        return -1 if self.homogeneous < 0 else 1

    @property
    def density(self) -> float:
        """4 A0/a² in J/m³: energy density of the two antiparallel."""
        return 4 * self.homogeneous / self.lattice_constant**2

    def add_field(self, out: Float[Tensor, "row 3 nx ny"], state: State) -> None:
        """Add the exchange field in T to ``out``."""
        film = state.film
        self.check_layers(film.layer_count)
        per_moment = 1.0 / film.material.saturation_magnetisation
        ratio = film.relative_magnetisation
        m, field = by_layer(state.m, film), by_layer(out, film)
        for one, other in (self.pair, self.pair[::-1]):
            target, source = field[:, one], m[:, other]
            if ratio is None:
                target.add_(source, alpha=self.density * per_moment)
            else:
                target.addcdiv_(source, by_layer(ratio, film)[:, one, None], value=self.density * per_moment)
            if self.inhomogeneous:
                self._add_laplacian(target, source, film, one, self.inhomogeneous * per_moment)

    def _add_laplacian(self, target: Tensor, source: Tensor, film: Film, one: int, factor: float) -> None:
        """Add (A12/Ms) laplacian(m) of the other sublattice to the field on sublattice ``one``."""
        for axis, step in enumerate((film.grid.dx, film.grid.dy)):
            dim, cells = 2 + axis, source.shape[2 + axis]
            sides = film.unweighted_bonds[axis]
            for first, second, bond in neighbours.pieces(cells, film.grid.periodic[axis]):
                difference = source.narrow(dim, *second) - source.narrow(dim, *first)
                ahead, behind = target.narrow(dim, *first), target.narrow(dim, *second)
                if sides is None:
                    ahead.add_(difference, alpha=factor / step**2)
                    behind.sub_(difference, alpha=factor / step**2)
                else:
                    scale = self.inhomogeneous / step**2
                    forward, backward = (by_layer(side, film)[:, one].narrow(dim - 1, *bond) for side in sides)
                    ahead.addcmul_(difference, forward[:, None], value=scale)
                    behind.addcmul_(difference, backward[:, None], value=-scale)

    def stiffest_field(self, film: Film) -> float:
        """Field in T that holds the two sublattices turned against each other, with the largest contribution of A12."""
        ratio = 1.0 if film.relative_magnetisation is None else float(film.relative_magnetisation.min())
        steps = (step for cells, step in zip(film.grid.shape, (film.grid.dx, film.grid.dy), strict=True) if cells > 1)
        gradient = 4 * abs(self.inhomogeneous) * sum(1 / step**2 for step in steps)
        return (2 * abs(self.density) + gradient) / (film.material.saturation_magnetisation * ratio)
