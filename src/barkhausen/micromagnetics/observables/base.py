"""Observable: quantity recorded while an ensemble runs, so that no trajectory is stored."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Term


class Observable(abc.ABC):
    """Function of the state that returns one or several numbers for each replica."""

    name: ClassVar[str]
    """Name of the variable in the result."""
    units: ClassVar[str]
    dimensions: ClassVar[tuple[str, ...]] = ()
    """Further dimensions after ``time`` and ``replica``."""

    attributes: ClassVar[dict[str, object]] = {}
    """Further attributes of the variable beside its units."""

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Labels along :attr:`dimensions`."""
        return {}

    @abc.abstractmethod
    def __call__(self, system: System, state: State) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """Values at the current time."""

    def of(
        self,
        film: Film,
        m: Float[Tensor, "*replica 3 nx ny"],
        drive: Drive | None = None,
        *,
        time: float = 0.0,
        terms: Sequence[Term] | None = None,
    ) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """Values of a magnetisation at hand, such as one read from a file.

        Args:
            film: Film of the replicas.
            m: Unit magnetisation ``[replica, 3, nx, ny]``, or ``[3, nx, ny]`` for one.
            drive: Drive, for what depends on it. Default: none.
            time: Time of the drive in s.
            terms: Terms of the effective field, for what depends on them. Default: those of the material.

        Raises:
            InputError: Film or drive do not fit the number of replicas.
        """
        m = state_of(film, m)
        dtype = m.dtype if m.is_floating_point() else torch.float64
        system = System(
            film, drive, None if terms is None else tuple(terms), replicas=len(m) // film.layer_count, dtype=dtype,
            device=m.device,
        )  # fmt: skip
        return self(system, system.state(m, time))


def state_of(film: Film, m: object) -> Tensor:
    """Magnetisation at hand as a tensor ``[replica, 3, nx, ny]``; a single one gets the first dimension.

    Raises:
        InputError: No film, no array, or another shape.
    """
    if not isinstance(film, Film):
        raise InputError(f"film: {type(film).__name__} is not a Film")
    given = as_tensor_of_numbers("magnetisation", m, None)
    given = given[None] if given.dim() == 3 else given
    if given.dim() != 4 or tuple(given.shape[1:]) != (3, *film.grid.shape) or not len(given):
        raise InputError(
            f"magnetisation: shape {tuple(given.shape)} is not (replica, 3, {film.grid.nx}, {film.grid.ny})"
        )
    return given


def listed(observe: Observable | Sequence[Observable]) -> tuple[Observable, ...]:
    """Observables as a tuple, one alone too."""
    return (observe,) if isinstance(observe, Observable) else tuple(observe)


def check_observables(observe: Sequence[Observable]) -> None:
    """Check of a list of observables: :class:`InputError` if two have the same name or an item is not an observable."""
    for item in observe:
        if not isinstance(item, Observable):
            raise InputError(f"observe: {item!r} is not an Observable")
    names = [item.name for item in observe]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"observe: '{sorted(twice)[0]}' is named twice")
