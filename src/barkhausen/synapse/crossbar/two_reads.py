"""Products of signed weights from two reads of the same devices.

A column whose devices have the conductances G_j = G_ref + G_unit w_j is read twice, each time by its own conversion:

- read 1 drives row j with x_j and measures R1 = Σ G_j x_j;
- read 2 drives all rows with one common input c, the mean of the x_j, and measures R2 = c Σ G_j.

No read of devices that hold weights can give the reference G_ref Σ x_j itself: whatever drives the rows, the current is
a sum over their own conductances. R2 is the mean conductance of the column times Σ x_j. It is the reference of a column
whose weights add up to zero, and differs from it otherwise by a term that is known: c times the sum of the weights that
were programmed. So

    Σ w_j x_j = (R1 − R2) / G_unit − (G_ref / G_unit) (Σ x_j − n c) + c Σ w*_j

where w* are the levels of the states programmed, n the number of rows, and the last two terms are digital; the first of
them is only the rounding of c, which is a value of the source of the common voltage.

An error e_j of a device (a deviation from its level) gives the output the error Σ e_j (x_j − c), where a reference
column gives Σ e_j x_j and the errors of the reference besides: what all devices of a column have in common cancels.
Rounding of both conversions and noise of both reads add up, and each conversion has to span the whole current of the
column, not a difference.

All quantities are in units of Σ w x: a conductance of G_unit is 1, and ``zero`` is G_ref / G_unit. Leading dimensions
broadcast, so that many chips are read at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.synapse.crossbar.converters import quantise_inputs

COMMON_BITS = 8
"""Bits of the source of the common voltage of read 2, with its sign."""

Unchanged = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Reads:
    """Column currents of both reads before conversion, and what logic adds to their difference.

    Attributes:
        first: Current of read 1.
        common: Common input of read 2.
        second: Current of read 2.
        digital: Known part of the product.
    """

    first: Float[Tensor, "*batch outputs"]
    common: Float[Tensor, "*batch one"]
    second: Float[Tensor, "*batch outputs"]
    digital: Float[Tensor, "*batch outputs"]

    def product(self, first: Unchanged, second: Unchanged) -> Float[Tensor, "*batch outputs"]:
        """The product, with a function for noise and conversion of each read."""
        return first(self.first) - second(self.second) + self.digital


def common_input(planes: Float[Tensor, "*batch inputs"], *, signed: bool = True) -> Float[Tensor, "*batch one"]:
    """Common input of read 2: the mean of the inputs, as the source of the common voltage delivers it.

    Args:
        planes: Inputs in units of the largest.
        signed: Whether inputs can be negative.
    """
    return quantise_inputs(planes.mean(-1, keepdim=True), COMMON_BITS, 1.0, signed=signed)


def two_reads(
    planes: Float[Tensor, "*batch inputs"],
    weight: Float[Tensor, "*chip outputs inputs"],
    programmed: Float[Tensor, "*chip outputs"],
    zero: float,
    *,
    signed: bool = True,
    total_weight: Float[Tensor, "*chip outputs"] | None = None,
) -> Reads:
    """Both reads of a tile, or of the same tile of many chips.

    Args:
        planes: Inputs in units of the largest: [sample, input], or [chip, sample, input].
        weight: Weights that the devices have, with their errors and what wires take.
        programmed: Sum of the levels that the devices of each output were programmed to.
        zero: Conductance of a device of weight 0 in weight units.
        signed: Whether inputs can be negative.
        total_weight: Sum of the weights of each output, where it is known already.
    """
    rows = planes.shape[-1]
    common = common_input(planes, signed=signed)
    total = planes.sum(-1, keepdim=True)
    first = torch.matmul(planes, weight.mT) + zero * total
    held = weight.sum(-1) if total_weight is None else total_weight
    second = common * (held + zero * rows).unsqueeze(-2)
    digital = common * programmed.unsqueeze(-2) - zero * (total - rows * common)
    return Reads(first, common, second, digital)
