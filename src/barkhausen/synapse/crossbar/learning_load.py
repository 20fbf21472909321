"""What one training step asks of the digital part of a chip and of its devices, apart from the products of tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.chip_parts import GradientMemory

FULL = 32
"""Number of bits that stands for floating-point numbers."""

TERNARY = 2
"""Number of bits of −1, 0 and 1: a product with them is an addition."""


@dataclass(frozen=True)
class LearningLoad:
    """Precision, sparsity and reads of one training step.

    Args:
        activation_bits, error_bits: Bits of the operands of the weight gradient; 32 for floating-point numbers.
        latent_bits: Bits of a latent weight, or of the digital sum of updates that is kept of each synapse; 0: none.
            Default: those of the chip's gradient memory.
        optimiser_states: Words of the optimiser for each synapse. Default: those of the chip's gradient memory.
        products: Share of the multiply-adds of the gradient with two factors other than zero; the others are skipped.
        updates: Share of the latent weights that a step changes; the others are neither read nor written.
        verifications: Reads after programming attempts in the step, each of which is compared with the margin.
        reads: Reads of single devices that the learning rule needs beside these, in the step.
        copy_bits: Bits of a digital copy of the devices' weights that are read or written in the step.
        verify_bits: Bits of what a verification gives: 1 for a comparison with the margin.
        gradient_bits: Bits of the converters that read the sums of gradient products on a crossbar
            (:mod:`.outer_product`); 32: products and sums are digital.
        comparisons: Comparisons of digital numbers of a synapse in the step, which decide whether its gradient is used
            or its device gets a pulse.
        second_arrays: Arrays of devices beside those of the weights, as large as these.

    Raises:
        InputError: A number is negative, or a share is not from 0 to 1.
    """

    activation_bits: int = FULL
    error_bits: int = FULL
    latent_bits: int | None = None
    optimiser_states: int | None = None
    products: float = 1.0
    updates: float = 1.0
    verifications: float = 0.0
    reads: float = 0.0
    copy_bits: float = 0.0
    verify_bits: int = 1
    gradient_bits: int = FULL
    comparisons: float = 0.0
    second_arrays: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{field.name} = {value:g}: must be zero or positive")
        for name in ("products", "updates"):
            if getattr(self, name) > 1:
                raise InputError(f"{name} = {getattr(self, name):g}: must be a share from 0 to 1")

    def words_in(self, memory: GradientMemory) -> tuple[int, int]:
        """Bits of a latent weight and number of optimiser words of a synapse, in the gradient memory of a chip."""
        return (
            memory.bits if self.latent_bits is None else self.latent_bits,
            memory.optimiser_states if self.optimiser_states is None else self.optimiser_states,
        )

    def within(self, bits: int) -> LearningLoad:
        """The same with operands of the gradient of so many bits or fewer, where the passes have none of more."""
        return replace(self, activation_bits=min(self.activation_bits, bits), error_bits=min(self.error_bits, bits))

    @property
    def ternary(self) -> bool:
        """Whether a factor of the gradient is −1, 0 or 1, so that nothing is multiplied."""
        return min(self.activation_bits, self.error_bits) <= TERNARY

    @property
    def in_floating_point(self) -> bool:
        """Whether the gradient is summed in floating-point numbers."""
        return max(self.activation_bits, self.error_bits) >= FULL

    def accumulator_bits(self, terms: int) -> int:
        """Bits of a sum of products that cannot overflow; 32 for floating-point numbers.

        Args:
            terms: Number of products in the sum.
        """
        if self.in_floating_point:
            return FULL
        return min(FULL, self.activation_bits + self.error_bits + math.ceil(math.log2(max(terms, 2))))


USUAL = LearningLoad()
"""Full precision, without reads of devices."""
