"""Uniaxial anisotropy, including the change by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive


@dataclass(frozen=True)
class UniaxialAnisotropy(QuadraticTerm):
    """B = (2 Ku/Ms) (m·u) u, energy density −Ku (m·u)²; u is z unless the material or a map says otherwise.

    Ku(replica, cell, t) = film.anisotropy(replica, cell) + anisotropy_change(replica, t) × gate_profile(cell).
    """

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the anisotropy field in T to ``out``."""
        film = state.film
        change = state.inputs.anisotropy_change[:, None, None] * (2.0 / film.material.saturation_magnetisation)
        if state.gate_profile is not None:
            change = change * state.gate_profile
        if film.relative_magnetisation is not None:
            change = change / film.relative_magnetisation
        if film.easy_axis is None:
            out[:, 2].addcmul_(state.m[:, 2], film.anisotropy_field + change)
        else:
            along = (state.m * film.easy_axis).sum(1) * (film.anisotropy_field + change)
            out.addcmul_(film.easy_axis, along[:, None])

    def stiffest_field(self, film: Film) -> float:
        """Largest 2 |Ku|/Ms in T."""
        return float(film.anisotropy_field.abs().max())

    def driven_field(self, film: Film, drive: Drive) -> float:
        """2/Ms times the largest change of Ku by the gate, in T."""
        if drive.gate is None:
            return 0.0
        peak = 1.0 if drive.gate_profile is None else float(drive.gate_profile.abs().max())
        change = abs(drive.gate.anisotropy_per_volt) * abs(drive.waveform("gate_voltage").peak) * peak
        ratio = film.relative_magnetisation
        return 2 * change / (film.material.saturation_magnetisation * (1.0 if ratio is None else float(ratio.min())))


PerpendicularAnisotropy = UniaxialAnisotropy
"""Earlier name of :class:`UniaxialAnisotropy`."""
