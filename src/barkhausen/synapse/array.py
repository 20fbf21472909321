"""Arrays of synapses: thousands to millions of devices held in a few tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice
from barkhausen.synapse.counters import Phase
from barkhausen.synapse.energy import AttemptEnergies, EnergyBreakdown
from barkhausen.synapse.identity import check_identity, identity_of
from barkhausen.synapse.kind import SynapseKind
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

PER_SYNAPSE = ("weight", "state", "device_index", "stuck", "writes", "category")
"""Tensors of an array that hold one number for each synapse."""

PRECISIONS = (torch.float32, torch.float64)
"""Types of numbers that hold weights of devices."""

POPULATION = 4096
"""Distinct sets of offsets kept for one array; synapses are spread over them at random."""


class _Event(NamedTuple):
    """Devices after one programming event each."""

    weight: Tensor
    state: Tensor
    misses: Tensor
    """Attempts that ended outside the margin."""
    category: Tensor | None = None
    pulses: Tensor | None = None
    """Category of each device and pulse of each attempt, where states are categories."""


class SynapseArray(nn.Module):
    """Programmable stochastic synapses of one kind.

    Each synapse is one physical device with a state, an analogue weight and an index into the population of devices
    (each a set of offsets, one for each state). The array is a :class:`~torch.nn.Module`, so it can be moved, copied
    and saved like any other; all of its tensors are buffers, and none is trained.

    Args:
        shape: Shape of the array.
        device: Statistics of the devices.
        write: Write-verify settings.
        generator: Generator that draws the physical devices.
        settings: ``margin``, ``max_attempts``, ``faults`` and ``count_writes``, instead of ``write``.

    Raises:
        InputError: The write settings are wrong, or the device cannot have the faults.
    """

    weight: Tensor
    state: Tensor
    device_bytes: Tensor
    """:attr:`device_index` byte by byte [2 · synapses]."""
    centres: Tensor
    origins: Tensor | None
    """Index of the noise distribution of each device of the population. None if all devices share one."""
    stuck: Tensor | None
    """Mask of the stuck synapses. None if there are no stuck devices."""
    writes: Tensor | None
    """Attempts made on each synapse (int32). None if they are not counted."""
    category: Tensor | None
    """Category of each synapse (uint8), where states are categories: what the next pulse does depends on it."""

    def __init__(
        self,
        shape: tuple[int, ...],
        device: CharacterisedDevice,
        write: WriteVerify | None = None,
        *,
        generator: torch.Generator | None = None,
        **settings: Unpack[WriteSettings],
    ) -> None:
        super().__init__()
        write = WriteVerify.given(write, **settings)
        where = generator.device if generator is not None else torch.device("cpu")
        self.made_with = write
        """Write-verify settings that the array was made with; a schedule may change the margin of :attr:`kind`."""
        self.kind = SynapseKind(device, write, device.distribution().to(where))
        self.counters = self.kind.new_counters().to(where)
        self.register_buffer("weight", torch.zeros(shape, device=where))
        self.register_buffer("state", torch.zeros(shape, dtype=torch.uint8, device=where))
        # Two bytes each, as bytes: neither gloo nor NCCL sends 16-bit integers, and training on several processes
        # (DistributedDataParallel) sends every buffer.
        self.register_buffer("device_bytes", torch.zeros(2 * math.prod(shape), dtype=torch.uint8, device=where))
        population, origins = self.kind.statistics.draw_population(min(POPULATION, self.weight.numel()), generator)
        self.register_buffer("centres", self.levels + population)
        self.register_buffer("origins", origins)
        empty = {
            "stuck": (write.faults.stuck > 0, torch.bool),
            "writes": (write.count_writes, torch.int32),
            "category": (self.kind.categorical is not None, torch.uint8),
        }
        for name, (wanted, dtype) in empty.items():
            self.register_buffer(name, torch.zeros(shape, dtype=dtype, device=where) if wanted else None)
        if self.weight.dtype not in PRECISIONS:
            raise InputError(
                f"torch.get_default_dtype() = {self.weight.dtype}: latent weights and devices need float32 or float64"
            )
        self._spread(generator)

    @property
    def device_index(self) -> Int[Tensor, "*synapse"]:
        """Index of each synapse's device, a row of ``centres`` (int16)."""
        return self.device_bytes.view(torch.int16).view(self.weight.shape)

    @device_index.setter
    def device_index(self, index: Int[Tensor, "*synapse"]) -> None:
        self.device_bytes = index.view(-1).view(torch.uint8)

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
        super()._apply(lambda tensor: _precise(tensor, fn(tensor)), recurse)
        if self.levels.device != self.weight.device:
            self.kind = self.kind.to(self.weight.device)
        # Images may be stored channels last, but synapses are always stored in one order.
        for name in PER_SYNAPSE:
            tensor = getattr(self, name)
            if tensor is not None and not tensor.is_contiguous():
                setattr(self, name, tensor.contiguous())
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Pickled by an earlier version.
        self.__dict__.setdefault("made_with", self.kind.write)
        self._buffers.setdefault("category", None)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        index = destination.pop(f"{prefix}device_bytes")
        destination[f"{prefix}device_index"] = index.view(torch.int16).view(self.weight.shape)
        destination.update({f"{prefix}{name}": value for name, value in identity_of(self).items()})

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        index = state_dict.pop(f"{prefix}device_index", None)
        if index is not None:
            state_dict[f"{prefix}device_bytes"] = index.to(torch.int16).reshape(-1).view(torch.uint8)
        check_identity(self, state_dict, prefix)
        self._check_indices(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _check_indices(self, state_dict: dict[str, Any], prefix: str) -> None:
        """Refuse states and devices that there are not: kernels look them up without a check."""
        state, devices = state_dict.get(f"{prefix}state"), state_dict.get(f"{prefix}device_bytes")
        category = state_dict.get(f"{prefix}category")
        if isinstance(category, Tensor) and category.numel() and self.kind.categorical is not None:
            last = len(self.kind.categorical.state) - 1
            if not 0 <= int(category.min()) <= int(category.max()) <= last:
                raise InputError(f"{prefix}category: must be from 0 to {last}")
        if isinstance(state, Tensor) and state.numel() and not 0 <= int(state.min()) <= int(state.max()) < self.states:
            raise InputError(f"{prefix}state: must be from 0 to {self.states - 1}")
        if (
            not isinstance(devices, Tensor)
            or devices.dtype != torch.uint8
            or devices.numel() != 2 * self.weight.numel()
        ):
            # A wrong size: loading says so.
            return
        index = devices.contiguous().view(torch.int16)
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < len(self.centres):
            raise InputError(f"{prefix}device_index: must be from 0 to {len(self.centres) - 1}")

    def renew(self, generator: torch.Generator | None = None) -> None:
        """Replace every device by a fresh one from the same population, as on another chip.

        Until :meth:`program` is called, weights and states are those of unprogrammed devices (state 0).
        """
        # In place: a bank may hold these tensors too.
        offsets, origins = self.kind.statistics.draw_population(len(self.centres), generator)
        torch.add(self.levels, offsets, out=self.centres)
        if self.origins is not None and origins is not None:
            self.origins.copy_(origins)
        self._spread(generator)

    def _spread(self, generator: torch.Generator | None) -> None:
        """Assign a device of the population to every synapse, unprogrammed."""
        devices = len(self.centres)
        if devices == self.weight.numel():
            index = torch.arange(devices, dtype=torch.int16, device=self.weight.device)
            self.device_index.copy_(index.view(self.device_index.shape))
        else:
            self.device_index.random_(0, devices, generator=generator)
        self.weight.copy_(self.levels[0].expand(self.weight.shape))
        self.state.zero_()
        if self.writes is not None:
            self.writes.zero_()
        if self.category is not None and self.kind.categorical is not None:
            self.category.fill_(int(self.kind.categorical.first[0]))
        if self.stuck is not None:
            self._stick(self.stuck, generator)

    def _stick(self, stuck: Tensor, generator: torch.Generator | None) -> None:
        """Choose the stuck devices and the weight at which each is stuck."""
        faults, shape = self.kind.faults, self.weight.shape
        luck = torch.rand(shape, generator=generator, device=self.weight.device)
        stuck.copy_(luck < faults.stuck)
        if faults.stuck_at == "random":
            state = torch.randint(self.states, shape, generator=generator, device=self.weight.device)
        else:
            state = torch.full(shape, faults.stuck_at, device=self.weight.device)
        low, high = self.kind.weight_range
        rest = self._centre(self.device_index.view(-1), state.view(-1)).view(shape).clamp(low, high)
        self.weight.copy_(torch.where(stuck, rest, self.weight))
        self.state.copy_(torch.where(stuck, state.to(torch.uint8), self.state))
        if self.category is not None and self.kind.categorical is not None:
            held = self.kind.categorical.category_of(state.to(torch.int64)).to(torch.uint8)
            self.category.copy_(torch.where(stuck, held, self.category))

    def energy(self, phase: Phase | None = None) -> EnergyBreakdown:
        """Energy in J of the programming attempts counted, by cause.

        Args:
            phase: Phase that counts. Default: both.
        """
        energies = AttemptEnergies.from_device(self.kind.device)
        return energies.of_counters(self.counters, phase)

    def like(self, generator: torch.Generator, **settings: Unpack[WriteSettings]) -> SynapseArray:
        """Array of the same shape and kind, made of fresh devices.

        Args:
            generator: Generator that draws the devices.
            settings: Settings of write-verify that differ from those of this array.
        """
        write = self.kind.write.changed(**settings)
        array = SynapseArray(tuple(self.weight.shape), self.kind.device, write, generator=generator)
        return array.to(self.weight.dtype)

    def program(
        self,
        target: Int[Tensor, "*synapse"],
        where: Bool[Tensor, "*synapse"] | None = None,
        generator: torch.Generator | None = None,
        *,
        phase: Phase = Phase.TRAINING,
    ) -> None:
        """Reset and program the devices selected by ``where`` to their target states.

        Each device is attempted up to ``max_attempts`` times, until its weight is within the margin, and every attempt
        is counted. On a CPU only the selected devices are computed. On an accelerator all devices are computed and only
        the selected ones keep the result, so that no size has to be read back.

        Args:
            target: Target state of every synapse. Only those of selected devices are used.
            where: Mask of the devices to program. Default: all of them.
            generator: Random stream of the programming noise.
            phase: Phase under which the events are counted.
        """
        target = target.reshape(-1).to(torch.int64)
        mark = None if where is None else where.reshape(-1)
        if mark is not None and self.weight.device.type == "cpu":
            self._program_some(target, mark, generator, phase)
        else:
            self._program_masked(target, mark, generator, phase)

    def _program_some(
        self,
        target: Int[Tensor, " synapse"],
        mark: Bool[Tensor, " synapse"],
        generator: torch.Generator | None,
        phase: Phase,
    ) -> None:
        """Program the selected devices only."""
        index = mark.nonzero().squeeze(1)
        target = target.index_select(0, index)
        event = self._programmed(target, index, generator)
        self._count(phase, target, event)
        self.weight.view(-1).index_copy_(0, index, event.weight)
        self.state.view(-1).index_copy_(0, index, event.state)
        if self.category is not None and event.category is not None:
            self.category.view(-1).index_copy_(0, index, event.category)
        if self.writes is not None:
            self.writes.view(-1).index_add_(0, index, self.kind.attempts(event.misses))

    def _program_masked(
        self,
        target: Int[Tensor, " synapse"],
        mark: Bool[Tensor, " synapse"] | None,
        generator: torch.Generator | None,
        phase: Phase,
    ) -> None:
        """Compute all devices and keep the result for the selected ones."""
        event = self._programmed(target, None, generator)
        self._count(phase, target, event, mark)
        found = ((self.weight, event.weight), (self.state, event.state), (self.category, event.category))
        for held, value in found:
            if held is not None and value is not None:
                kept = value if mark is None else torch.where(mark, value, held.view(-1))
                held.copy_(kept.view(held.shape))
        if self.writes is not None:
            attempts = self.kind.attempts(event.misses)
            self.writes.add_((attempts if mark is None else attempts * mark).view(self.writes.shape))

    def _count(self, phase: Phase, target: Tensor, event: _Event, happened: Tensor | None = None) -> None:
        """Count events, and their pulses where states are categories."""
        self.counters.count(phase, target, event.misses, happened)
        if event.pulses is not None:
            self.counters.count_pulses(phase, event.pulses, happened)

    def draw(
        self, target: Int[Tensor, " synapse"], generator: torch.Generator | None = None
    ) -> Float[Tensor, " synapse"]:
        """Weight of every synapse after one hypothetical attempt to its state in ``target`` (int64, flat).

        Nothing is programmed or counted.
        """
        device, (low, high) = self.device_index.view(-1), self.kind.weight_range
        noise = self.kind.statistics.draw_noise(target, generator, self._origin(device))
        return noise.add_(self._centre(device, target)).clamp_(low, high)

    def _programmed(self, target: Tensor, index: Tensor | None, generator: torch.Generator | None) -> _Event:
        """The devices at flat positions ``index`` (or all) after one event each."""
        if self.category is not None:
            return self._categorised(self.category.view(-1), target, index, generator)
        flat = [x if x is None else x.view(-1) for x in (self.device_index, self.stuck, self.weight, self.state)]
        device, stuck, held, before = flat if index is None else [x if x is None else x[index] for x in flat]
        assert device is not None and held is not None and before is not None
        weight, misses = self.kind.write_verify(self._centre(device, target), target, generator, self._origin(device))
        weight, state = weight.to(held.dtype), target.to(torch.uint8)
        if stuck is not None:
            weight, misses = self.kind.hold(stuck, held, target, weight, misses)
            state = torch.where(stuck, before, state)
        return _Event(weight, state, misses)

    def _categorised(
        self, category: Tensor, target: Tensor, index: Tensor | None, generator: torch.Generator | None
    ) -> _Event:
        """As :meth:`_programmed`, where states are categories."""
        writer, stuck = self.kind.categorical, None if self.stuck is None else self.stuck.view(-1)
        assert writer is not None
        if index is not None:
            category = category.index_select(0, index)
            stuck = None if stuck is None else stuck.index_select(0, index)
        found = writer.write(category.to(torch.int64), target, self.kind.write, generator, stuck=stuck)
        weight, state = found.weight.to(self.weight.dtype), writer.state_of(found.category).to(torch.uint8)
        return _Event(weight, state, found.misses, found.category.to(torch.uint8), found.pulses)

    def _origin(self, device: Tensor) -> Int[Tensor, " event"] | None:
        """Index of the noise distribution of each device."""
        return None if self.origins is None else self.origins.index_select(0, device.to(torch.int64))

    def _centre(self, device: Tensor, target: Tensor) -> Float[Tensor, " event"]:
        """Mean weight of each device in its target state: level plus offset."""
        return torch.take(self.centres, device.to(torch.int64).mul_(self.states).add_(target))


def _precise(before: Tensor, after: Tensor) -> Tensor:
    """The converted tensor; lower precision, whose rounding moves weights across margins, is refused."""
    if not before.is_floating_point() and after.dtype != before.dtype:
        raise InputError(
            f"model.type({after.dtype}): states and numbers of devices are integers; use model.to({after.dtype})"
        )
    if before.is_floating_point() and after.dtype not in PRECISIONS:
        name = str(after.dtype).removeprefix("torch.")
        raise InputError(
            f"{name}: latent weights and devices need float32 or float64; for products in lower precision use "
            f"torch.autocast, for inference deployed(model).to(torch.{name}); model.float() restores the layers "
            "converted before this one"
        )
    return after
