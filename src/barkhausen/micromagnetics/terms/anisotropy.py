"""Perpendicular (uniaxial) anisotropy, including the change by the gate."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm


@dataclass(frozen=True)
class PerpendicularAnisotropy(QuadraticTerm):
    """B = (2 Ku/Ms) m_z z, energy density −Ku m_z².

    Ku(replica, cell, t) = film.anisotropy(replica, cell) + anisotropy_change(replica, t) × gate_profile(cell).
    """

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the anisotropy field in T to ``out``."""
        change = state.inputs.anisotropy_change[:, None, None] * (2.0 / state.film.material.saturation_magnetisation)
        if state.gate_profile is not None:
            change = change * state.gate_profile
        out[:, 2].addcmul_(state.m[:, 2], state.film.anisotropy_field + change)
