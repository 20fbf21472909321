"""Observable: quantity recorded while an ensemble runs, so that no trajectory is stored."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


class Observable(abc.ABC):
    """Function of the state that returns one or several numbers for each replica."""

    name: ClassVar[str]
    """Name of the variable in the result."""
    units: ClassVar[str]
    dimensions: ClassVar[tuple[str, ...]] = ()
    """Further dimensions after ``time`` and ``replica``."""

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Labels along :attr:`dimensions`."""
        return {}

    @abc.abstractmethod
    def __call__(self, system: System, state: State) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """Values at the current time."""


def check_observables(observe: Sequence[Observable]) -> None:
    """Check of a list of observables: :class:`InputError` if two have the same name or an item is not an observable."""
    for item in observe:
        if not isinstance(item, Observable):
            raise InputError(f"observe: {item!r} is not an Observable")
    names = [item.name for item in observe]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"observe: '{sorted(twice)[0]}' is named twice")
