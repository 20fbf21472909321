"""Surrogate gradients: what replaces the derivative of a spike, which is zero nearly everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from barkhausen.core.errors import InputError

Shape = Literal["superspike", "arctangent", "triangle", "box"]

SHAPES: tuple[Shape, ...] = get_args(Shape)
"""In the order in which the compiled code numbers them."""


@dataclass(frozen=True)
class Surrogate:
    """Derivative of a spike with respect to the distance u of the state from the threshold.

    ``superspike``: a / (1 + s |u|)² (Zenke and Ganguli, Neural Computation 30, 1514 (2018)); ``arctangent``:
    a / (1 + (s u)²); ``triangle``: a max(0, 1 − s |u|) (Bellec et al., NeurIPS 2018); ``box``: a where s |u| < 1.

    Attributes:
        shape: Form of the curve.
        slope: s, in the inverse unit of the state.
        amplitude: a, its value at the threshold.
    """

    shape: Shape = "superspike"
    slope: float = 100.0
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise InputError(f"surrogate shape = {self.shape!r}: must be one of {', '.join(SHAPES)}")
        if not (self.slope > 0 and self.amplitude > 0):
            raise InputError(f"surrogate: slope and amplitude must be positive, got {self.slope} and {self.amplitude}")

    def derivative(self, distance: Tensor) -> Tensor:
        """Values of the curve."""
        if self.shape == "superspike":
            return self.amplitude / (self.slope * distance.abs() + 1.0).square()
        if self.shape == "arctangent":
            return self.amplitude / (1.0 + (self.slope * distance).square())
        if self.shape == "triangle":
            return self.amplitude * (1.0 - self.slope * distance.abs()).clamp(min=0.0)
        return self.amplitude * (self.slope * distance.abs() < 1.0).to(distance.dtype)

    def in_units_of(self, unit: float) -> Surrogate:
        """The curve of the same state measured in units of ``unit``."""
        return Surrogate(self.shape, self.slope * unit, self.amplitude * unit)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, distance: Tensor, curve: Surrogate) -> Tensor:
        ctx.save_for_backward(distance)
        ctx.curve = curve
        return (distance > 0).to(distance.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (distance,) = ctx.saved_tensors
        return gradients[0] * ctx.curve.derivative(distance), None


def spike(distance: Tensor, curve: Surrogate) -> Tensor:
    """1 where a state is above its threshold and 0 elsewhere, with a surrogate gradient.

    Args:
        distance: State minus threshold.
        curve: Surrogate gradient.
    """
    spikes: Tensor = _Spike.apply(distance, curve)
    return spikes
