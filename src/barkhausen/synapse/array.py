"""Thousands to millions of domain-wall synapses as a handful of tensors."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice
from barkhausen.errors import InputError
from barkhausen.synapse.counters import Phase, ProgrammingCounters

POPULATION = 4096
"""Distinct sets of offsets kept for one array; synapses are spread over them at random."""


class SynapseArray(nn.Module):
    """Programmable stochastic synapses of one kind.

    Each synapse is one physical device: it holds its state, its analogue weight, and the number of the device
    (a set of offsets, one for each state) that it is. A :class:`~torch.nn.Module`, so that it moves, copies and
    saves as torch users expect; every tensor is a buffer, none is trained.

    Args:
        shape: of the array of synapses.
        device: its statistics.
        margin: tolerance margin in weight units; a device within it of its level is left alone.
        max_attempts: of write-verify; 1 programs once and accepts what comes.
        generator: draws the physical devices.

    Raises:
        InputError: the margin is negative or there is no attempt.
    """

    weight: Tensor
    state: Tensor
    device_index: Tensor
    centres: Tensor
    levels: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        device: CharacterisedDevice,
        *,
        margin: float,
        max_attempts: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not margin >= 0:
            raise InputError(f"margin = {margin}: must be zero or positive")
        if max_attempts < 1:
            raise InputError(f"max_attempts = {max_attempts}: at least one attempt is needed")
        where = generator.device if generator is not None else torch.device("cpu")
        self.device = device
        self.statistics = device.distribution().to(where)
        self.weight_range = device.weight_range
        self.margin = margin
        self.max_attempts = max_attempts
        self.counters = ProgrammingCounters(device.states, max_attempts).to(where)
        self.register_buffer("levels", self.statistics.levels, persistent=False)
        self.register_buffer("weight", torch.zeros(shape, device=where))
        self.register_buffer("state", torch.zeros(shape, dtype=torch.uint8, device=where))
        self.register_buffer("device_index", torch.zeros(shape, dtype=torch.int16, device=where))
        self.register_buffer("centres", torch.empty(0, device=where))
        self.renew(generator)

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.levels)

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]  # torch's own signature
        super()._apply(fn, recurse)
        self.statistics = self.statistics.to(self.levels.device)
        return self

    def renew(self, generator: torch.Generator | None = None) -> None:
        """Replace every device by a fresh one from the same population: another chip.

        Weights and states are those of devices never programmed (state 0) until :meth:`program` is called.
        """
        synapses = self.weight.numel()
        offsets = self.statistics.draw_devices(min(POPULATION, synapses), generator)
        self.centres = self.levels + offsets
        devices = len(offsets)
        if devices == synapses:
            index = torch.arange(devices, dtype=torch.int16, device=self.levels.device)
        else:
            index = torch.empty(synapses, dtype=torch.int16, device=self.levels.device)
            index.random_(0, devices, generator=generator)
        self.device_index.copy_(index.view(self.device_index.shape))
        self.weight.fill_(float(self.levels[0]))
        self.state.zero_()

    def like(
        self, *, margin: float | None = None, max_attempts: int, generator: torch.Generator
    ) -> SynapseArray:
        """An array of the same shape and kind of device, made of fresh devices, with its own write-verify."""
        return SynapseArray(
            tuple(self.weight.shape),
            self.device,
            margin=self.margin if margin is None else margin,
            max_attempts=max_attempts,
            generator=generator,
        )

    def program(
        self,
        target: Int[Tensor, "*synapse"],
        where: Bool[Tensor, "*synapse"] | None = None,
        generator: torch.Generator | None = None,
        *,
        phase: Phase = Phase.TRAINING,
    ) -> None:
        """Reset and program the devices marked in ``where`` to their target states.

        Up to ``max_attempts`` draws until the weight is within the margin; every attempt is counted.

        Args:
            target: state index of every synapse; read only where marked.
            where: devices to program; all of them if None.
            generator: of the noise.
            phase: under which the events are counted.
        """
        if where is None:
            index = torch.arange(self.weight.numel(), device=self.weight.device)
            self.program_at(index, target.reshape(-1).long(), generator, phase=phase)
        elif self.weight.device.type == "cpu":
            index = where.reshape(-1).nonzero().squeeze(1)
            self.program_at(index, target.reshape(-1).index_select(0, index).long(), generator, phase=phase)
        else:
            self._program_all(target.reshape(-1).long(), where.reshape(-1), generator, phase)

    def program_at(
        self,
        index: Int[Tensor, "event"],
        target: Int[Tensor, "event"],
        generator: torch.Generator | None = None,
        *,
        phase: Phase = Phase.TRAINING,
    ) -> None:
        """Program the devices at flat positions ``index`` to the states ``target`` (both int64)."""
        if index.numel() == 0:
            return
        centre = self._centre(self.device_index.view(-1).index_select(0, index), target)
        weight = self._write_verify(centre, target, None, generator, phase)
        self.weight.view(-1).index_copy_(0, index, weight)
        self.state.view(-1).index_copy_(0, index, target.to(torch.uint8))

    def _program_all(
        self, target: Tensor, where: Tensor, generator: torch.Generator | None, phase: Phase
    ) -> None:
        """The same on an accelerator: every device computes, the marked ones keep it; no size is read back."""
        weight = self._write_verify(
            self._centre(self.device_index.view(-1), target), target, where, generator, phase
        )
        self.weight.copy_(torch.where(where, weight, self.weight.view(-1)).view(self.weight.shape))
        state = torch.where(where, target.to(torch.uint8), self.state.view(-1))
        self.state.copy_(state.view(self.state.shape))

    def _centre(self, device: Tensor, target: Tensor) -> Float[Tensor, "event"]:
        """Mean resting weight of each device in its target state: level plus offset."""
        return torch.take(self.centres, device.long().mul_(self.states).add_(target))

    def _write_verify(
        self,
        centre: Tensor,
        target: Tensor,
        where: Tensor | None,
        generator: torch.Generator | None,
        phase: Phase,
    ) -> Float[Tensor, "event"]:
        low, high = self.weight_range
        level = self.levels.index_select(0, target)
        weight = self.statistics.draw_noise(target, generator).add_(centre).clamp_(low, high)
        missed = (weight - level).abs_() > self.margin
        misses = missed.to(torch.int64)
        for _ in range(1, self.max_attempts):
            again = self.statistics.draw_noise(target, generator).add_(centre).clamp_(low, high)
            weight = torch.where(missed, again, weight)
            missed = (weight - level).abs_() > self.margin
            misses += missed
        self.counters.count(phase, target, misses, where)
        return weight
