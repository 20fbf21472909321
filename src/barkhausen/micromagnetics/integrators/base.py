"""Common interface of the integrators."""

from __future__ import annotations

import abc

from jaxtyping import Float
from torch import Tensor


class Stepper(abc.ABC):
    """Integrator of a batch of replicas. Its state after :meth:`advance` fully determines what follows."""

    @property
    @abc.abstractmethod
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Current magnetisation. Must not be changed in place."""

    @abc.abstractmethod
    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop`` (s).

        Raises:
            IntegrationError: The magnetisation left the unit sphere or is NaN; the message names replica and time.
        """

    @abc.abstractmethod
    def state_dict(self) -> dict[str, Tensor]:
        """State for a checkpoint, on the CPU."""

    @abc.abstractmethod
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume, to the last bit, from what :meth:`state_dict` returned."""
