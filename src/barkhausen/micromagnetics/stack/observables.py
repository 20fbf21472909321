"""Observables of a whole stack: Néel vector, net magnetisation, conductance between two layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.observables.junction import JunctionConductance
from barkhausen.micromagnetics.stack.coupling import by_layer
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


def check_stack(film: Film, name: str) -> None:
    """Raise :class:`InputError` if the film is a single one."""
    if film.layer_count < 2:
        raise InputError(f"observe: {name} is for a Stack or an antiferromagnet, this is a single film")


def check_pair(film: Film, pair: tuple[int, int]) -> None:
    """Raise :class:`InputError` unless these are two layers of the stack."""
    for number in pair:
        if not (isinstance(number, int) and 0 <= number < film.layer_count):
            raise InputError(f"pair = {pair}: there is no layer {number}, they are 0 to {film.layer_count - 1}")
    if pair[0] == pair[1]:
        raise InputError(f"pair = {pair}: must be two different layers")


def neel_vector(
    m: Float[Tensor, "row 3 nx ny"], film: Film, pair: tuple[int, int] = (0, 1)
) -> Float[Tensor, "replica 3 nx ny"]:
    """n = (m_A − m_B)/2 in every cell."""
    check_pair(film, pair)
    by = by_layer(m, film)
    return 0.5 * (by[:, pair[0]] - by[:, pair[1]])


@dataclass(frozen=True)
class NeelVector(Observable):
    """Mean Néel vector <n>, n = (m_A − m_B)/2, over the cells of the first of the two layers or sublattices.

    Args:
        pair: Numbers of the two.
    """

    pair: tuple[int, int] = (0, 1)

    name: ClassVar[str] = "neel_vector"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the components."""
        return {"component": ["x", "y", "z"]}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3"]:
        """Mean of each component."""
        check_stack(system.film, "NeelVector")
        check_pair(system.film, self.pair)
        weights = by_layer(system.film.weights, system.film)[:, self.pair[0], None]
        return (neel_vector(state.m, system.film, self.pair).to(torch.float64) * weights).sum((2, 3))


@dataclass(frozen=True)
class StackMagnetisation(Observable):
    """Net magnetisation of the whole stack, weighted with the moments of all layers."""

    name: ClassVar[str] = "net_m"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the components."""
        return {"component": ["x", "y", "z"]}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3"]:
        """Mean of each component."""
        film = system.film
        moment = film.relative_moment
        m = state.m.to(torch.float64)
        if moment is None:
            return by_layer(m.mean((2, 3)), film).mean(1)
        moment = moment.to(torch.float64).expand(len(m), -1, -1)
        total = by_layer((m * moment[:, None]).sum((2, 3)), film).sum(1)
        return total / by_layer(moment.sum((1, 2)), film).sum(1)[:, None]


class OfNeelVector(Observable):
    """Observable of a single film, taken of the Néel vector n = (m_A − m_B)/2 scaled to unit length.

    Its name is that of the observable after ``neel_``: ``OfNeelVector(WallPosition())`` gives
    ``neel_wall_position``.

    Args:
        observable: Observable of a single film that needs no field (a position, a radius, a charge, a map).
        pair: Numbers of the two layers or sublattices.
    """

    def __init__(self, observable: Observable, pair: tuple[int, int] = (0, 1)) -> None:
        self.observable, self.pair = observable, pair
        attributes = {"name": f"neel_{observable.name}", "units": observable.units}
        self.__dict__.update(attributes, dimensions=observable.dimensions, attributes=observable.attributes)

    def __repr__(self) -> str:
        return f"OfNeelVector({self.observable!r}, pair={self.pair})"

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Labels of the observable."""
        return self.observable.coordinates(film)

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """Values of the observable."""
        film = system.film
        check_stack(film, "OfNeelVector")
        n = neel_vector(state.m, film, self.pair)
        n = n / torch.linalg.vector_norm(n, dim=1, keepdim=True).clamp_min(1e-30)
        single = film.layer(self.pair[0])  # type: ignore[attr-defined]
        view = System(single, terms=(), replicas=len(n), dtype=system.dtype, device=system.device)
        return self.observable(view, view.state(n))


@dataclass(frozen=True)
class LayerJunction(Observable):
    """Conductance in S of a tunnel junction between two layers of a stack.

    As :class:`~barkhausen.micromagnetics.JunctionConductance`, with the other layer in the place of the fixed one: the
    angle of the two layers counts cell by cell.

    Args:
        resistance_area: RA of the parallel state in Ohm m².
        tmr: (R_antiparallel − R_parallel)/R_parallel at small voltage; 1.5 is 150 %.
        pair: Numbers of the two layers.
        window: Part of the film under the junction: x from, x to, y from, y to in m. Default: the whole film.

    Raises:
        InputError: An RA or TMR that is not positive, an empty window.
    """

    resistance_area: float
    tmr: float
    pair: tuple[int, int] = (0, 1)
    window: tuple[float, float, float, float] | None = None

    name: ClassVar[str] = "layer_conductance"
    units: ClassVar[str] = "S"

    def __post_init__(self) -> None:
        self._junction()

    def _junction(self) -> JunctionConductance:
        return JunctionConductance(self.resistance_area, self.tmr, window=self.window)

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Conductance in S."""
        film = system.film
        check_stack(film, "LayerJunction")
        check_pair(film, self.pair)
        areas = by_layer(self._junction().area(film), film)
        area = torch.minimum(areas[:, self.pair[0]], areas[:, self.pair[1]])
        m = by_layer(state.m.to(torch.float64), film)
        cosine = (m[:, self.pair[0]] * m[:, self.pair[1]]).sum(1)
        share = (1 + 0.5 * self.tmr * (1 + cosine)) / (1 + self.tmr)
        return (area * share).sum((1, 2)) / self.resistance_area
