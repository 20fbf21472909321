"""Counters of programming events, kept on the torch device so that counting never waits for it."""

from __future__ import annotations

import math
from enum import IntEnum

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from barkhausen.core.limits import check_memory

COPIES = 20
"""Tables like that of an array that exist at a time: of each layer, of a chip, and of sums."""


class Phase(IntEnum):
    """Phase in which an event happened. The initial programming of every device counts too."""

    INITIAL = 0
    TRAINING = 1


class ProgrammingCounters(nn.Module):
    """Programming events of one array by phase, target state and outcome.

    ``outcomes[phase, state, n]`` counts the events that succeeded at attempt n + 1; the last column counts those that
    were still outside the margin after the last attempt. The table is a buffer on the array's torch device and is read
    back only when a report needs it.

    Args:
        states: Number of states.
        max_attempts: Largest number of attempts of one event.
        pulses: Number of pulses of a device whose states are categories, each of which is counted. Default: none.
    """

    outcomes: Tensor
    one: Tensor
    pulses: Tensor | None
    """Number of pulses, ``[phase, pulse]``. None for devices that are reset and programmed."""

    def __init__(self, states: int, max_attempts: int, pulses: int = 0) -> None:
        super().__init__()
        self.max_attempts = max_attempts
        shape = (len(Phase), states, max_attempts + 1)
        check_memory(COPIES * 8.0 * math.prod(shape), f"max_attempts = {max_attempts}: counted for {states} states")
        self.register_buffer("outcomes", torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("pulses", torch.zeros((len(Phase), pulses), dtype=torch.int64) if pulses else None)
        self.register_buffer("one", torch.ones((), dtype=torch.int64), persistent=False)

    def count(
        self,
        phase: Phase,
        state: Int[Tensor, " event"],
        misses: Int[Tensor, " event"],
        happened: Bool[Tensor, " event"] | None = None,
    ) -> None:
        """Add events.

        Args:
            phase: Phase of all events.
            state: Target state of each event.
            misses: Attempts of each event that ended outside the margin, 0 to ``max_attempts``.
            happened: Mask of the events to count. Default: all of them.
        """
        key = state * (self.max_attempts + 1) + misses
        ones = self.one.expand(key.shape) if happened is None else happened.to(torch.int64)
        self.outcomes[phase].view(-1).index_add_(0, key, ones)

    def count_pulses(
        self, phase: Phase, pulse: Int[Tensor, "*event"], happened: Bool[Tensor, "*event"] | None = None
    ) -> None:
        """Add pulses.

        Args:
            phase: Phase of all of them.
            pulse: Number of each pulse; −1 where there was none.
            happened: Mask of the pulses to count. Default: all of them.
        """
        assert self.pulses is not None
        there = pulse >= 0 if happened is None else (pulse >= 0) & happened
        self.pulses[phase].index_add_(0, pulse.clamp_min(0).reshape(-1), there.to(torch.int64).reshape(-1))

    @property
    def attempts(self) -> Int[Tensor, "phase state attempt"]:
        """Number of times that attempt n + 1 was made; ``attempts[..., 0]`` is the number of events."""
        # Attempt n + 1 was made in every event that had not succeeded before; a failed event made all attempts.
        return self.outcomes.flip(-1).cumsum(-1).flip(-1)[..., :-1]

    @property
    def failed(self) -> Int[Tensor, "phase state"]:
        """Events that ended outside the margin."""
        return self.outcomes[..., -1]

    def events(self, phase: Phase) -> Int[Tensor, " state"]:
        """Programming events by state."""
        return self.outcomes[phase].sum(dim=-1)

    def reset(self) -> None:
        """Set all counts to zero."""
        self.outcomes.zero_()
        if self.pulses is not None:
            self.pulses.zero_()
