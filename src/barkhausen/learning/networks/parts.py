"""Normalisation and activation between the layers of weights, both digital."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from barkhausen.learning.networks.activations import GainSigmoid, QuantisedHardtanh
from barkhausen.learning.networks.normalisation import ShiftBatchNorm

Activation = Literal["relu", "gelu", "selu", "hardtanh", "tanh", "sigmoid", "quantised", "quantised-relu", "step"]
Normalisation = Literal["batch", "shift", "none"]

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "selu": nn.SELU,
    "hardtanh": nn.Hardtanh,
    "tanh": nn.Tanh,
    "step": lambda: QuantisedHardtanh(2, 0.0, 1.0),
}


@dataclass(frozen=True)
class Parts:
    """Choice of normalisation and activation.

    Args:
        activation: ``relu``, ``gelu``, ``selu``, ``hardtanh``, ``tanh``, ``sigmoid`` (with ``gain``), ``quantised``
            (hard tanh with ``levels`` levels), ``quantised-relu`` (the same from 0 to 1) or ``step`` (0 below one half
            and 1 above, with the gradient of clipping to [0, 1]).
        normalisation: ``batch``, ``shift`` (batch normalisation by powers of two) or ``none``.
        levels: Number of levels of the quantised activation.
        gain: Factor on the input of the sigmoid.
    """

    activation: Activation = "relu"
    normalisation: Normalisation = "batch"
    levels: int = 16
    gain: float = 1.0

    @property
    def bias(self) -> bool:
        """Whether layers need a bias: a normalisation has its own."""
        return self.normalisation == "none"

    def between(self) -> nn.Module:
        """A new activation."""
        if self.activation == "sigmoid":
            return GainSigmoid(self.gain)
        low = {"quantised": -1.0, "quantised-relu": 0.0}.get(self.activation)
        return _ACTIVATIONS[self.activation]() if low is None else QuantisedHardtanh(self.levels, low)

    def norm(self, features: int, dimensions: int = 0) -> nn.Module | None:
        """A new normalisation for inputs with that many features and spatial dimensions; None for ``none``."""
        if self.normalisation == "none":
            return None
        if self.normalisation == "shift":
            return ShiftBatchNorm(features)
        return (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d)[dimensions](features)


USUAL = Parts()
"""Batch normalisation and ReLU."""
