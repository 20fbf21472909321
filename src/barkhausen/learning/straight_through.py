"""The straight-through estimator: compute with the device, give the gradient to the memory."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _DeviceLinear(torch.autograd.Function):
    # One function for product, scale and estimator: the gradient is made here and handed over, so that autograd
    # keeps it as it is instead of copying it.
    @staticmethod
    def forward(ctx: Any, x: Tensor, memory: Tensor, weight: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.scale = scale
        return torch.mm(x, weight.t()).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0] * ctx.scale
        to_input = torch.mm(gradient, weight) if ctx.needs_input_grad[0] else None
        to_memory = torch.mm(gradient.t(), x) if ctx.needs_input_grad[1] else None
        return to_input, to_memory, None, None


def device_linear(
    x: Float[Tensor, "*batch inputs"],
    memory: Float[Tensor, "outputs inputs"],
    weight: Float[Tensor, "outputs inputs"],
    scale: float,
) -> Float[Tensor, "*batch outputs"]:
    """Return ``scale · (x wᵀ)`` of the device weights; the gradient with respect to them goes to the memory.

    The straight-through estimator of Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, *Quantized Neural
    Networks*, JMLR 18 (2018), with what the device really holds in place of the quantised value.
    """
    out: Tensor = _DeviceLinear.apply(x.reshape(-1, x.shape[-1]), memory, weight, scale)
    return out.view(*x.shape[:-1], weight.shape[0])
