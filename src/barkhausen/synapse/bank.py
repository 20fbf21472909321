"""Arrays of one kind laid end to end, so that one pass over memory serves them all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.counters import Phase


class SynapseBank:
    """Several arrays of the same kind whose tensors are made views of common flat ones.

    A network of four layers then costs as many operations a step as one of a single layer. The arrays stay what
    they are: the bank only moves their tensors. What replaces those tensors (``.to()``, a copy, a fresh chip)
    breaks the bank, see :meth:`intact`.

    Args:
        arrays: of one kind (:meth:`SynapseKind.same_as`).
        padding: the flat tensors are made a multiple of this long; the surplus is never programmed.
    """

    def __init__(self, arrays: Sequence[SynapseArray], padding: int = 1) -> None:
        self.arrays = list(arrays)
        first = arrays[0]
        if not all(array.kind.same_as(first.kind) for array in arrays):
            raise ValueError("only arrays of one kind can be laid end to end")
        self.kind = first.kind
        where = first.weight.device
        self.sizes = [array.weight.numel() for array in arrays]
        self.synapses = sum(self.sizes)
        length = -(-self.synapses // padding) * padding
        self.weight = torch.zeros(length, device=where)
        self.state = torch.zeros(length, dtype=torch.uint8, device=where)
        self.device_index = torch.zeros(length, dtype=torch.int16, device=where)
        self.centres = torch.cat([array.centres for array in arrays])
        self.outcomes = torch.stack([array.counters.outcomes for array in arrays])
        sizes, rows = (torch.tensor(x, device=where) for x in (self.sizes, [len(a.centres) for a in arrays]))
        self.ends = sizes.cumsum(0)
        self.first_row = rows.cumsum(0) - rows
        self.one = first.counters.one
        start = row = 0
        for number, array in enumerate(arrays):
            end, shape = start + array.weight.numel(), array.weight.shape
            for name in ("weight", "state", "device_index"):
                flat: Tensor = getattr(self, name)
                flat[start:end] = getattr(array, name).reshape(-1)
                setattr(array, name, flat[start:end].view(shape))
            devices = len(array.centres)
            array.centres = self.centres[row : row + devices]
            array.counters.outcomes = self.outcomes[number]
            start, row = end, row + devices
        self._pointers = [array.weight.data_ptr() for array in arrays]

    def intact(self) -> bool:
        """Whether the arrays still are views of this bank."""
        held = zip(self.arrays, self._pointers, strict=True)
        return all(array.weight.data_ptr() == pointer for array, pointer in held)

    def program_at(
        self,
        index: Int[Tensor, " event"],
        target: Int[Tensor, " event"],
        generator: torch.Generator | None = None,
        *,
        phase: Phase = Phase.TRAINING,
    ) -> None:
        """Reset and program the devices at flat positions ``index`` to the states ``target`` (both int64).

        The same as :meth:`SynapseArray.program` of each array with the devices marked, in one go.
        """
        array = torch.bucketize(index, self.ends, right=True)
        states, columns = self.outcomes.shape[2:]
        row = self.first_row.index_select(0, array).add_(self.device_index.index_select(0, index))
        centre: Float[Tensor, " event"] = torch.take(self.centres, row.mul_(states).add_(target))
        weight, misses = self.kind.write_verify(centre, target, generator)
        key = array.mul_(len(Phase)).add_(int(phase)).mul_(states).add_(target).mul_(columns).add_(misses)
        self.outcomes.view(-1).index_add_(0, key, self.one.expand(key.shape))
        self.weight.index_copy_(0, index, weight)
        self.state.index_copy_(0, index, target.to(torch.uint8))
