"""Search for the devices to program in one pass of compiled code for CPUs.

Where it was not built, torch does the same in several passes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, REAL, CompiledLibrary
from barkhausen.learning.layers.quantiser import Quantiser

LIBRARY = Path(__file__).with_name("_scan.so")

FIRST_CAPACITY = 1 << 11

FEW = 8
"""Largest number of states for which uneven levels are found by comparisons."""


_LISTS = [REAL, INTEGER, POINTER, POINTER]
_TABLES = [POINTER, POINTER, POINTER, POINTER, INTEGER]

_library = CompiledLibrary(
    LIBRARY,
    {
        "barkhausen_scan_even": ([POINTER, POINTER, INTEGER, REAL, REAL, REAL, *_LISTS], INTEGER),
        "barkhausen_scan_table": ([POINTER, POINTER, INTEGER, *_TABLES, *_LISTS], INTEGER),
        "barkhausen_scan_left": ([POINTER, POINTER, INTEGER, POINTER, POINTER, INTEGER, INTEGER, POINTER], INTEGER),
    },
)


class Scan:
    """Search for the devices that are due to be programmed.

    It keeps memory for the longest list so far.

    Args:
        quantiser: Quantiser of the latent weights.
    """

    def __init__(self, quantiser: Quantiser) -> None:
        self.quantiser = quantiser
        self.index = torch.empty(FIRST_CAPACITY, dtype=torch.int64)
        self.target = torch.empty(FIRST_CAPACITY, dtype=torch.int64)
        self._ranges: tuple[float, Tensor, Tensor] | None = None

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
        found = self._complete(lambda: self._outside(latent_weight, weight, margin))
        return self.index[:found], self.target[:found]

    def left(
        self, latent_weight: Float[Tensor, " synapse"], held: UInt8[Tensor, " synapse"], hysteresis: float
    ) -> Int[Tensor, " event"]:
        """Clip the latent weights to [−1, 1] in place and list those that have left their held state, ascending.

        As :meth:`.Quantiser.left`; only where rounding decides about a threshold, some are listed too many.

        Args:
            latent_weight: Contiguous float32 tensor.
            held: Contiguous tensor of the held states.
            hysteresis: Distance beyond the threshold between states, in latent weight units.

        Returns:
            Positions, valid until the next call.

        Raises:
            IndexError: A latent weight is NaN, which has no nearest level.
        """
        if self._ranges is None or self._ranges[0] != hysteresis:
            self._ranges = (hysteresis, *self.quantiser.bounds(hysteresis))
        found = self._complete(lambda: self._left(latent_weight, held))
        return self.index[:found]

    def _complete(self, run: Callable[[], int]) -> int:
        """Number of devices found, with room for all of them."""
        found = run()
        if found > len(self.index):
            # The first pass has clipped the latent weights; a second pass finds the same devices.
            room = max(found, 2 * len(self.index))
            self.index, self.target = (torch.empty(room, dtype=torch.int64) for _ in range(2))
            found = run()
        if found < 0:
            raise IndexError("a latent weight that is not a number has no nearest level")
        return found

    def _left(self, latent_weight: Tensor, held: Tensor) -> int:
        library = _library()
        assert library is not None and self._ranges is not None
        _, low, high = self._ranges
        head = (latent_weight.data_ptr(), held.data_ptr(), len(latent_weight), low.data_ptr(), high.data_ptr())
        return int(library.barkhausen_scan_left(*head, len(low), len(self.index), self.index.data_ptr()))

    def _outside(self, latent_weight: Tensor, weight: Tensor, margin: float) -> int:
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
