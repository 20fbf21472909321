"""The straight-through estimator between the device and the memory."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, memory: Tensor, weight: Tensor) -> Tensor:
        return weight.view_as(weight)

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[0], None


def straight_through(
    memory: Float[Tensor, "*synapse"], weight: Float[Tensor, "*synapse"]
) -> Float[Tensor, "*synapse"]:
    """Return the device weight; its gradient goes to the memory unchanged.

    The estimator of Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, *Quantized Neural Networks*, JMLR 18
    (2018), with what the device really holds in place of the quantised value. Costs no arithmetic.
    """
    result: Tensor = _StraightThrough.apply(memory, weight)
    return result
