"""Settings of learning at low precision: the table ``[precision]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, SerializerFunctionWrapHandler, model_serializer

from barkhausen.core.config import StrictParameters
from barkhausen.learning.precision.uniform import LEAST
from barkhausen.synapse.crossbar.learning_load import FULL

MOST = 16
"""Largest number of bits of an integer; beyond it there are only floating-point numbers."""


def _bits(value: int) -> int:
    if value != FULL and not LEAST <= value <= MOST:
        raise ValueError(f"must be {LEAST} to {MOST} bits, or {FULL} for floating-point numbers, got {value}")
    return value


Bits = Annotated[int, AfterValidator(_bits)]


class Precision(StrictParameters):
    """Numbers of bits of what learning computes with and stores; 32 stands for floating-point numbers."""

    latent_bits: Bits = FULL
    """Bits of a latent weight. Updates are rounded at random, so that their mean is kept."""
    activation_bits: Bits = FULL
    """Bits of the inputs of a layer in the weight gradient (2: −1, 0 and 1); rounded to the nearest level."""
    error_bits: Bits = FULL
    """Bits of the errors at the outputs of a layer in the weight gradient; rounded at random."""

    @property
    def of_gradient(self) -> bool:
        """Whether an operand of the weight gradient has fewer than 32 bits."""
        return min(self.activation_bits, self.error_bits) < FULL

    @property
    def lowered(self) -> bool:
        """Whether anything has fewer than 32 bits."""
        return self.of_gradient or self.latent_bits < FULL

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Resolved recipes of runs at full precision stay the same text.
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if value != FULL}
