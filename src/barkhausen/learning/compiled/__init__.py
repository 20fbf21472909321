"""Margin rule in one pass of compiled code for CPUs; where it was not built, torch does the same in several passes."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.learning.layers.quantiser import Quantiser

LIBRARY = Path(__file__).with_name("_scan.so")

FIRST_CAPACITY = 1 << 11

FEW = 8
"""Largest number of states for which uneven levels are found by comparisons."""


@cache
def _library() -> ctypes.CDLL | None:
    try:
        handle = ctypes.CDLL(str(LIBRARY))
        pointer: Any = ctypes.c_void_p
        number: Any = ctypes.c_int64
        real: Any = ctypes.c_float
        lists = [real, number, pointer, pointer]
        handle.barkhausen_scan_even.argtypes = [pointer, pointer, number, real, real, real, *lists]
        tables = [pointer, pointer, pointer, pointer, number]
        handle.barkhausen_scan_table.argtypes = [pointer, pointer, number, *tables, *lists]
        for function in (handle.barkhausen_scan_even, handle.barkhausen_scan_table):
            function.restype = number
    except (OSError, AttributeError):
        return None
    return handle


class Scan:
    """Search for the devices that are outside the margin of the level nearest to their latent weight.

    It keeps memory for the longest list so far.

    Args:
        quantiser: Quantiser of the latent weights.
    """

    def __init__(self, quantiser: Quantiser) -> None:
        self.quantiser = quantiser
        self.index = torch.empty(FIRST_CAPACITY, dtype=torch.int64)
        self.target = torch.empty(FIRST_CAPACITY, dtype=torch.int64)

    @staticmethod
    def serves(latent_weight: Tensor) -> bool:
        """Whether the compiled code was built and supports these latent weights: float32 on a CPU."""
        return latent_weight.device.type == "cpu" and latent_weight.dtype == torch.float32 and _library() is not None

    def outside(
        self, latent_weight: Float[Tensor, " synapse"], weight: Float[Tensor, " synapse"], margin: float
    ) -> tuple[Int[Tensor, " event"], Int[Tensor, " event"]]:
        """Clip the latent weights to [−1, 1] in place and list the devices with |w − L| above the margin, ascending.

        Args:
            latent_weight, weight: Contiguous float32 tensors.
            margin: Tolerance margin in weight units.

        Returns:
            Positions and target states, valid until the next call.

        Raises:
            IndexError: A latent weight is NaN, which has no nearest level.
        """
        found = self._run(latent_weight, weight, margin)
        if found > len(self.index):
            # The first pass has clipped the latent weights; a second pass finds the same devices.
            room = max(found, 2 * len(self.index))
            self.index, self.target = (torch.empty(room, dtype=torch.int64) for _ in range(2))
            found = self._run(latent_weight, weight, margin)
        if found < 0:
            raise IndexError("a latent weight that is not a number has no nearest level")
        return self.index[:found], self.target[:found]

    def _run(self, latent_weight: Tensor, weight: Tensor, margin: float) -> int:
        library, quantiser = _library(), self.quantiser
        assert library is not None
        head = (latent_weight.data_ptr(), weight.data_ptr(), len(latent_weight))
        lists = (margin, len(self.index), self.index.data_ptr(), self.target.data_ptr())
        if quantiser.even:
            found = library.barkhausen_scan_even(*head, quantiser.reach, 1 / quantiser.reach, quantiser.offset, *lists)
        else:
            states = len(quantiser.levels)
            tables = (
                quantiser.level_of_cell.data_ptr(),
                quantiser.state_of_cell.data_ptr(),
                quantiser.edges.data_ptr(),
                quantiser.levels.data_ptr(),
                states if states <= FEW else 0,
            )
            found = library.barkhausen_scan_table(*head, *tables, *lists)
        return int(found)
