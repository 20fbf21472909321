"""Counting programming events where they happen, without asking the device to stop."""

from __future__ import annotations

from enum import IntEnum

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn


class Phase(IntEnum):
    """When an event happened; the initial programming of every device counts too."""

    INITIAL = 0
    TRAINING = 1


class ProgrammingCounters(nn.Module):
    """Programming events of one array by phase, target state and attempt.

    The tables are buffers and live on the array's torch device; nothing is read back until a report asks.

    ``attempts[phase, state, n]``: how often attempt n + 1 was made to program a device to that state, so
    ``attempts[..., 0]`` is the number of events. ``failed[phase, state]``: events that ended outside the margin.
    """

    attempts: Tensor
    failed: Tensor

    def __init__(self, states: int, max_attempts: int) -> None:
        super().__init__()
        self.register_buffer("attempts", torch.zeros((len(Phase), states, max_attempts), dtype=torch.int64))
        self.register_buffer("failed", torch.zeros((len(Phase), states), dtype=torch.int64))

    def count_attempt(
        self, phase: Phase, attempt: int, state: Int[Tensor, "event"], made: Bool[Tensor, "event"] | None
    ) -> None:
        """Add one attempt for each event, or for those marked in ``made``."""
        self._add(self.attempts[phase, :, attempt], state, made)

    def count_failures(self, phase: Phase, state: Int[Tensor, "event"], missed: Bool[Tensor, "event"]) -> None:
        """Add the events that ended outside the margin."""
        self._add(self.failed[phase], state, missed)

    @staticmethod
    def _add(row: Tensor, state: Tensor, marked: Tensor | None) -> None:
        ones = torch.ones_like(state) if marked is None else marked.to(torch.int64)
        row.index_add_(0, state, ones)

    def events(self, phase: Phase) -> Int[Tensor, "state"]:
        """Programming events by state."""
        return self.attempts[phase, :, 0]

    def reset(self) -> None:
        """Forget everything counted."""
        self.attempts.zero_()
        self.failed.zero_()
