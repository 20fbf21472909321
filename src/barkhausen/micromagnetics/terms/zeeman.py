"""The applied field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import EnergyTerm, work

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive


@dataclass(frozen=True)
class Zeeman(EnergyTerm):
    """B = B_ext(replica, t), uniform over the film; energy −sum_i Ms V phi_i m_i · B_ext."""

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the applied field in T to ``out``."""
        out += state.inputs.field.T[:, :, None, None]

    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Zeeman energy in J."""
        return -work(state.inputs.field.T[:, :, None, None].expand_as(state.m), state)

    def stiffest_field(self, film: Film) -> float:
        """0: the field is all of the drive."""
        return 0.0

    def driven_field(self, film: Film, drive: Drive) -> float:
        """Largest applied field in T."""
        return math.hypot(*(drive.waveform(f"field_{axis}").peak for axis in "xyz"))
