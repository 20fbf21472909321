"""Activations of circuits: with few levels, as a converter with few bits delivers them, and sigmoids with a gain."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError


class GainSigmoid(nn.Module):
    """Logistic function of a multiple of its input: 1 / (1 + exp(−gain · x)), as of an analogue neuron.

    Args:
        gain: Slope at zero, times four.

    Raises:
        InputError: The gain is not positive.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        if not 0 < gain < float("inf"):
            raise InputError(f"gain = {gain}: must be positive and finite")
        self.gain = gain

    def forward(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """The logistic function."""
        return torch.sigmoid(self.gain * x)

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return f"gain={self.gain:g}"


class QuantisedHardtanh(nn.Module):
    """Clip to [low, high] and round to the nearest of ``levels`` evenly spaced values from low to high.

    The gradient is that of the clipping (straight-through; Hubara et al., JMLR 18, 2018). With two levels it is the
    sign function of a binary network, with ``low = 0`` a quantised ReLU.

    Args:
        levels: Number of levels, 2 or more; a converter of b bits has 2^b.
        low, high: Ends of the range.

    Raises:
        InputError: There are fewer than two levels, or the range is empty.
    """

    def __init__(self, levels: int, low: float = -1.0, high: float = 1.0) -> None:
        super().__init__()
        if levels < 2:
            raise InputError(f"levels = {levels}: an activation needs 2 or more")
        if not low < high:
            raise InputError(f"low = {low}, high = {high}: the range is empty")
        self.levels, self.low, self.high = levels, low, high

    def forward(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Clip and round."""
        clipped = x.clamp(self.low, self.high)
        step = (self.high - self.low) / (self.levels - 1)
        rounded = torch.round((clipped.detach() - self.low) / step).mul_(step).add_(self.low)
        # The second term is zero and carries the gradient, so that the values are exactly those of the levels.
        return rounded + (clipped - clipped.detach())

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return f"levels={self.levels}, low={self.low:g}, high={self.high:g}"
