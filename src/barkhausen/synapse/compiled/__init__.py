"""Search for the devices that leave their state within a step, in one pass of compiled code for CPUs.

Where it was not built, torch does the same in several passes, with other random numbers.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int, Int16, UInt8
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, REAL, CompiledLibrary

LIBRARY = Path(__file__).with_name("_decay.so")

FIRST_CAPACITY = 1 << 12


_ARRAYS = [*[POINTER] * 6, INTEGER]
_TABLES = [*[POINTER] * 3, ctypes.c_int32, REAL, REAL]

_library = CompiledLibrary(
    LIBRARY, {"barkhausen_decay": ([*_ARRAYS, *_TABLES, ctypes.c_uint64, INTEGER, *[POINTER] * 3], INTEGER)}
)


def serves(weight: Tensor) -> bool:
    """Whether the compiled code was built and supports these weights: float32 on a CPU."""
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and _library() is not None


def _room(capacity: int) -> Int[Tensor, "3 capacity"]:
    return torch.empty((3, capacity), dtype=torch.int64)


class FlatTensors(Protocol):
    """Flat tensors with one entry for each synapse, as those of a bank."""

    @property
    def state(self) -> UInt8[Tensor, " synapse"]:
        """States."""

    @property
    def device_index(self) -> Int16[Tensor, " synapse"]:
        """Index of each synapse's device within its array."""

    @property
    def weight(self) -> Float[Tensor, " synapse"]:
        """Weights."""

    @property
    def stuck(self) -> Bool[Tensor, " synapse"] | None:
        """Mask of the stuck devices."""


@dataclass(frozen=True, eq=False)
class DecayTables:
    """Probabilities of a bank's devices to leave their state within a step.

    Attributes:
        ends: End of each array in the flat tensors of the bank.
        first_row: First row of each array in the tables.
        limits: Probability to leave each state, times 2^32.
        kind_of_row: Characterised device of each row.
        edges: Probability, times 2^32, that a device that leaves goes no further right than to each place: left end,
            the states, right end.
    """

    ends: Int[Tensor, " array"]
    first_row: Int[Tensor, " array"]
    limits: Int[Tensor, "row state"]
    kind_of_row: Int[Tensor, " row"]
    edges: Int[Tensor, "device state place"]


@dataclass(eq=False)
class LeaverScan:
    """Search for the devices that leave their state; it keeps memory for the longest list so far.

    Args:
        tables: Probabilities. Numbers of 32 bits without a sign are kept as int32 of the same bits.
    """

    tables: DecayTables
    index: Int[Tensor, "3 capacity"] = field(default_factory=lambda: _room(FIRST_CAPACITY))

    def leaving(self, bank: FlatTensors, between: tuple[float, float], seed: int) -> Int[Tensor, "3 event"]:
        """Flat positions of the devices that leave, ascending, their rows, and the places that they go to.

        Args:
            bank: Tensors of the devices.
            between: Weights between which a wall is at neither end of the track.
            seed: Seed of the random numbers, from 0 to 2^63.

        Returns:
            The list, valid until the next call.
        """
        found = self._run(bank, between, seed)
        if found > self.index.shape[1]:
            # The same seed: a second pass finds the same devices.
            self.index = _room(max(found, 2 * self.index.shape[1]))
            found = self._run(bank, between, seed)
        return self.index[:, :found]

    def _run(self, bank: FlatTensors, between: tuple[float, float], seed: int) -> int:
        library, tables, stuck = _library(), self.tables, bank.stuck
        assert library is not None
        found = library.barkhausen_decay(
            bank.state.data_ptr(),
            bank.device_index.data_ptr(),
            bank.weight.data_ptr(),
            None if stuck is None else stuck.data_ptr(),
            tables.ends.data_ptr(),
            tables.first_row.data_ptr(),
            len(tables.ends),
            tables.limits.data_ptr(),
            tables.kind_of_row.data_ptr(),
            tables.edges.data_ptr(),
            tables.limits.shape[1],
            *between,
            seed,
            self.index.shape[1],
            *(row.data_ptr() for row in self.index),
        )
        return int(found)
