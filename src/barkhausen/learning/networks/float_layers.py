"""Float layers with reproducible initial weights, from which networks are built before conversion to synapses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import nn

from barkhausen.core.limits import check_memory

Recurrent = TypeVar("Recurrent", bound=nn.RNNBase)

BYTES_OF_A_WEIGHT = 40
"""Memory of a synapse in training: latent and programmed weight, gradient, two moments, states and counts."""

BYTES_OF_A_VALUE = 16
"""Memory of a value between layers in training: before and after normalisation and activation, and the gradient."""


@dataclass
class Footprint:
    """Sizes of the layers made so far.

    Attributes:
        weights: Number of weights.
        values: Number of values that linear layers, and convolutions of known size, leave for each sample.
        values_of_a_pixel: Number of values that convolutions take and leave for each pixel of a sample.
    """

    weights: int = 0
    values: int = 0
    values_of_a_pixel: int = 0

    def values_of(self, pixels: int) -> int:
        """Number of values that a sample of so many pixels leaves, at most: pooling makes them fewer."""
        return self.values + self.values_of_a_pixel * pixels

    def add(self, weights: int) -> None:
        """Add weights before they are made.

        Raises:
            InputError: The network would take too much memory.
        """
        self.weights += weights
        check_memory(BYTES_OF_A_WEIGHT * float(self.weights), f"network: a layer that makes {self.weights:.3g} weights")


@dataclass(frozen=True, eq=False)
class FloatLayers:
    """Layers whose weights are drawn with He's variance for ReLU and whose biases are zero; recurrent ones as in torch.

    Args:
        generator: Random stream of the weights, in the order in which layers are made.
    """

    generator: torch.Generator
    footprint: Footprint = field(default_factory=Footprint)

    def linear(self, inputs: int, outputs: int, bias: bool) -> nn.Linear:
        """A linear layer."""
        self.footprint.add(inputs * outputs)
        self.footprint.values += outputs
        layer = nn.Linear(inputs, outputs, bias=bias, device=self.generator.device)
        self._draw(layer, inputs)
        return layer

    def convolution(self, inputs: int, outputs: int, kernel: int, bias: bool, pixels: int | None = None) -> nn.Conv2d:
        """A convolution that keeps the numbers of rows and columns.

        Args:
            inputs, outputs: Channels.
            kernel: Rows and columns of the kernel.
            bias: Whether it has one.
            pixels: Pixels of its output, for the memory that it takes. Default: those of the images, and its inputs are
                taken to be copied for each position of the kernel.
        """
        self.footprint.add(inputs * outputs * kernel**2)
        if pixels is None:
            self.footprint.values_of_a_pixel += outputs + inputs * kernel**2
        else:
            self.footprint.values += outputs * pixels
        layer = nn.Conv2d(inputs, outputs, kernel, padding="same", bias=bias, device=self.generator.device)
        self._draw(layer, inputs * kernel**2)
        return layer

    def recurrent(
        self, kind: Callable[..., Recurrent], inputs: int, hidden: int, steps: int, *, bidirectional: bool = False
    ) -> Recurrent:
        """A recurrent layer, batch first, with torch's uniform distribution of weights and biases.

        Args:
            kind: ``torch.nn.LSTM`` or ``torch.nn.GRU``.
            inputs, hidden: Sizes.
            steps: Steps of a sequence.
            bidirectional: Whether it goes through the steps backwards too.
        """
        directions = 2 if bidirectional else 1
        # Four gates at most.
        self.footprint.add(4 * directions * hidden * (inputs + hidden))
        self.footprint.values += 8 * directions * hidden * steps
        layer = kind(inputs, hidden, batch_first=True, bidirectional=bidirectional, device=self.generator.device)
        bound = 1 / math.sqrt(hidden)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=self.generator)
        return layer

    def _draw(self, layer: nn.Linear | nn.Conv2d, fan_in: int) -> None:
        # Torch's default initialisation would not use our generator.
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in), generator=self.generator)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
