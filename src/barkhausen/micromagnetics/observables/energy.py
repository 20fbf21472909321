"""Observables of the energy: total, and of each term."""

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
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import EnergyTerm, Term, terms_of


@dataclass(frozen=True)
class Energy(Observable):
    """Total energy in J, summed over the terms that define an energy."""

    name: ClassVar[str] = "energy"
    units: ClassVar[str] = "J"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Energy in J."""
        return system.energy(state.m, state.inputs)


@dataclass(frozen=True)
class Energies(Observable):
    """Energy of each term in J; the terms add up to :class:`Energy`.

    Args:
        terms: Names of the terms that define an energy (``Exchange``, ``Demag`` …), needed where the simulation has
            terms of its own. Default: those of the material.
    """

    terms: tuple[str, ...] | None = None

    name: ClassVar[str] = "energies"
    units: ClassVar[str] = "J"
    dimensions: ClassVar[tuple[str, ...]] = ("term",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the terms."""
        return {"term": list(self._names(film))}

    def _names(self, film: Film) -> tuple[str, ...]:
        return _with_energy(terms_of(film)) if self.terms is None else self.terms

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica term"]:
        """Energy of each term in J.

        Raises:
            InputError: The simulation's terms are others than those of the observable.
        """
        present, wanted = _with_energy(system.terms), self._names(system.film)
        if sorted(present) != sorted(wanted):
            raise InputError(
                f"observe: the terms with an energy are {', '.join(present)}; use Energies(terms={present})"
            )
        found: dict[str, Tensor] = {}
        for term in system.terms:
            if isinstance(term, EnergyTerm):
                name = type(term).__name__
                found[name] = found.get(name, 0.0) + term.energy(state)
        return torch.stack([found[name] for name in wanted], 1)


def _with_energy(terms: Sequence[Term]) -> tuple[str, ...]:
    """Names of the terms that define an energy, each once."""
    return tuple(dict.fromkeys(type(term).__name__ for term in terms if isinstance(term, EnergyTerm)))
