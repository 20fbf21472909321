"""What synapses of one kind have in common, and the write-verify loop that programs them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.device import CharacterisedDevice, StateDistribution
from barkhausen.errors import InputError


@dataclass(frozen=True, eq=False)
class SynapseKind:
    """Device statistics, tolerance margin and write-verify of a kind of synapse.

    Args:
        device: the characterised device.
        margin: tolerance margin in weight units; a device within it of its level is left alone.
        max_attempts: of write-verify; 1 programs once and accepts what comes.
        statistics: of its states, on the torch device where the synapses are.

    Raises:
        InputError: the margin is negative or there is no attempt.
    """

    device: CharacterisedDevice
    margin: float
    max_attempts: int
    statistics: StateDistribution
    weight_range: tuple[float, float] = field(init=False)
    """Weights of a wall at the two ends of the track."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight_range", self.device.weight_range)
        if not self.margin >= 0:
            raise InputError(f"margin = {self.margin}: must be zero or positive")
        if self.max_attempts < 1:
            raise InputError(f"max_attempts = {self.max_attempts}: at least one attempt is needed")

    def __deepcopy__(self, memo: dict[int, Any]) -> SynapseKind:
        # Nothing in it ever changes, so that copies of a network can share it.
        return self

    def same_as(self, other: SynapseKind) -> bool:
        """Whether synapses of both kinds can be programmed together."""
        return (
            self.device is other.device
            and self.margin == other.margin
            and self.max_attempts == other.max_attempts
            and self.statistics.levels.device == other.statistics.levels.device
        )

    def to(self, target: torch.device) -> SynapseKind:
        """The same kind on another torch device."""
        return replace(self, statistics=self.statistics.to(target))

    def write_verify(
        self,
        centre: Float[Tensor, " event"],
        target: Int[Tensor, " event"],
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, " event"], Int[Tensor, " event"]]:
        """Program devices until each is within the margin of its level, or ``max_attempts`` times.

        Takes the same operations whatever happens, so that nothing is read back from an accelerator.

        Args:
            centre: mean resting weight of each device in its target state (level plus offset).
            target: target states (int64).
            generator: of the noise.

        Returns:
            The weight of each device at its last attempt, and how many of its attempts missed the margin.
        """
        low, high = self.weight_range
        level = self.statistics.levels.index_select(0, target)
        weight = self.statistics.draw_noise(target, generator).add_(centre).clamp_(low, high)
        missed = (weight - level).abs_() > self.margin
        misses = missed.to(torch.int64)
        for _ in range(1, self.max_attempts):
            again = self.statistics.draw_noise(target, generator).add_(centre).clamp_(low, high)
            weight = torch.where(missed, again, weight)
            missed = (weight - level).abs_() > self.margin
            misses += missed
        return weight, misses
