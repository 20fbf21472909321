"""Observables of the magnetisation as a whole: its mean and a map of its perpendicular component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


@dataclass(frozen=True)
class MeanMagnetisation(Observable):
    """Mean magnetisation <m>, weighted by the filled fraction of each cell."""

    name: ClassVar[str] = "m"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the components."""
        return {"component": ["x", "y", "z"]}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3"]:
        """Mean of each component."""
        return (state.m.to(torch.float64) * system.film.weights[:, None]).sum((2, 3))


@dataclass(frozen=True)
class PerpendicularMap(Observable):
    """m_z of every cell, for pictures; 4 bytes for each cell, replica and recorded time."""

    name: ClassVar[str] = "mz"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("x", "y")

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Cell centres in m."""
        return {"x": film.grid.x.tolist(), "y": film.grid.y.tolist()}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica nx ny"]:
        """m_z, NaN in empty cells; float32."""
        mz = state.m[:, 2].to(torch.float32)
        return mz if system.film.filled is None else torch.where(system.film.filled, mz, torch.nan)
