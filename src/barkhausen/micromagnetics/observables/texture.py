"""Classification of textures: up, down, skyrmion, other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.observables.base import Observable, state_of
from barkhausen.micromagnetics.observables.skyrmion import SMALLEST, enclosed_regions
from barkhausen.micromagnetics.observables.topology import topological_charge
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System

TEXTURES = ("up", "down", "skyrmion core down", "skyrmion core up", "other")
"""Names of the textures, in the order of their codes."""

UP, DOWN, CORE_DOWN, CORE_UP, OTHER = range(5)
"""Codes of the textures."""


@dataclass(frozen=True)
class Texture(Observable):
    """Kind of texture: 0 up, 1 down, 2 skyrmion with its core down, 3 skyrmion with its core up, 4 other.

    The state is first freed of thermal noise by ``descent`` steps down its energy, each the longest that is stable for
    the stiffest mode: patterns of a few cells vanish, and a texture of ten cells or more moves little. What remains is

    - *up* (*down*) if <m_z> is above ``uniform`` (below −``uniform``), no region of ``smallest`` cells or more is
      reversed, and |Q| is below one half: the tilt of the moments at the edges makes |Q| a few hundredths to tenths;
    - a *skyrmion* if exactly one region of ``smallest`` cells or more is reversed, none of its cells lies at the edge,
      and Q is within one half of −1 (core down) or of +1 (core up);
    - *other* in all other cases: several skyrmions, a skyrmionium (Q = 0), a bubble without winding, domain walls, a
      skyrmion that an edge cuts, or a film magnetised in its plane.

    Args:
        descent: Number of steps of the descent, each an evaluation of the field; 0 classifies the state as it is.
        uniform: Smallest |<m_z>| of *up* and *down*.
        smallest: Smallest number of cells of a reversed region.

    Raises:
        InputError: A value out of its range.
    """

    descent: int = 30
    uniform: float = 0.5
    smallest: int = SMALLEST

    name: ClassVar[str] = "texture"
    units: ClassVar[str] = "1"
    attributes: ClassVar[dict[str, object]] = {
        "flag_values": list(range(len(TEXTURES))),
        "flag_meanings": " ".join(name.replace(" ", "_") for name in TEXTURES),
    }

    def __post_init__(self) -> None:
        if self.descent < 0:
            raise InputError(f"descent = {self.descent}: must be a number of steps, 0 or more")
        if not 0 < self.uniform < 1:
            raise InputError(f"uniform = {self.uniform}: must lie between 0 and 1")
        if self.smallest < 1:
            raise InputError(f"smallest = {self.smallest}: must be a number of cells, 1 or more")

    def __call__(self, system: System, state: State) -> Int[Tensor, " replica"]:
        """Code of the texture of each replica."""
        m = quench(system, state, self.descent)
        return classify(m, system.film, uniform=self.uniform, smallest=self.smallest)


@checks_arguments("Film")
def classify(
    m: Float[Tensor, "replica 3 nx ny"], film: Film, *, uniform: float = 0.5, smallest: int = SMALLEST
) -> Int[Tensor, " replica"]:
    """Code of the texture of each replica as it is, thermal noise and all (:class:`Texture`).

    Args:
        m: Unit magnetisation.
        film: Film of the replicas.
        uniform: Smallest |<m_z>| of a uniform state.
        smallest: Smallest number of cells of a reversed region.
    """
    m = state_of(film, m)
    charge = topological_charge(m, film)
    mean = (m[:, 2].to(torch.float64) * film.weights).sum((1, 2))
    code = torch.full_like(charge, OTHER, dtype=torch.int64)
    for core, flat, textured in ((-1, UP, CORE_DOWN), (1, DOWN, CORE_UP)):
        regions = enclosed_regions(m, film, core, smallest)
        only = (regions.count == 1) & (regions.large == 1)
        code[(regions.large == 0) & (charge.abs() < 0.5) & (-core * mean > uniform)] = flat
        code[only & ((charge - core).abs() < 0.5)] = textured
    return code


def quench(system: System, state: State, steps: int) -> Float[Tensor, "replica 3 nx ny"]:
    """Magnetisation after that many steps of steepest descent, with the drive held.

    Each step turns m by B_⊥/B_stiff, where B_stiff bounds the field that a change of m in one cell brings about:
    B_stiff = (8A/Ms)(1/dx² + 1/dy²) + 2|Ku|/Ms + mu0 Ms. A mode of stiffness B decays by exp(−B/B_stiff) a step.
    """
    film, m = system.film, state.m.clone()
    stiffest = _stiffness(film)
    for _ in range(steps):
        field = system.field(m, state.inputs)
        turn = (field - (field * m).sum(1, keepdim=True) * m) / stiffest
        m += turn if film.moving is None else turn * film.moving[:, None]
        norm = torch.linalg.vector_norm(m, dim=1, keepdim=True)
        m /= torch.where(norm > 0, norm, 1.0)
    return m if film.filled is None else m * film.filled[:, None]


def _stiffness(film: Film) -> float:
    material, grid, maps = film.material, film.grid, film.maps or ParameterMaps()
    moments = _values(maps.saturation_magnetisation, material.saturation_magnetisation)
    exchange = float(_values(maps.exchange_stiffness, material.exchange_stiffness).max())
    anisotropy = float(_values(film.anisotropy, material.anisotropy).abs().max())
    bends = sum(1 / step**2 for step, cells in ((grid.dx, grid.nx), (grid.dy, grid.ny)) if cells > 1)
    local = (8 * exchange * bends + 2 * anisotropy) / float(moments.min())
    return local + VACUUM_PERMEABILITY * float(moments.max())


def _values(of_cells: Tensor | None, of_material: float) -> Tensor:
    return torch.tensor([of_material], dtype=torch.float64) if of_cells is None else of_cells
