"""The one interface of everything that moves a batch of replicas through time."""

from __future__ import annotations

import abc

from jaxtyping import Float
from torch import Tensor


class Stepper(abc.ABC):
    """A batch of replicas in motion. What it holds after :meth:`advance` fully determines its future."""

    @property
    @abc.abstractmethod
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """The present magnetisation. Not to be changed in place."""

    @abc.abstractmethod
    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop`` (s).

        Raises:
            IntegrationError: the magnetisation left the unit sphere or is no number; names replica and time.
        """

    @abc.abstractmethod
    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a checkpoint needs, on the CPU."""

    @abc.abstractmethod
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on, to the last bit, where :meth:`state_dict` was taken."""
