"""The applied field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import EnergyTerm, work

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive


@dataclass(frozen=True)
class Zeeman(EnergyTerm):
    """B = B_ext(replica, t) + strength(replica, t) × profile(cell); energy −sum_i Ms V phi_i m_i · B.

    The first part is uniform over the film, the second the local field of the drive.
    """

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the applied field in T to ``out``."""
        out += _applied(state)

    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Zeeman energy in J."""
        return -work(_applied(state).expand_as(state.m), state)

    def stiffest_field(self, film: Film) -> float:
        """0: the field is all of the drive."""
        return 0.0

    def driven_field(self, film: Film, drive: Drive) -> float:
        """Largest applied field in T."""
        uniform = math.hypot(*(drive.waveform(f"field_{axis}").peak for axis in "xyz"))
        if drive.field_profile is None:
            return uniform
        profile = float(torch.linalg.vector_norm(drive.field_profile, dim=0).max())
        return uniform + abs(drive.waveform("local_field").peak) * profile


def _applied(state: State) -> Tensor:
    """Applied field in T, ``[replica, 3, nx or 1, ny or 1]``."""
    uniform = state.inputs.field.T[:, :, None, None]
    if state.inputs.local_field is None or state.field_profile is None:
        return uniform
    return uniform + state.inputs.local_field[:, None, None, None] * state.field_profile
