"""Sums of binomial reads in one pass of compiled code for CPUs.

Where it was not built, and on other torch devices, torch draws every device on its own, with other random numbers.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, CompiledLibrary

LIBRARY = Path(__file__).with_name("_reads.so")


_library = CompiledLibrary(
    LIBRARY,
    {"barkhausen_read_sums": ([POINTER, POINTER, *[INTEGER] * 4, ctypes.c_uint64, INTEGER, POINTER, POINTER], None)},
)


def serves(*tensors: Tensor) -> bool:
    """Whether the compiled code was built and supports these tensors: float32 on a CPU."""
    fit = all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors)
    return fit and _library() is not None


def read_sums(
    inputs: Float[Tensor, "row input"],
    probability: Float[Tensor, "output input"],
    reads: int,
    seed: int,
    first_row: int = 0,
) -> Float[Tensor, "row output"]:
    """Sum over the devices of an output of the share of reads that pass, for every row.

    Args:
        inputs: Inputs from 0 to 1. A device whose input is 0 is not read.
        probability: Probability of each device to pass at an input of 1.
        reads: Number of reads of each device.
        seed: Seed of the reads, below 2^63.
        first_row: Number of the first row. Each row has a random stream of its own number, so that rows computed apart
            are those computed together.
    """
    library = _library()
    assert library is not None
    inputs, probability = inputs.contiguous(), probability.contiguous()
    rows, width = inputs.shape
    sums = torch.empty(rows, len(probability))
    scratch = torch.empty(width + 1, dtype=torch.int64)
    library.barkhausen_read_sums(
        inputs.data_ptr(), probability.data_ptr(), rows, width, len(probability), reads, seed, first_row,
        scratch.data_ptr(), sums.data_ptr(),
    )  # fmt: skip
    return sums
