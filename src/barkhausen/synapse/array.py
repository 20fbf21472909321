"""Thousands to millions of domain-wall synapses as a handful of tensors."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice
from barkhausen.synapse.counters import Phase, ProgrammingCounters
from barkhausen.synapse.kind import SynapseKind

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
        where = generator.device if generator is not None else torch.device("cpu")
        self.kind = SynapseKind(device, margin, max_attempts, device.distribution().to(where))
        self.counters = ProgrammingCounters(device.states, max_attempts).to(where)
        self.register_buffer("weight", torch.zeros(shape, device=where))
        self.register_buffer("state", torch.zeros(shape, dtype=torch.uint8, device=where))
        self.register_buffer("device_index", torch.zeros(shape, dtype=torch.int16, device=where))
        population = self.kind.statistics.draw_devices(min(POPULATION, self.weight.numel()), generator)
        self.register_buffer("centres", self.levels + population)
        self._spread(generator)

    @property
    def levels(self) -> Float[Tensor, " state"]:
        """Mean weight of each state."""
        return self.kind.statistics.levels

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.levels)

    @property
    def margin(self) -> float:
        """Tolerance margin in weight units."""
        return self.kind.margin

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]  # torch's own signature
        super()._apply(fn, recurse)
        if self.levels.device != self.weight.device:
            self.kind = self.kind.to(self.weight.device)
        return self

    def renew(self, generator: torch.Generator | None = None) -> None:
        """Replace every device by a fresh one from the same population: another chip.

        Weights and states are those of devices never programmed (state 0) until :meth:`program` is called.
        """
        # In place: a bank may hold these tensors too.
        offsets = self.kind.statistics.draw_devices(len(self.centres), generator)
        torch.add(self.levels, offsets, out=self.centres)
        self._spread(generator)

    def _spread(self, generator: torch.Generator | None) -> None:
        """Spread the synapses over the population of devices, and leave them unprogrammed."""
        devices = len(self.centres)
        if devices == self.weight.numel():
            index = torch.arange(devices, dtype=torch.int16, device=self.weight.device)
            self.device_index.copy_(index.view(self.device_index.shape))
        else:
            self.device_index.random_(0, devices, generator=generator)
        self.weight.fill_(float(self.levels[0]))
        self.state.zero_()

    def like(self, *, margin: float | None = None, max_attempts: int, generator: torch.Generator) -> SynapseArray:
        """An array of the same shape and kind of device, made of fresh devices, with its own write-verify."""
        return SynapseArray(
            tuple(self.weight.shape),
            self.kind.device,
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

        Up to ``max_attempts`` draws until the weight is within the margin; every attempt is counted. On an
        accelerator every device computes and the marked ones keep the result, so that no size is read back; on
        a CPU only the marked ones do.

        Args:
            target: state index of every synapse; read only where marked.
            where: devices to program; all of them if None.
            generator: of the noise.
            phase: under which the events are counted.
        """
        target = target.reshape(-1).to(torch.int64)
        device = self.device_index.view(-1)
        if where is not None and self.weight.device.type == "cpu":
            index = where.reshape(-1).nonzero().squeeze(1)
            target, device = target.index_select(0, index), device.index_select(0, index)
            weight, misses = self.kind.write_verify(self._centre(device, target), target, generator)
            self.counters.count(phase, target, misses)
            self.weight.view(-1).index_copy_(0, index, weight)
            self.state.view(-1).index_copy_(0, index, target.to(torch.uint8))
            return
        weight, misses = self.kind.write_verify(self._centre(device, target), target, generator)
        mark = None if where is None else where.reshape(-1)
        self.counters.count(phase, target, misses, happened=mark)
        state = target.to(torch.uint8)
        if mark is not None:
            weight = torch.where(mark, weight, self.weight.view(-1))
            state = torch.where(mark, state, self.state.view(-1))
        self.weight.copy_(weight.view(self.weight.shape))
        self.state.copy_(state.view(self.state.shape))

    def _centre(self, device: Tensor, target: Tensor) -> Float[Tensor, " event"]:
        """Mean resting weight of each device in its target state: level plus offset."""
        return torch.take(self.centres, device.to(torch.int64).mul_(self.states).add_(target))
