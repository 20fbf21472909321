"""The window of spike-timing-dependent plasticity: change of a strength against the time between two spikes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError


@dataclass(frozen=True)
class Window:
    """Exponential window of a pair of spikes: Δs = A₊ exp(−Δt/τ) where the input spikes before the neuron, and
    −A₋ exp(−|Δt|/τ) where it spikes after it.

    Attributes:
        potentiation: A₊, as a share of the range of strengths.
        depression: A₋.
        time_constant: τ in s.
    """

    potentiation: float = 0.02
    depression: float = 0.021
    time_constant: float = 20e-3

    def __post_init__(self) -> None:
        if not (0 < self.potentiation <= 1 and 0 < self.depression <= 1):
            raise InputError(
                f"potentiation and depression must be above 0 and at most 1, got {self.potentiation:g} and "
                f"{self.depression:g}"
            )
        if not (self.time_constant > 0 and math.isfinite(self.time_constant)):
            raise InputError(f"time_constant must be positive, got {self.time_constant:g} s")

    def change(self, delay: Float[Tensor, " pair"]) -> Float[Tensor, " pair"]:
        """Mean change for a time in s from the input's spike to the neuron's; 0 counts as before."""
        size = torch.exp(-delay.abs() / self.time_constant)
        return torch.where(delay >= 0, self.potentiation * size, -self.depression * size)

    def size(self, steps: Int[Tensor, "*pair"], step: float, *, rises: bool) -> Float[Tensor, "*pair"]:
        """Size of the change for a number of time steps between the spikes; 0 for a negative one, which is no pair.

        Args:
            steps: Time steps between the spikes.
            step: Duration of a step in s.
            rises: Whether the strength rises.
        """
        size = torch.exp(steps.to(torch.float32) * (-step / self.time_constant))
        amplitude = self.potentiation if rises else self.depression
        return torch.where(steps >= 0, amplitude * size, torch.zeros_like(size))
