"""Writing of devices whose states are categories: which pulse is applied, and what it does, depends on the old state.

The writer reads the category of a device, applies the pulse that the policy names for it and the wanted state, and
reads again, up to a number of attempts. What a pulse makes of a category is drawn from the probabilities of the device
file, so a failed attempt leaves the device where the pulse has left it, and the next one starts from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.device.categories.transitions import Transitions
from barkhausen.synapse.write_verify import WriteVerify


class Written(NamedTuple):
    """Devices after one programming event each."""

    weight: Float[Tensor, " event"]
    category: Int[Tensor, " event"]
    """Category of each device (int64)."""
    misses: Int[Tensor, " event"]
    """Attempts of each event that ended outside the margin."""
    pulses: Int[Tensor, "attempt event"]
    """Number of the pulse of each attempt; −1 where there was none."""


@dataclass(frozen=True, eq=False)
class CategoricalWriter:
    """Writer of the devices of one kind.

    Args:
        transitions: Tables of the device.
        levels: Mean weight of each state, on the torch device of the synapses.
    """

    transitions: Transitions
    levels: Float[Tensor, " state"]
    edges: Float[Tensor, "pulse category edge"] = field(init=False)
    """Cumulative probabilities of the categories after each pulse, without the last, which is 1."""
    policy: Int[Tensor, "category state"] = field(init=False)
    state: Int[Tensor, " category"] = field(init=False)
    """State of each category; for one that is none, the state nearest to what it reads as."""
    first: Int[Tensor, " state"] = field(init=False)
    """The first category of each state."""
    weight: Float[Tensor, " category"] = field(init=False)
    spread: Float[Tensor, " category"] = field(init=False)

    def __post_init__(self) -> None:
        tables, where = self.transitions, self.levels.device
        weight = torch.as_tensor(tables.weight, device=where)
        nearest = (weight[:, None] - self.levels.to(weight.dtype)).abs().argmin(1)
        state = torch.as_tensor(tables.state, device=where)
        made = {
            "edges": torch.as_tensor(tables.probability, device=where).cumsum(-1)[..., :-1].float().contiguous(),
            "policy": torch.as_tensor(tables.policy, device=where),
            "state": torch.where(state < 0, nearest, state),
            "first": torch.tensor([tables.first(number) for number in range(len(self.levels))], device=where),
            "weight": weight.to(self.levels.dtype),
            "spread": torch.as_tensor(tables.spread, device=where).to(self.levels.dtype),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def state_of(self, category: Int[Tensor, "*event"]) -> Int[Tensor, "*event"]:
        """State that each category is or reads as (int64)."""
        return self.state[category]

    def category_of(self, state: Int[Tensor, "*event"]) -> Int[Tensor, "*event"]:
        """The first category of each state (int64)."""
        return self.first[state]

    def read(
        self, category: Int[Tensor, " event"], generator: torch.Generator | None = None
    ) -> Float[Tensor, " event"]:
        """Weight that each category reads as, with the noise of one read."""
        weight = self.weight.index_select(0, category)
        if not self.transitions.spread.any():
            return weight
        noise = torch.randn(weight.shape, dtype=weight.dtype, device=weight.device, generator=generator)
        return torch.addcmul(weight, self.spread.index_select(0, category), noise)

    def write(
        self,
        category: Int[Tensor, " event"],
        target: Int[Tensor, " event"],
        write: WriteVerify,
        generator: torch.Generator | None = None,
        *,
        stuck: Bool[Tensor, " event"] | None = None,
    ) -> Written:
        """Apply pulses to devices until each reads within the margin of its level, at most ``attempts`` times.

        Args:
            category: Category of each device (int64).
            target: Wanted states (int64).
            write: Write-verify settings.
            generator: Random stream of the outcomes.
            stuck: Mask of the devices that no pulse changes.
        """
        level = self.levels.index_select(0, target)
        weight = torch.empty_like(level)
        missed = torch.ones(target.shape, dtype=torch.bool, device=target.device)
        misses = torch.zeros_like(target)
        pulses = []
        for _ in range(write.attempts):
            pulse = torch.where(missed, self._pulse(category, target), -1)
            pulses.append(pulse)
            after = self._after(category, pulse, generator)
            if stuck is not None:
                after = torch.where(stuck, category, after)
            category = torch.where(missed, after, category)
            weight = torch.where(missed, self.read(category, generator), weight)
            error = weight - level
            if write.verify_noise > 0:
                noise = torch.randn(error.shape, dtype=error.dtype, device=error.device, generator=generator)
                error = error.add(noise, alpha=write.verify_noise)
            # What has passed once is not read again.
            missed = missed & (error.abs() > write.margin)
            misses = misses + missed
        return Written(weight, category, misses, torch.stack(pulses))

    def _pulse(self, category: Tensor, target: Tensor) -> Int[Tensor, " event"]:
        return self.policy.reshape(-1).index_select(0, category * self.policy.shape[1] + target)

    def _after(self, category: Tensor, pulse: Tensor, generator: torch.Generator | None) -> Int[Tensor, " event"]:
        """Category of each device after a pulse."""
        row = pulse.clamp_min(0) * self.edges.shape[1] + category
        luck = torch.rand(category.shape, generator=generator, device=category.device)
        found = (luck[:, None] >= self.edges.flatten(0, 1).index_select(0, row)).sum(1)
        return torch.where(pulse < 0, category, found)
