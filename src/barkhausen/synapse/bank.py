"""Banks: arrays of one kind that share flat tensors, so that one pass over memory handles all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Int16, UInt8
from torch import Tensor

from barkhausen.synapse.array import PER_SYNAPSE, SynapseArray
from barkhausen.synapse.counters import Phase


class SynapseBank:
    """Several arrays of the same kind whose tensors are views of shared flat tensors.

    A network of four layers then needs no more operations per step than one with a single layer. The bank only moves
    the tensors of the arrays; otherwise the arrays stay unchanged. Replacing those tensors (``.to()``, a copy, a fresh
    chip) breaks the bank; see :meth:`intact`.

    Args:
        arrays: Arrays of one kind (:meth:`SynapseKind.same_as`).
        padding: Number that the length of the flat tensors is a multiple of. The surplus is never programmed.
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
        # Tensors with one entry per synapse. Optional ones exist in all arrays of a kind or in none.
        self._names = [name for name in PER_SYNAPSE if getattr(first, name) is not None]
        self._flat: dict[str, Tensor] = {
            name: torch.zeros(length, dtype=getattr(first, name).dtype, device=where) for name in self._names
        }
        self.centres = torch.cat([array.centres for array in arrays])
        origins = [array.origins for array in arrays if array.origins is not None]
        self.origins = torch.cat(origins) if origins else None
        self.outcomes = torch.stack([array.counters.outcomes for array in arrays])
        pulses = [array.counters.pulses for array in arrays if array.counters.pulses is not None]
        self.pulses = torch.stack(pulses) if pulses else None
        sizes, rows = (torch.tensor(x, device=where) for x in (self.sizes, [len(a.centres) for a in arrays]))
        self.ends = sizes.cumsum(0)
        self.first_row = rows.cumsum(0) - rows
        self.one = first.counters.one
        start = row = 0
        for number, array in enumerate(arrays):
            end, shape = start + array.weight.numel(), array.weight.shape
            for name, flat in self._flat.items():
                flat[start:end] = getattr(array, name).reshape(-1)
                setattr(array, name, flat[start:end].view(shape))
            devices = len(array.centres)
            array.centres = self.centres[row : row + devices]
            if self.origins is not None:
                array.origins = self.origins[row : row + devices]
            array.counters.outcomes = self.outcomes[number]
            if self.pulses is not None:
                array.counters.pulses = self.pulses[number]
            start, row = end, row + devices
        self._pointers = [array.weight.data_ptr() for array in arrays]

    @property
    def weight(self) -> Float[Tensor, " synapse"]:
        """Weights of all synapses, including the surplus."""
        return self._flat["weight"]

    @property
    def state(self) -> UInt8[Tensor, " synapse"]:
        """States of all devices, including the surplus."""
        return self._flat["state"]

    @property
    def device_index(self) -> Int16[Tensor, " synapse"]:
        """Index of each synapse's device within its array, including the surplus."""
        return self._flat["device_index"]

    @property
    def stuck(self) -> Bool[Tensor, " synapse"] | None:
        """Mask of the stuck devices, including the surplus; None if there are none."""
        return self._flat.get("stuck")

    def row_of(self, index: Int[Tensor, " event"]) -> Int[Tensor, " event"]:
        """Row of ``centres`` of the devices at flat positions ``index``."""
        array = torch.bucketize(index, self.ends, right=True)
        return self.first_row.index_select(0, array).add_(self._flat["device_index"].index_select(0, index))

    def draw_at(
        self, row: Int[Tensor, " event"], target: Int[Tensor, " event"], generator: torch.Generator | None = None
    ) -> Float[Tensor, " event"]:
        """Weight of devices, given by their rows, after one hypothetical attempt to the states ``target`` (int64).

        Nothing is programmed or counted.
        """
        origin = None if self.origins is None else self.origins.index_select(0, row)
        noise = self.kind.statistics.draw_noise(target, generator, origin)
        return noise.add_(torch.take(self.centres, row * self.outcomes.shape[2] + target)).clamp_(
            *self.kind.weight_range
        )

    def intact(self) -> bool:
        """Whether the tensors of the arrays are still views of this bank."""
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

        Equivalent to calling :meth:`SynapseArray.program` on each array for the selected devices.
        """
        array = torch.bucketize(index, self.ends, right=True)
        states, columns = self.outcomes.shape[2:]
        if self.pulses is not None:
            weight, state, misses = self._write_categories(index, target, array, generator, phase)
        else:
            weight, state, misses = self._write(index, target, array, generator)
        if "writes" in self._flat:
            self._flat["writes"].index_add_(0, index, self.kind.attempts(misses))
        key = array.mul_(len(Phase)).add_(int(phase)).mul_(states).add_(target).mul_(columns).add_(misses)
        self.outcomes.view(-1).index_add_(0, key, self.one.expand(key.shape))
        self.weight.index_copy_(0, index, weight)
        self._flat["state"].index_copy_(0, index, state)

    def _write(
        self, index: Tensor, target: Tensor, array: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weight, state and missed attempts of devices after one event each."""
        row = self.first_row.index_select(0, array).add_(self._flat["device_index"].index_select(0, index))
        origin = None if self.origins is None else self.origins.index_select(0, row)
        centre: Float[Tensor, " event"] = torch.take(self.centres, row.mul_(self.outcomes.shape[2]).add_(target))
        weight, misses = self.kind.write_verify(centre, target, generator, origin)
        weight, state = weight.to(self.weight.dtype), target.to(torch.uint8)
        if "stuck" in self._flat:
            stuck, held, before = (self._flat[name].index_select(0, index) for name in ("stuck", "weight", "state"))
            weight, misses = self.kind.hold(stuck, held, target, weight, misses)
            state = torch.where(stuck, before, state)
        return weight, state, misses

    def _write_categories(
        self, index: Tensor, target: Tensor, array: Tensor, generator: torch.Generator | None, phase: Phase
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`_write`, where states are categories, which change in place; pulses are counted."""
        writer = self.kind.categorical
        assert writer is not None and self.pulses is not None
        stuck = self._flat["stuck"].index_select(0, index) if "stuck" in self._flat else None
        category = self._flat["category"].index_select(0, index).to(torch.int64)
        found = writer.write(category, target, self.kind.write, generator, stuck=stuck)
        self._flat["category"].index_copy_(0, index, found.category.to(torch.uint8))
        phases, pulses = self.pulses.shape[1:]
        key = (array * phases + int(phase)) * pulses + found.pulses.clamp_min(0)
        there = (found.pulses >= 0).to(torch.int64)
        self.pulses.view(-1).index_add_(0, key.view(-1), there.view(-1))
        return found.weight.to(self.weight.dtype), writer.state_of(found.category).to(torch.uint8), found.misses

    def set_margin(self, margin: float) -> None:
        """Give all arrays another tolerance margin."""
        self.kind = self.kind.with_margin(margin)
        for array in self.arrays:
            array.kind = self.kind
