"""The split-precision update of a flat tensor of weights, in one pass of compiled code or in several of torch."""

from __future__ import annotations

import ctypes
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, REAL, CompiledLibrary

LIBRARY = Path(__file__).with_name("_split.so")

BLOCK = 256


library = CompiledLibrary(
    LIBRARY, {"barkhausen_split": ([POINTER, POINTER, INTEGER, *[REAL] * 5, POINTER], ctypes.c_double)}
)


def split_update(
    wanted: Float[Tensor, " weight"], held: Float[Tensor, " weight"], total_bits: int, high_bits: int, *, carry: bool
) -> tuple[Tensor, Tensor]:
    """Replace the weights that an optimiser asks for by those that the split-precision update gives, in place.

    Args:
        wanted: Weights that the optimiser asks for; they receive the new weights.
        held: Weights before the step, on [−1, 1].
        total_bits: Binary digits after the point of a whole weight.
        high_bits: Those of its high part.
        carry: Whether a saturated low part gets one more quantum, which carries into the high part.

    Returns:
        Sum of squares of the updates in quanta (float64), and number of updates (int64).
    """
    coarse, fine = 2.0**high_bits, 2.0**total_bits
    smallest = 2.0**-total_bits - 2.0 ** -(total_bits + 5)
    half, extra = fine / coarse / 2, 1.0 if carry else 0.0
    compiled = library() if wanted.device.type == "cpu" and wanted.dtype == torch.float32 else None
    if compiled is not None:
        updates = ctypes.c_int64(0)
        squares = compiled.barkhausen_split(
            wanted.data_ptr(), held.data_ptr(), len(wanted), coarse, fine, smallest, half, extra, ctypes.byref(updates)
        )
        return torch.tensor(squares, dtype=torch.float64), torch.tensor(updates.value)
    weight = held.clamp(-1.0, 1.0)
    weight = torch.where(weight.abs() < smallest, 0.0, weight)
    quanta = held.sub(wanted).clamp_(-1 / coarse, 1 / coarse).mul_(fine).trunc_()
    high = weight.mul(coarse).round_().div_(coarse)
    low = weight.sub_(high).mul_(fine).round_().sub_(quanta).clamp_(-half, half)
    if carry:
        low += low.ge(half).to(low.dtype) - low.le(-half).to(low.dtype)
    torch.add(high, low.div_(fine), out=wanted)
    return quanta.square().sum(dtype=torch.float64), quanta.count_nonzero()
