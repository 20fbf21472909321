"""Kinds of synapse: the settings that synapses share, and the write-verify loop that programs them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, StateDistribution
from barkhausen.device.identity import statistics_hash
from barkhausen.synapse.categorical import CategoricalWriter
from barkhausen.synapse.counters import ProgrammingCounters
from barkhausen.synapse.write_verify import WriteVerify, WrittenKind


@dataclass(frozen=True, eq=False)
class SynapseKind(WrittenKind):
    """Device statistics, tolerance margin and write-verify of a kind of synapse.

    Args:
        device: Characterised device.
        write: Write-verify settings.
        statistics: Statistics of its states, on the torch device where the synapses are.

    Raises:
        InputError: The device cannot have the faults.
    """

    device: CharacterisedDevice
    write: WriteVerify
    statistics: StateDistribution
    weight_range: tuple[float, float] = field(init=False)
    """Weights at the two ends of the device's range."""
    lost: Float[Tensor, " state"] | None = field(init=False)
    """Probability that an attempt to each state annihilates the wall and leaves the device at an end of its range."""
    categorical: CategoricalWriter | None = field(init=False)
    """Writer of a device whose states are categories. None for one that is reset before it is programmed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight_range", self.device.weight_range)
        self.write.faults.check(self.device.states)
        object.__setattr__(self, "lost", self.write.faults.lost(self.device, self.statistics.levels.device))
        tables = self.device.transitions
        if tables is not None and self.lost is not None:
            raise InputError(
                f"faults.annihilated_walls = {self.write.faults.annihilated_walls!r}: must be 0 for a device whose "
                "states are categories; the failures of its pulses are in its transitions"
            )
        writer = None if tables is None else CategoricalWriter(tables, self.statistics.levels)
        object.__setattr__(self, "categorical", writer)

    def same_as(self, other: SynapseKind) -> bool:
        """Whether synapses of both kinds can be programmed together."""
        return (
            self.device is other.device
            and self.write == other.write
            and self.statistics.levels.device == other.statistics.levels.device
        )

    def to(self, target: torch.device) -> SynapseKind:
        """The same kind on another torch device."""
        return replace(self, statistics=self.statistics.to(target))

    def with_margin(self, margin: float) -> SynapseKind:
        """The same kind with another tolerance margin."""
        # Everything derived from the device is kept, since a schedule may change the margin at every step.
        other = copy.copy(self)
        object.__setattr__(other, "write", self.write.changed(margin=margin))
        return other

    @cached_property
    def sigmas(self) -> Float[Tensor, "part state"]:
        """Device-to-device and cycle-to-cycle sigma of each state in weight units (float64, on the CPU)."""
        mean, device, cycle = self.device.moments
        return torch.from_numpy(np.stack([device, cycle]) * (2.0 / (mean[-1] - mean[0])))

    @cached_property
    def statistics_hash(self) -> bytes:
        """Hash of the device statistics."""
        return statistics_hash(self.device)

    @property
    def count_writes(self) -> bool:
        """Whether every synapse counts the attempts made on it."""
        return self.write.count_writes

    def new_counters(self) -> ProgrammingCounters:
        """Counters of an array of this kind, at zero, on the CPU."""
        pulses = 0 if self.categorical is None else self.categorical.transitions.pulses
        return ProgrammingCounters(self.device.states, self.max_attempts, pulses)

    def write_verify(
        self,
        centre: Float[Tensor, " event"],
        target: Int[Tensor, " event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, " event"] | None = None,
    ) -> tuple[Float[Tensor, " event"], Int[Tensor, " event"]]:
        """Program devices until each reads within the margin of its level, at most ``max_attempts`` times.

        With ``verify_noise`` the read after each attempt has a normally distributed error. The operations do not
        depend on the outcome, so nothing has to be read back from an accelerator.

        Args:
            centre: Mean weight of each device in its target state (level plus offset).
            target: Target states (int64).
            generator: Random stream of the programming noise.
            origin: Index of the noise distribution of each device, where devices differ in it.

        Returns:
            Weight of each device after its last attempt, and the number of its attempts that missed the margin.
        """
        level = self.statistics.levels.index_select(0, target)
        weight = self._attempt(centre, target, generator, origin)
        missed = self._missed(weight, level, generator)
        misses = missed.to(torch.int64)
        for _ in range(1, self.max_attempts):
            weight = torch.where(missed, self._attempt(centre, target, generator, origin), weight)
            # What has passed once is not read again.
            missed &= self._missed(weight, level, generator)
            misses += missed
        return weight, misses

    def _missed(self, weight: Tensor, level: Tensor, generator: torch.Generator | None) -> Bool[Tensor, " event"]:
        """Devices that read outside the margin of their level."""
        error = weight - level
        if self.write.verify_noise > 0:
            noise = torch.randn(error.shape, dtype=error.dtype, device=error.device, generator=generator)
            error.add_(noise, alpha=self.write.verify_noise)
        return error.abs_() > self.margin

    def _attempt(
        self, centre: Tensor, target: Tensor, generator: torch.Generator | None, origin: Tensor | None
    ) -> Float[Tensor, " event"]:
        low, high = self.weight_range
        weight = self.statistics.draw_noise(target, generator, origin).add_(centre).clamp_(low, high)
        if self.lost is None:
            return weight
        rate = self.lost.index_select(0, target)
        luck = torch.rand(rate.shape, generator=generator, device=rate.device)
        end = torch.where(luck < 0.5 * rate, low, high).to(weight.dtype)
        return torch.where(luck < rate, end, weight)

    def hold(
        self,
        stuck: Bool[Tensor, " event"],
        held: Float[Tensor, " event"],
        target: Int[Tensor, " event"],
        weight: Float[Tensor, " event"],
        misses: Int[Tensor, " event"],
    ) -> tuple[Float[Tensor, " event"], Int[Tensor, " event"]]:
        """Result of :meth:`write_verify` with stuck devices taken into account.

        Args:
            stuck: Mask of the stuck devices.
            held: Weight of each device before the event, which a stuck device keeps.
            target: Target states (int64).
            weight, misses: Results of :meth:`write_verify`.
        """
        outside = (held - self.statistics.levels.index_select(0, target)).abs_() > self.margin
        return torch.where(stuck, held, weight), torch.where(stuck, outside * self.max_attempts, misses)

    def attempts(self, misses: Int[Tensor, " event"]) -> Int[Tensor, " event"]:
        """Number of attempts made on each device (int32)."""
        return (misses + 1).clamp_(max=self.max_attempts).to(torch.int32)
