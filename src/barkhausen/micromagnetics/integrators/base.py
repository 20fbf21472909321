"""Common interface of the integrators."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.integrators.step_size import StepAdvice
from barkhausen.micromagnetics.system import System


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


def check_stepping(
    system: System, dt: float, temperature: object = 0.0, replicas: object = None, *, name: str = "dt"
) -> None:
    """Check of what an integrator is made from.

    Raises:
        InputError: A step in s that is not positive, temperatures in K that are negative or not one for each replica,
            or replicas that are not one whole number each.
    """
    if not (isinstance(dt, Real) and math.isfinite(dt) and dt > 0):
        raise InputError(f"{name} = {dt!r}: must be a positive time in s")
    count = system.replicas
    kelvin = as_tensor_of_numbers("temperature", temperature)
    if kelvin.dim() > 0 and tuple(kelvin.shape) != (count,):
        raise InputError(f"temperature: shape {tuple(kelvin.shape)} is not one for each of {count} replicas")
    wrong = ~(torch.isfinite(kelvin) & (kelvin >= 0))
    if bool(wrong.any()):
        raise InputError(f"temperature = {float(kelvin[wrong][0])}: must be zero or positive, in K")
    if replicas is None:
        return
    if not isinstance(replicas, Tensor) or replicas.is_floating_point() or tuple(replicas.shape) != (count,):
        what = f"shape {tuple(replicas.shape)}" if isinstance(replicas, Tensor) else type(replicas).__name__
        raise InputError(f"replicas: {what} is not a tensor of {count} whole numbers")


def check_stepper_state(state: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...] | None]) -> None:
    """Check that a state holds these tensors, of these shapes (``None``: any shape).

    Raises:
        InputError: It does not.
    """
    if not isinstance(state, Mapping):
        raise InputError(f"state: {type(state).__name__} is not a dictionary of tensors, as state_dict returns")
    for key, shape in expected.items():
        value = state.get(key)
        if not isinstance(value, Tensor):
            raise InputError(f"state: has no tensor '{key}'")
        if shape is not None and tuple(value.shape) != shape:
            raise InputError(f"state: {key} has the shape {tuple(value.shape)}, expected {shape}")
