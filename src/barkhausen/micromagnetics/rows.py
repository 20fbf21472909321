"""Rows of a batch: one for each replica of a film, several for each replica of a stack of films."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError

if TYPE_CHECKING:
    from barkhausen.micromagnetics.film import Film
    from barkhausen.micromagnetics.terms.base import Term


def check_single(film: Rows, what: str) -> None:
    """Raise :class:`InputError` if the film is a stack, for what takes single films only."""
    if film.layer_count > 1:
        raise InputError(f"{what}: takes single films, not a stack of {film.layer_count} layers")


class Rows:
    """Rows of a batch that the replicas of a film take: one each. A stack of layers overrides what follows from it."""

    @property
    def layer_count(self) -> int:
        """Rows of a batch that each replica takes: 1, in a stack one for each layer."""
        return 1

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers of a stack; none for a single film."""
        return ()

    @property
    def parts(self) -> tuple[tuple[Film, int], ...]:
        """Film of each layer of a stack, with the sign of its state to start from; none for a single film."""
        return ()

    @property
    def own_terms(self) -> tuple[Term, ...] | None:
        """Terms of the effective field that the film brings along; ``None``: those of its material."""
        return None

    @property
    def relative_thickness(self) -> Float[Tensor, "device 1 1"] | None:
        """Thickness of each row relative to that of the grid; ``None`` if all are 1."""
        return None

    def to_rows(self, values: Tensor, dim: int = 0) -> Tensor:
        """Values of the replicas along a dimension, repeated for the rows that they take."""
        return values if self.layer_count == 1 else values.repeat_interleave(self.layer_count, dim)

    def row_numbers(self, replicas: Int[Tensor, " replica"]) -> Int[Tensor, " row"]:
        """Numbers of the rows of these replicas: replica × layers + layer."""
        if self.layer_count == 1:
            return replicas
        return (replicas[:, None] * self.layer_count + torch.arange(self.layer_count)).flatten()

    def row_inputs(self, table: Float[Tensor, "time 6 replica"]) -> Float[Tensor, "time 6 row"]:
        """Table of a drive for the rows that the replicas take."""
        return table
