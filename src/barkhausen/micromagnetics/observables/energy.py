"""Observable of the total energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


@dataclass(frozen=True)
class Energy(Observable):
    """Total energy in J, summed over the terms that define an energy."""

    name: ClassVar[str] = "energy"
    units: ClassVar[str] = "J"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Energy in J."""
        return system.energy(state.m, state.inputs)
