"""Conductance of a magnetic tunnel junction on the film."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


@dataclass(frozen=True)
class JunctionConductance(Observable):
    """Conductance in S of a tunnel junction whose free layer is the film.

    The cells under the junction conduct side by side, each by its own angle to the fixed layer (Slonczewski, Phys. Rev.
    B 39, 6995 (1989)): G = sum over cells of (area/RA) [1 + TMR/2 · (1 + m·p)]/(1 + TMR), so that G is area/RA with the
    film parallel to the fixed layer and area/RA/(1 + TMR) antiparallel.

    Args:
        resistance_area: RA of the parallel state in Ohm m².
        tmr: (R_antiparallel − R_parallel)/R_parallel at small voltage; 1.5 is 150 %.
        fixed: Direction p of the fixed layer, which need not be normalised.
        window: Part of the film under the junction: x from, x to, y from, y to in m. A cell counts by its centre.
            Default: the whole film.

    Raises:
        InputError: An RA or TMR that is not positive, a fixed layer without direction, an empty window.
    """

    resistance_area: float
    tmr: float
    fixed: tuple[float, float, float] = (0.0, 0.0, 1.0)
    window: tuple[float, float, float, float] | None = None

    name: ClassVar[str] = "conductance"
    units: ClassVar[str] = "S"

    def __post_init__(self) -> None:
        for name in ("resistance_area", "tmr"):
            value = getattr(self, name)
            if not (isinstance(value, float | int) and math.isfinite(value) and value > 0):
                raise InputError(f"{name} = {value}: must be positive")
        fixed = as_tensor_of_numbers("fixed", self.fixed)
        norm = float(fixed.norm())
        if fixed.shape != (3,) or not (math.isfinite(norm) and norm > 0):
            raise InputError(f"fixed = {self.fixed}: must be three numbers, not all zero")
        object.__setattr__(self, "fixed", tuple(p / norm for p in self.fixed))
        if self.window is not None and as_tensor_of_numbers("window", self.window).shape != (4,):
            raise InputError(f"window = {self.window}: must be x from, x to, y from and y to, in m")
        if self.window is not None and not (self.window[0] < self.window[1] and self.window[2] < self.window[3]):
            raise InputError(f"window = {self.window}: must be x from < x to and y from < y to, in m")

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Conductance in S."""
        area = self.area(system.film)
        x, y, z = self.fixed
        m = state.m.to(torch.float64)
        projection = x * m[:, 0] + y * m[:, 1] + z * m[:, 2]
        share = (1 + 0.5 * self.tmr * (1 + projection)) / (1 + self.tmr)
        return (area * share).sum((1, 2)) / self.resistance_area

    def area(self, film: Film) -> Float[Tensor, "device nx ny"]:
        """Area in m² of each cell under the junction, 0 elsewhere.

        Raises:
            InputError: No filled cell lies in the window.
        """
        grid, device = film.grid, film.weights.device
        area = torch.ones_like(film.weights) if film.fill is None else film.fill.to(torch.float64)
        if self.window is not None:
            x, y = grid.x.to(device), grid.y.to(device)
            within = ((x >= self.window[0]) & (x <= self.window[1]))[:, None]
            area = area * (within & ((y >= self.window[2]) & (y <= self.window[3]))[None, :])
        if not bool((area.sum((1, 2)) > 0).all()):
            raise InputError(f"window = {self.window}: holds no filled cell of the film")
        return area * (grid.dx * grid.dy)
