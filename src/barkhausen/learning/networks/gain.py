"""A factor on the outputs of a layer or network."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Gain(nn.Module):
    """A factor on all outputs, in the digital periphery.

    Args:
        start: Factor, or the one that learning starts with.
        learnt: Whether it is learnt.
        device: Torch device.
    """

    gain: Tensor

    def __init__(self, start: float, *, learnt: bool, device: torch.device | str | None = None) -> None:
        super().__init__()
        value = torch.tensor(start, device=device)
        if learnt:
            self.gain = nn.Parameter(value)
        else:
            self.register_buffer("gain", value)

    def forward(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Scaled outputs."""
        return x * self.gain
