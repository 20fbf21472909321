"""Settings of learning at low precision: the table ``[precision]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from barkhausen.core.config import NotNegative, StrictParameters
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

    gradient_bits: Bits = FULL
    """Bits of the converters that read the gradient of a batch out of analogue accumulators, on which errors and inputs
    are multiplied; 32: products and sums are digital."""
    gradient_noise: NotNegative = 0.0
    """Standard deviation of such a sum relative to the largest; 6.4e-4 for the accumulators of the default chip."""
    update_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the gradients of a layer that are used at a step, the largest ones; the others are dropped."""
    update_threshold: NotNegative = 0.0
    """Gradients smaller than this multiple of their root mean square in a layer are dropped."""

    @model_validator(mode="after")
    def _converters_belong_to_few_bits(self) -> Precision:
        if self.gradient_bits < FULL and max(self.activation_bits, self.error_bits) >= FULL:
            raise ValueError(
                f"gradient_bits = {self.gradient_bits}: products on a crossbar need activation_bits and error_bits, "
                "those of its drivers"
            )
        if self.gradient_noise and self.gradient_bits >= FULL:
            raise ValueError("gradient_noise is that of analogue sums: it has no effect without gradient_bits")
        if self.sparse and self.latent_bits >= FULL:
            raise ValueError(
                "update_share and update_threshold save accesses to latent weights of few bits: they need latent_bits"
            )
        return self

    @property
    def sparse(self) -> bool:
        """Whether small gradients are dropped."""
        return self.update_share < 1 or self.update_threshold > 0

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
        usual = {name: field.default for name, field in type(self).model_fields.items()}
        return {key: value for key, value in values.items() if value != usual[key]}
