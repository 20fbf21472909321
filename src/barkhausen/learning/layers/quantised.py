"""Layers whose weights are quantised to two or three values in software, with a latent float weight behind each.

A layer computes with ``scale · level`` where the float layer computes with its weight w, and the gradient goes to w
unchanged (straight-through). Levels and scale follow from the weights of the layer at every forward pass:

- binary: the level is the sign of w (1 for zero), the scale the mean |w|, which minimises the squared error (Rastegari
  et al., *XNOR-Net*, ECCV 2016, eq. 6);
- ternary: the level is the sign of w where |w| exceeds 0.7 times the mean |w|, and ``middle`` elsewhere; the scale is
  the mean |w| of the former (Li, Zhang and Liu, *Ternary Weight Networks*, arXiv:1605.04711, eq. 6 and 7, where the
  middle level is zero).

A middle level other than zero is that of a device whose middle state does not have the mean conductance of the outer
two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.learning.layers.straight_through import straight_through
from barkhausen.learning.networks.float_layers import FloatLayers

Values = Literal["binary", "ternary"]
THRESHOLD = 0.7
"""Threshold of ternary weights in units of the mean |w|."""


@dataclass(frozen=True)
class Quantisation:
    """Values that the weights of a layer may have.

    Args:
        values: ``binary`` or ``ternary``.
        middle: Level of the middle value of ternary weights, in units of the outer ones.
    """

    values: Values = "binary"
    middle: float = 0.0

    @property
    def states(self) -> int:
        """Number of levels."""
        return 2 if self.values == "binary" else 3

    def large(self, weight: Float[Tensor, "*synapse"]) -> Tensor | None:
        """Mask of the ternary weights with an outer level; None where all have one."""
        if self.values == "binary":
            return None
        size = weight.abs()
        return size > THRESHOLD * size.mean()

    def quantised(self, weight: Float[Tensor, "*synapse"]) -> tuple[Tensor, Tensor]:
        """Levels of latent weights, and their scale."""
        large = self.large(weight)
        sign = torch.where(weight < 0, -1.0, 1.0).to(weight.dtype)
        if large is None:
            return sign, weight.abs().mean()
        scale = (weight.abs() * large).sum() / large.sum().clamp_min(1)
        return torch.where(large, sign, self.middle), scale

    def states_of(self, weight: Float[Tensor, "*synapse"]) -> Int[Tensor, "*synapse"]:
        """State (int64) of each weight, from the lowest level up."""
        positive = (weight >= 0).long()
        large = self.large(weight)
        return positive if large is None else torch.where(large, 2 * positive, 1)


class QuantisedLinear(nn.Linear):
    """A linear layer with quantised weights; ``weight`` is the latent weight.

    Args:
        given: Arguments of :class:`torch.nn.Linear`.
        quantisation: Values of the weights.
    """

    def __init__(self, *given: Any, quantisation: Quantisation, **how: Any) -> None:
        super().__init__(*given, **how)
        self.quantisation = quantisation

    def forward(self, input: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:  # noqa: A002
        """Compute with the quantised weights."""
        return F.linear(input, _effective(self), self.bias)

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return f"{super().extra_repr()}, {self.quantisation.values}"


class QuantisedConv2d(nn.Conv2d):
    """A convolution with quantised weights; ``weight`` is the latent weight.

    Args:
        given: Arguments of :class:`torch.nn.Conv2d`.
        quantisation: Values of the weights.
    """

    def __init__(self, *given: Any, quantisation: Quantisation, **how: Any) -> None:
        super().__init__(*given, **how)
        self.quantisation = quantisation

    def forward(self, input: Float[Tensor, "batch channel row column"]) -> Tensor:  # noqa: A002
        """Compute with the quantised weights."""
        out: Tensor = self._conv_forward(input, _effective(self), self.bias)
        return out

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return f"{super().extra_repr()}, {self.quantisation.values}"


QuantisedLayer = QuantisedLinear | QuantisedConv2d


@dataclass(frozen=True, eq=False)
class QuantisedLayers(FloatLayers):
    """Layers with quantised weights, whose latent weights are drawn like those of float layers.

    Args:
        generator: Random stream of the weights.
        quantisation: Values of the weights.
    """

    quantisation: Quantisation = field(default_factory=Quantisation)

    def linear(self, inputs: int, outputs: int, bias: bool) -> nn.Linear:
        """A linear layer."""
        plain = super().linear(inputs, outputs, bias)
        made = QuantisedLinear(inputs, outputs, bias, device="meta", quantisation=self.quantisation)
        made.weight, made.bias = plain.weight, plain.bias
        return made

    def convolution(self, inputs: int, outputs: int, kernel: int, bias: bool, pixels: int | None = None) -> nn.Conv2d:
        """A convolution that keeps the numbers of rows and columns."""
        plain = super().convolution(inputs, outputs, kernel, bias, pixels)
        made = QuantisedConv2d(
            inputs, outputs, kernel, padding="same", bias=bias, device="meta", quantisation=self.quantisation
        )
        made.weight, made.bias = plain.weight, plain.bias
        return made


def quantised_layers(model: nn.Module) -> Iterator[tuple[str, QuantisedLayer]]:
    """Name and layer of every quantised layer of a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, QuantisedLinear | QuantisedConv2d):
            yield name, module


def _effective(layer: QuantisedLayer) -> Tensor:
    """The quantised weights, whose gradient goes to the latent weights unchanged."""
    with torch.no_grad():
        level, scale = layer.quantisation.quantised(layer.weight)
        level = level.mul_(scale)
    return straight_through(layer.weight, level)
