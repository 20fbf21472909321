"""Float layers with reproducible initial weights, from which networks are built before conversion to synapses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, eq=False)
class FloatLayers:
    """Layers whose weights are drawn with He's variance for ReLU; biases are zero.

    Args:
        generator: Random stream of the weights, in the order in which layers are made.
    """

    generator: torch.Generator

    def linear(self, inputs: int, outputs: int, bias: bool) -> nn.Linear:
        """A linear layer."""
        layer = nn.Linear(inputs, outputs, bias=bias, device=self.generator.device)
        self._draw(layer, inputs)
        return layer

    def convolution(self, inputs: int, outputs: int, kernel: int, bias: bool) -> nn.Conv2d:
        """A convolution that keeps the numbers of rows and columns."""
        layer = nn.Conv2d(inputs, outputs, kernel, padding="same", bias=bias, device=self.generator.device)
        self._draw(layer, inputs * kernel**2)
        return layer

    def _draw(self, layer: nn.Linear | nn.Conv2d, fan_in: int) -> None:
        # Torch's default initialisation would not use our generator.
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in), generator=self.generator)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
