"""Counters of pulses and reads, kept on the torch device."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor, nn

from barkhausen.synapse.counters import Phase


class PulseCounters(nn.Module):
    """Pulses and reads of one array by phase.

    ``pulses[phase, sign]`` counts pulses up and then pulses down, ``reads[phase]`` reads of single synapses
    that a write needs; reads of a forward pass are not counted here. Where devices are refreshed or carried,
    ``upkeep_pulses[sign]`` and ``upkeep_reads`` count pulses and reads of single devices for that, and
    ``upkeep_steps`` the training steps.

    Args:
        upkeep: Whether devices are refreshed or carried.
    """

    pulses: Tensor
    reads: Tensor
    upkeep_pulses: Tensor
    upkeep_reads: Tensor
    upkeep_steps: Tensor

    def __init__(self, *, upkeep: bool = False) -> None:
        super().__init__()
        if upkeep:
            self.register_buffer("upkeep_pulses", torch.zeros(2, dtype=torch.int64))
            self.register_buffer("upkeep_reads", torch.zeros((), dtype=torch.int64))
            self.register_buffer("upkeep_steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pulses", torch.zeros((len(Phase), 2), dtype=torch.int64))
        self.register_buffer("reads", torch.zeros(len(Phase), dtype=torch.int64))

    @property
    def attempts(self) -> Int[Tensor, "phase sign 1"]:
        """Pulses, as events of one attempt each; the sign takes the place of the target state."""
        return self.pulses[..., None]

    @property
    def failed(self) -> Int[Tensor, "phase sign"]:
        """Zero: a pulse has no target that it could miss."""
        return torch.zeros_like(self.pulses)

    def events(self, phase: Phase) -> Int[Tensor, " sign"]:
        """Pulses up and pulses down."""
        return self.pulses[phase]

    def reset(self) -> None:
        """Set all counts to zero."""
        for counts in self.buffers():
            counts.zero_()
