"""The applied field."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import EnergyTerm, work


@dataclass(frozen=True)
class Zeeman(EnergyTerm):
    """B = B_ext(replica, t), uniform over the film; energy −sum_i Ms V phi_i m_i · B_ext."""

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the applied field in T to ``out``."""
        out += state.inputs.field.T[:, :, None, None]

    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Zeeman energy in J."""
        return -work(state.inputs.field.T[:, :, None, None].expand_as(state.m), state)
