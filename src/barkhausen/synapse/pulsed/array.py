"""Arrays of synapses whose devices are moved by identical pulses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.device.pulses.cell import Layout, PulsedCell
from barkhausen.synapse.counters import Phase
from barkhausen.synapse.energy import EnergyBreakdown
from barkhausen.synapse.pulsed.cells import Train, whole
from barkhausen.synapse.pulsed.counters import PulseCounters
from barkhausen.synapse.pulsed.kernel import MASK, Key, Lists, Steps, key_from, pulse
from barkhausen.synapse.pulsed.kind import PulsedKind
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

VERIFY_READ = "verify read"
UPKEEP = "upkeep"
"""Cause of the energy of pulses and reads that refresh or carry."""


class PulsedArray(nn.Module):
    """Synapses of one kind whose devices are moved by identical pulses.

    The weight of a synapse is that of its device, or made of those of several (:class:`.PulsedCell`). Fresh devices are
    at their lower bound, those of a fresh pair halfway. The array is a :class:`~torch.nn.Module` whose tensors are
    buffers.

    Args:
        shape: Shape of the array.
        device: Device moved by pulses.
        write: Write-verify settings of :meth:`write`.
        generator: Generator that draws the physical devices.
        layout: Layout of the cells with its defaults, instead of ``cell``.
        cell: Devices of one synapse. Default: those that the device asks for, usually one.
        settings: ``margin`` and ``max_attempts``, instead of ``write``.

    Raises:
        InputError: The settings are wrong, or faults are asked for.
    """

    weight: Tensor
    cells: Tensor | None
    """Weights of the devices of each synapse [cell, synapse]; None where the weight is that of one device."""
    bounds: Tensor | None
    factor: Tensor | None
    pattern_key: Tensor | None
    """Key of what single devices have of their own at single weights; None where the device gives no such pattern."""

    def __init__(
        self,
        shape: tuple[int, ...],
        device: PulsedDevice,
        write: WriteVerify | None = None,
        *,
        generator: torch.Generator | None = None,
        layout: Layout | None = None,
        cell: PulsedCell | None = None,
        **settings: Unpack[WriteSettings],
    ) -> None:
        super().__init__()
        where = generator.device if generator is not None else torch.device("cpu")
        self.made_with = WriteVerify.given(write, **settings)
        if cell is None:
            cell = device.cell if layout is None else validated(PulsedCell, {"layout": layout}, "PulsedArray")
        self.kind = PulsedKind(device, self.made_with, cell, where)
        count, devices = math.prod(shape), self.kind.cells
        self.counters = PulseCounters(upkeep=bool(cell.upkeep_every)).to(where)
        self.register_buffer("weight", torch.zeros(shape, device=where))
        self.register_buffer("cells", torch.zeros((devices, count), device=where) if devices > 1 else None)
        bounds, factor = self.kind.draw(count * devices, generator)
        self.register_buffer("bounds", bounds)
        self.register_buffer("factor", factor)
        self.register_buffer("pattern_key", self.kind.draw_pattern(generator))
        self.lists = Lists()
        self._known: list[Steps] | None = None
        self._steps_made: int | None = None
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Put all devices where fresh ones are, at no cost and without a count."""
        fresh, cells = self.kind.cell.fresh, self.devices_of_cells()
        if fresh is not None:
            cells.fill_(fresh)
        elif self.bounds is not None:
            cells.view(-1).copy_(self.bounds[0])
        else:
            cells.fill_(-1.0)
        if self.cells is not None:
            self._combine()

    def devices_of_cells(self) -> Float[Tensor, "cell synapse"]:
        """Weights of all devices, a view."""
        return self.weight.view(1, -1) if self.cells is None else self.cells

    def _combine(self) -> None:
        assert self.cells is not None
        self.weight.view(-1).copy_(self.kind.cell.weight(self.cells))

    def __getstate__(self) -> dict[str, Any]:
        # Copies make the tables of their own devices when they need them.
        return {**self.__dict__, "_known": None}

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]  # torch's own signature
        super()._apply(fn, recurse)
        if self.kind.where != self.weight.device:
            self.kind = self.kind.to(self.weight.device)
        if not self.weight.is_contiguous():
            self.weight = self.weight.contiguous()
        self._known = None
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
        if self._known is None:
            self._known = [self._steps_of(number) for number in range(self.kind.cells)]
        return self._known[cell]

    def _steps_of(self, cell: int) -> Steps:
        typical, size = self.kind.steps, self.weight.numel()
        bounds, factor = (None if x is None else _part(x, cell, size) for x in (self.bounds, self.factor))
        if self.pattern_key is None:
            return Steps(typical.mean, typical.spread, bounds, factor)
        low, high = self.pattern_key.tolist()
        return Steps(typical.mean, typical.spread, bounds, factor, self.kind.pattern, ((low + cell) & MASK, high))

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

        The cell decides which of its devices get them (:mod:`.cells`).

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
        if self.cells is None:
            counts = self.counters.pulses[phase]
            pulse(self.weight.view(-1), index, pulses, self.steps_of(0), key, counts, follow)
            return
        shares = self.kind.cell.shares(self.cells.index_select(1, index), pulses)
        self.give(index, shares, key, phase=phase, follow=follow)

    def give(
        self,
        index: Int[Tensor, " event"],
        trains: Sequence[Train],
        key: Key,
        *,
        phase: Phase = Phase.TRAINING,
        upkeep: bool = False,
        follow: Float[Tensor, " synapse"] | None = None,
    ) -> None:
        """Give single devices of synapses pulses, and count them.

        Args:
            index: Flat places of the synapses, each once.
            trains: Numbers of devices of the cell, with the pulses of each synapse.
            key: Key of the random numbers.
            phase: Phase under which they are counted.
            upkeep: Whether they are counted as refresh or carry instead.
            follow: Flat tensor that gets the new weights of these synapses too.
        """
        counts = self.counters.upkeep_pulses if upkeep else self.counters.pulses[phase]
        devices = self.devices_of_cells()
        for row, pulses in whole(trains):
            chosen = pulses.nonzero().squeeze(1)
            given, other = pulses.index_select(0, chosen), (key[0], key[1] ^ row)
            pulse(devices[row], index.index_select(0, chosen), given, self.steps_of(row), other, counts)
        if self.cells is None:
            return
        held = self.kind.cell.weight(self.cells.index_select(1, index)).to(self.weight.dtype)
        self.weight.view(-1).index_copy_(0, index, held)
        if follow is not None:
            follow.index_copy_(0, index, held)

    @torch.no_grad()
    def after_step(self, key: Key) -> None:
        """Refresh or carry, where the cell needs it and a training step is the one at which it is due.

        Args:
            key: Key of the random numbers.
        """
        every = self.kind.cell.settings.upkeep_every
        if not every:
            return
        if self._steps_made is None:
            self._steps_made = int(self.counters.upkeep_steps)
        self._steps_made += 1
        self.counters.upkeep_steps += 1
        if self._steps_made % every == 0:
            self.kind.cell.upkeep(self, key)

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
        cell, devices = self.kind.cell, self.devices_of_cells()
        for number in range(count):
            if number:
                self.counters.reads[phase] += len(index)
                now = self.weight.view(-1).index_select(0, index)
                far = (wanted.index_select(0, index) - now).abs() > within
                index = index.index_select(0, far.nonzero().squeeze(1))
            first = number == 0 and phase is Phase.INITIAL
            goal = wanted.index_select(0, index)
            trains = whole(cell.trains(devices.index_select(1, index), goal, self.kind.pulses_to, first=first))
            if not any(bool(pulses.any()) for _, pulses in trains):
                return
            self.give(index, trains, key_from(generator), phase=phase)

    def like(self, generator: torch.Generator, **settings: Unpack[WriteSettings]) -> PulsedArray:
        """Array of the same shape and kind, made of fresh devices.

        Args:
            generator: Generator that draws the devices.
            settings: Settings of write-verify that differ from those of this array.
        """
        write = self.made_with.changed(**settings)
        shape = tuple(self.weight.shape)
        array = PulsedArray(shape, self.kind.device, write, generator=generator, cell=self.kind.cell.settings)
        return array.to(self.weight.dtype)

    def energy(self, phase: Phase | None = None) -> EnergyBreakdown:
        """Energy in J of the pulses and verify reads counted, by cause.

        Args:
            phase: Phase that counts. Default: both.
        """
        device, phases = self.kind.device, list(Phase) if phase is None else [phase]
        pulses, reads = self.counters.pulses[phases].sum(dim=0), int(self.counters.reads[phases].sum())
        causes = device.energy_causes
        found = {cause: _of_pulses(pulses, device.energy(cause)) for cause in causes}
        labels = dict(causes)
        read = _energy_of_a_read(device)
        if read is not None:
            name = "read" if "read" in causes else VERIFY_READ
            found[name] = found.get(name, 0.0) + reads * read * self.kind.cells
            labels[name] = VERIFY_READ
        if self.kind.cell.settings.upkeep_every and Phase.TRAINING in phases:
            found[UPKEEP] = _of_pulses(self.counters.upkeep_pulses, device.energy())
            found[UPKEEP] += int(self.counters.upkeep_reads) * (read or 0.0)
            labels[UPKEEP] = self.kind.cell.upkeep_name
        return EnergyBreakdown(found, labels)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if (
            self.pattern_key is not None
            and f"{prefix}weight" in state_dict
            and f"{prefix}pattern_key" not in state_dict
        ):
            # An array of a version whose devices had the mean step of all.
            self.pattern_key = None
        self._known = self._steps_made = None
        for name in ("bounds", "factor", "cells", "pattern_key"):
            mine, saved = getattr(self, name), state_dict.get(f"{prefix}{name}")
            if (mine is None) != (saved is None):
                raise InputError(f"{prefix}{name}: the state was saved with another device or layout")
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _of_pulses(pulses: Int[Tensor, 2], joule: tuple[float, float]) -> float:
    """Energy in J of pulses up and down."""
    up, down = pulses.tolist()
    return float(up * joule[0] + down * joule[1])


def _energy_of_a_read(device: PulsedDevice) -> float | None:
    """Energy in J of a read of one device; None, and free, where its file gives no read-out."""
    try:
        return float(device.read_energy(0.0))
    except InputError:
        return None


def _part(values: Tensor, cell: int, size: int) -> Tensor:
    return values[:, cell * size : (cell + 1) * size].contiguous()
