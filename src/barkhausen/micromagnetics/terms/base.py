"""Base classes of the terms of the effective field."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive


class Term(abc.ABC):
    """Term of the effective field B. Terms hold no state; everything they need is in :class:`State`."""

    @abc.abstractmethod
    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add this term's field in T to ``out``, in place."""

    def field(self, state: State) -> Float[Tensor, "replica 3 nx ny"]:
        """Field of the term in T."""
        out = torch.zeros_like(state.m)
        self.add_field(out, state)
        return out

    def stiffest_field(self, film: Film) -> float | None:
        """Largest field in T in which this term alone makes any mode of the film precess; it limits the time step.

        For a term that couples moments it is the largest eigenvalue of the linearised field, reached for exchange by a
        checkerboard. ``None``, the default: not known; :func:`advise_step` then estimates it, together with what the
        drive adds, by power iterations on the term itself.
        """
        return None

    def driven_field(self, film: Film, drive: Drive) -> float:
        """What the drive adds to :meth:`stiffest_field` at most, in T."""
        return 0.0


class EnergyTerm(Term):
    """Term that derives from an energy: B_i = −(1/(Ms V phi_i)) dE/dm_i."""

    @abc.abstractmethod
    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Energy of the term in J, one value for each replica."""


class QuadraticTerm(EnergyTerm):
    """Term whose field is linear in m, so that E = −1/2 sum_i Ms V phi_i m_i · B_i."""

    def energy(self, state: State) -> Float[Tensor, " replica"]:
        """Energy of the term in J."""
        return -0.5 * work(self.field(state), state)


class Torque(Term):
    """Term that exerts a torque but derives from no energy, written as the field that exerts the torque."""


def work(field: Float[Tensor, "replica 3 nx ny"], state: State) -> Float[Tensor, " replica"]:
    """sum_i Ms V phi_i m_i · B_i in J; summed in float64."""
    product = (state.m * field).sum(1)
    if state.film.relative_moment is not None:
        product = product * state.film.relative_moment
    return state.film.moment * product.sum((1, 2), dtype=torch.float64)
