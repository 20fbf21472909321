"""Arrays of synapses whose devices are moved by identical pulses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.synapse.counters import Phase
from barkhausen.synapse.energy import EnergyBreakdown
from barkhausen.synapse.pulsed.counters import PulseCounters
from barkhausen.synapse.pulsed.kernel import Key, Lists, Steps, key_from, pulse
from barkhausen.synapse.pulsed.kind import Layout, PulsedKind
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

LONGEST_TRAIN = 1024
"""Largest number of pulses that one round of writing gives a device; our assumption."""

VERIFY_READ = "verify read"


class PulsedArray(nn.Module):
    """Synapses of one kind whose devices are moved by identical pulses.

    The weight of a synapse is that of its device, or half the difference of a pair. Fresh devices are at their lower
    bound, a fresh pair at half its range. The array is a :class:`~torch.nn.Module` whose tensors are buffers.

    Args:
        shape: Shape of the array.
        device: Device moved by pulses.
        write: Write-verify settings of :meth:`write`.
        generator: Generator that draws the physical devices.
        layout: ``single`` or ``pair``.
        settings: ``margin`` and ``max_attempts``, instead of ``write``.

    Raises:
        InputError: The settings are wrong, or faults are asked for.
    """

    weight: Tensor
    cells: Tensor | None
    """Weights of the two devices of each pair [2, synapse]; None where the weight is that of one device."""
    bounds: Tensor | None
    factor: Tensor | None

    def __init__(
        self,
        shape: tuple[int, ...],
        device: PulsedDevice,
        write: WriteVerify | None = None,
        *,
        generator: torch.Generator | None = None,
        layout: Layout = "single",
        **settings: Unpack[WriteSettings],
    ) -> None:
        super().__init__()
        where = generator.device if generator is not None else torch.device("cpu")
        self.made_with = WriteVerify.given(write, **settings)
        self.kind = PulsedKind(device, self.made_with, layout, where)
        self.counters = PulseCounters().to(where)
        count = math.prod(shape) * self.kind.cells
        self.register_buffer("weight", torch.zeros(shape, device=where))
        pair = torch.zeros((2, math.prod(shape)), device=where) if self.kind.cells > 1 else None
        self.register_buffer("cells", pair)
        bounds, factor = self.kind.draw(count, generator)
        self.register_buffer("bounds", bounds)
        self.register_buffer("factor", factor)
        self.lists = Lists()
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Put all devices where fresh ones are, at no cost and without a count."""
        if self.cells is not None:
            self.cells.zero_()
            self._combine()
        elif self.bounds is not None:
            self.weight.view(-1).copy_(self.bounds[0])
        else:
            self.weight.fill_(-1.0)

    def _combine(self) -> None:
        assert self.cells is not None
        self.weight.view(-1).copy_(self.cells[0] - self.cells[1]).mul_(0.5)

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]  # torch's own signature
        super()._apply(fn, recurse)
        if self.kind.where != self.weight.device:
            self.kind = self.kind.to(self.weight.device)
        if not self.weight.is_contiguous():
            self.weight = self.weight.contiguous()
        return self

    @property
    def levels(self) -> Float[Tensor, " level"]:
        """Evenly spaced weights that stand for the continuous ones."""
        return self.kind.levels

    @property
    def states(self) -> int:
        """Number of :attr:`levels`."""
        return len(self.levels)

    @property
    def state(self) -> UInt8[Tensor, "*synapse"]:
        """Number of the level nearest to each weight."""
        place = (self.weight.clamp(-1.0, 1.0) + 1.0) * (0.5 * (self.states - 1))
        return place.round().to(torch.uint8)

    @property
    def writes(self) -> None:
        """Writes of single devices, which are not counted."""
        return None

    @property
    def margin(self) -> float:
        """Tolerance margin in weight units."""
        return self.kind.margin

    def steps_of(self, cell: int) -> Steps:
        """Tables of the steps of one device of each synapse."""
        typical, size = self.kind.steps, self.weight.numel()
        if self.bounds is None and self.factor is None:
            return typical
        own = (None if x is None else _part(x, cell, size) for x in (self.bounds, self.factor))
        return Steps(typical.mean, typical.spread, *own)

    def pulse_at(
        self,
        index: Int[Tensor, " event"],
        pulses: Int[Tensor, " event"],
        generator: torch.Generator | None = None,
        *,
        phase: Phase = Phase.TRAINING,
        key: Key | None = None,
        follow: Float[Tensor, " synapse"] | None = None,
    ) -> None:
        """Give synapses pulses, and count them.

        The pulses of a pair go to its two devices in turn, up to one and down to the other, the first to the device
        that has more room.

        Args:
            index: Flat places of the synapses (int64), each once.
            pulses: Signed numbers of pulses (int32).
            generator: Random stream of the pulses.
            phase: Phase under which they are counted.
            key: Key of the random numbers. Default: from the generator.
            follow: Flat tensor that gets the new weights of these synapses too.
        """
        if not len(index):
            return
        key = key_from(generator) if key is None else key
        counts = self.counters.pulses[phase]
        if self.cells is None:
            pulse(self.weight.view(-1), index, pulses, self.steps_of(0), key, counts, follow)
            return
        first, second = (self.cells[row].index_select(0, index) for row in (0, 1))
        sign = torch.sign(pulses)
        # What is left for the first device to go in its direction, and for the second in the other.
        roomy = (1.0 - sign * first) >= (1.0 + sign * second)
        whole = pulses.abs()
        more, less = (whole + 1) // 2, whole // 2
        for row, own in enumerate((torch.where(roomy, more, less) * sign, torch.where(roomy, less, more) * -sign)):
            chosen = own.nonzero().squeeze(1)
            given = own.index_select(0, chosen).to(torch.int32)
            other = (key[0], key[1] ^ row)
            pulse(self.cells[row], index.index_select(0, chosen), given, self.steps_of(row), other, counts)
        moved = self.cells[0].index_select(0, index) - self.cells[1].index_select(0, index)
        moved = moved.mul_(0.5).to(self.weight.dtype)
        self.weight.view(-1).index_copy_(0, index, moved)
        if follow is not None:
            follow.index_copy_(0, index, moved)

    @torch.no_grad()
    def write(
        self,
        target: Float[Tensor, "*synapse"],
        generator: torch.Generator | None = None,
        *,
        where: Bool[Tensor, "*synapse"] | None = None,
        phase: Phase = Phase.TRAINING,
        rounds: int | None = None,
        margin: float | None = None,
    ) -> None:
        """Bring the weights to targets: trains of pulses as a typical device needs them, then verification.

        The first round starts from the present weights, which are known of fresh devices. Each further round reads all
        synapses that were not within the margin and gives these another train. After the last one nothing is read.

        Args:
            target: Target weights.
            generator: Random stream of the pulses.
            where: Mask of the synapses to write. Default: all.
            phase: Phase under which pulses and reads are counted.
            rounds: Largest number of rounds. Default: that of write-verify.
            margin: Tolerance margin in weight units. Default: that of write-verify.
        """
        wanted = target.reshape(-1).to(self.weight.dtype).clamp(-1.0, 1.0)
        within = self.kind.margin if margin is None else margin
        count = self.kind.max_attempts if rounds is None else rounds
        index = torch.arange(len(wanted), device=wanted.device)
        if where is not None:
            index = where.reshape(-1).nonzero().squeeze(1)
        for number in range(count):
            now = self.weight.view(-1).index_select(0, index)
            goal = wanted.index_select(0, index)
            if number:
                self.counters.reads[phase] += len(index)
                far = ((goal - now).abs() > within).nonzero().squeeze(1)
                index, now, goal = (x.index_select(0, far) for x in (index, now, goal))
            needed = self.kind.pulses_to(now, goal) * self.kind.cells
            needed = torch.round(needed).clamp_(-LONGEST_TRAIN, LONGEST_TRAIN)
            due = needed.nonzero().squeeze(1)
            if not len(due):
                return
            self.pulse_at(
                index.index_select(0, due), needed.index_select(0, due).to(torch.int32), generator, phase=phase
            )

    def like(self, generator: torch.Generator, **settings: Unpack[WriteSettings]) -> PulsedArray:
        """Array of the same shape and kind, made of fresh devices.

        Args:
            generator: Generator that draws the devices.
            settings: Settings of write-verify that differ from those of this array.
        """
        write = self.made_with.changed(**settings)
        shape = tuple(self.weight.shape)
        array = PulsedArray(shape, self.kind.device, write, generator=generator, layout=self.kind.layout)
        return array.to(self.weight.dtype)

    def energy(self, phase: Phase | None = None) -> EnergyBreakdown:
        """Energy in J of the pulses and verify reads counted, by cause.

        Args:
            phase: Phase that counts. Default: both.
        """
        device, phases = self.kind.device, list(Phase) if phase is None else [phase]
        up, down = self.counters.pulses[phases].sum(dim=0).tolist()
        reads = int(self.counters.reads[phases].sum())
        causes = device.energy_causes
        found = {cause: up * device.energy(cause)[0] + down * device.energy(cause)[1] for cause in causes}
        try:
            read = float(device.read_energy(0.0))
        except InputError:
            # A device file without a read-out: reads are counted as free, as its assumptions say of pulses.
            return EnergyBreakdown(found, causes)
        name = "read" if "read" in causes else VERIFY_READ
        found[name] = found.get(name, 0.0) + reads * read * self.kind.cells
        return EnergyBreakdown(found, {**causes, name: VERIFY_READ})

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in ("bounds", "factor", "cells"):
            mine, saved = getattr(self, name), state_dict.get(f"{prefix}{name}")
            if (mine is None) != (saved is None):
                raise InputError(f"{prefix}{name}: the state was saved with another device or layout")
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _part(values: Tensor, cell: int, size: int) -> Tensor:
    return values[:, cell * size : (cell + 1) * size].contiguous()
