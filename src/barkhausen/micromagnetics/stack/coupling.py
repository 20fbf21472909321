"""Coupling of two layers, cell by cell."""

from __future__ import annotations

import abc

from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.terms.base import EnergyTerm


class Coupling(EnergyTerm):
    """Term that couples two layers of a stack. Half of its energy counts for each of the two."""

    @property
    @abc.abstractmethod
    def pair(self) -> tuple[int, int]:
        """Numbers of the two layers."""

    @property
    @abc.abstractmethod
    def sign(self) -> int:
        """1 if the coupling favours the two parallel, −1 antiparallel."""

    def check_layers(self, layers: int) -> None:
        """Raise :class:`InputError` if the coupling is not of two of that many layers."""
        first, second = self.pair
        for number in self.pair:
            if not (isinstance(number, int) and 0 <= number < layers):
                raise InputError(f"{type(self).__name__}: there is no layer {number}, they are 0 to {layers - 1}")
        if first == second:
            raise InputError(f"{type(self).__name__}: couples layer {first} with itself")


def check_pair(coupling: Coupling) -> None:
    """Raise :class:`InputError` if the pair is not of two whole numbers."""
    pair = coupling.pair
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(number, int) for number in pair)):
        raise InputError(f"{type(coupling).__name__}.pair = {pair!r}: must be the numbers of two layers, (0, 1)")


def by_layer(values: Tensor, film: Film) -> Tensor:
    """View of the rows of a batch, ``[row, …]``, by replica and layer, ``[replica, layer, …]``.

    A value that all rows share becomes one of each layer.
    """
    if len(values) == 1:
        return values[:, None].expand(1, film.layer_count, *values.shape[1:])
    grouped: Tensor = values.unflatten(0, (-1, film.layer_count))
    return grouped
