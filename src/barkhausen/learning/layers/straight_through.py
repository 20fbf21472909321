"""Straight-through estimator: products use the synaptic weights, and the gradient goes to the latent weights.

It is that of Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, *Quantized Neural Networks*, JMLR 18 (2018), with the
weight that the device actually holds in place of the quantised value. Under autocast both products use the lower
precision, like those of float layers; the gradient of a latent weight has the precision of the latent weight.

A backward pass that is itself differentiated (``create_graph=True``, ``torch.autograd.functional.hessian``) is made of
torch's own operations on the straight-through weights, so derivatives of any order are those of a layer that multiplies
by ``w + (a - a.detach())``. In an ordinary backward pass nothing is added.

Within the transformations of ``torch.func`` (``grad``, ``vmap``, ``jacrev``, …), forward-mode differentiation and
``torch.compile`` the forward pass is made of torch's own operations too, which all of them know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor


class DeviceLinear(torch.autograd.Function):
    """Product of a linear layer."""

    # One function for product, scale and estimator: the gradient is created here, so that autograd keeps it instead of
    # copying it.
    @staticmethod
    def forward(ctx: Any, x: Tensor, latent_weight: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        """Product, with what the backward pass needs."""
        ctx.save_for_backward(x, weight, scale)
        # Not saved with the others: only where its gradient goes matters, and an optimiser may have moved it since.
        ctx.latent_weight = latent_weight
        return torch.mm(x, weight.t()).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Gradients of the input and of the latent weight."""
        x, weight, scale = ctx.saved_tensors
        if torch.is_grad_enabled():
            weight = straight_through(ctx.latent_weight, weight)
        gradient = gradients[0] * scale
        to_input = torch.mm(gradient, weight) if ctx.needs_input_grad[0] else None
        to_latent = torch.mm(gradient.t(), x).to(ctx.latent_weight.dtype) if ctx.needs_input_grad[1] else None
        return to_input, to_latent, None, None


def device_linear(
    x: Float[Tensor, "*batch inputs"],
    latent_weight: Float[Tensor, "outputs inputs"],
    weight: Float[Tensor, "outputs inputs"],
    scale: Float[Tensor, ""],
) -> Float[Tensor, "*batch outputs"]:
    """Product ``scale · (x wᵀ)`` with the synaptic weights; the latent weight gets the gradient with respect to w."""
    x, weight = lowered(x, weight)
    if _composed():
        return F.linear(x, straight_through(latent_weight, weight)) * scale
    out: Tensor = DeviceLinear.apply(x.reshape(-1, x.shape[-1]), latent_weight, weight, scale)
    return out.view(*x.shape[:-1], weight.shape[0])


@dataclass(frozen=True)
class Sliding:
    """Geometry of a convolution, as ``torch.nn.functional.conv2d`` takes it."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


class DeviceConvolution(torch.autograd.Function):
    """Product of a convolution."""

    # Kernels are small compared with images, so the scale is applied to a copy of the kernel, not to the output.
    @staticmethod
    def forward(  # noqa: PLR0917  # autograd passes them so
        ctx: Any, x: Tensor, latent_weight: Tensor, bias: Tensor | None, weight: Tensor, scale: Tensor, how: Sliding
    ) -> Tensor:
        """Product, with what the backward pass needs."""
        scaled = weight * scale
        ctx.save_for_backward(x, scaled, scale)
        ctx.how, ctx.latent_weight = how, latent_weight
        ctx.bias = None if bias is None else (list(bias.shape), bias.dtype)
        bias = None if bias is None else bias.to(x.dtype)
        return torch.convolution(x, scaled, bias, how.stride, how.padding, how.dilation, False, (0,), how.groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the input, of the latent weight and of the bias."""
        x, scaled, scale = ctx.saved_tensors
        how: Sliding = ctx.how
        shape, precision = ctx.bias or ([0], None)
        if torch.is_grad_enabled():
            scaled = straight_through(ctx.latent_weight, scaled, scale)
        wanted = [*ctx.needs_input_grad[:2], ctx.bias is not None and ctx.needs_input_grad[2]]
        to_input, to_latent, to_bias = torch.ops.aten.convolution_backward(
            gradients[0], x, scaled, shape, how.stride, how.padding, how.dilation, False, (0,) * len(how.stride),
            how.groups, wanted,
        )  # fmt: skip
        to_latent = to_latent.mul_(scale).to(ctx.latent_weight.dtype) if wanted[1] else None
        to_bias = to_bias.to(precision) if wanted[2] else None
        return to_input, to_latent, to_bias, None, None, None


def device_convolution(  # noqa: PLR0917  # all of them tensors of one product, in their usual order
    x: Float[Tensor, "*batch inputs *place"],
    latent_weight: Float[Tensor, "outputs inputs_of_a_group *kernel"],
    bias: Float[Tensor, " outputs"] | None,
    weight: Float[Tensor, "outputs inputs_of_a_group *kernel"],
    scale: Float[Tensor, ""],
    how: Sliding,
) -> Float[Tensor, "*batch outputs *out_place"]:
    """Convolution (in torch's sense: correlation) with ``scale · w``; the latent weight gets the gradient with respect
    to w."""
    x, weight = lowered(x, weight)
    single = x.dim() == weight.dim() - 1
    if _composed():
        scaled = straight_through(latent_weight, weight) * scale
        bias = None if bias is None else bias.to(x.dtype)
        parts = (how.stride, how.padding, how.dilation, False, (0,) * len(how.stride), how.groups)
        result: Tensor = torch.convolution(x[None] if single else x, scaled, bias, *parts)
        return result[0] if single else result
    out: Tensor = DeviceConvolution.apply(x[None] if single else x, latent_weight, bias, weight, scale, how)
    return out[0] if single else out


def straight_through(
    latent_weight: Float[Tensor, "outputs inputs *kernel"],
    weight: Float[Tensor, "outputs inputs *kernel"],
    factor: Float[Tensor, ""] | None = None,
) -> Float[Tensor, "outputs inputs *kernel"]:
    """The synaptic weights to the last bit; the latent weight gets the gradient with respect to them.

    Args:
        latent_weight: Latent weights.
        weight: Synaptic weights, multiplied by ``factor`` already.
        factor: Factor on the gradient. Default: 1.
    """
    # Exactly zero.
    carrier = latent_weight - latent_weight.detach()
    return weight + (carrier if factor is None else carrier * factor).to(weight.dtype)


def _composed() -> bool:
    """Whether the forward pass is to be made of torch's own operations.

    The functions above have no rules for transformations of ``torch.func`` and for forward-mode differentiation, and a
    compiler would record their backward pass as one that cannot be differentiated.
    """
    return (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or torch.autograd.forward_ad._current_level >= 0
    )


def lowered(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Input and weights in the precision of autocast; without autocast the weights get that of the input."""
    kind = x.device.type
    # As in torch: autocast does not change double precision.
    if torch.is_autocast_enabled(kind) and x.dtype != torch.float64:
        lower = torch.get_autocast_dtype(kind)
        return x.to(lower), weight.to(lower)
    return x, weight
