"""Common interface of the integrators."""

from __future__ import annotations

import abc

from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.integrators.step_size import StepAdvice


class Stepper(abc.ABC):
    """Integrator of a batch of replicas. Its state after :meth:`advance` fully determines what follows."""

    advice: StepAdvice | None = None
    """Advice on the step, for messages."""

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

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on.

        Raises:
            InputError: The integrator has no thermal noise.
        """
        raise InputError(f"temperature: {type(self).__name__} has no thermal noise")

    def set_magnetisation(self, m: Float[Tensor, "replica 3 nx ny"]) -> None:
        """Replace the magnetisation; the random numbers go on where they are.

        An integrator whose state holds more that follows from the magnetisation (fields of earlier steps) overrides
        this and drops it.
        """
        self.load_state_dict(self.state_dict() | {"m": m})

    def take_film(self) -> bool:
        """Take over the film that the system holds now, of the same grid, material and filled cells.

        Returns:
            Whether it could; if not, the integrator has to be made anew.
        """
        return False

    @abc.abstractmethod
    def state_dict(self) -> dict[str, Tensor]:
        """State for a checkpoint, on the CPU."""

    @abc.abstractmethod
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume, to the last bit, from what :meth:`state_dict` returned."""
