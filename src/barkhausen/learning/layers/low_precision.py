"""Weight gradients from operands of low precision.

The product itself, and the error that it hands to the layer before, are those of the full-precision layer: on a chip
both are computed by the crossbar. Only the outer product of errors and inputs, which the digital part computes for the
latent weights, has integer operands (as in S. Wu et al., *Training and inference with integers in deep neural
networks*, ICLR 2018, and W. Wen et al., *TernGrad*, NeurIPS 2017, whose random rounding keeps the mean).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from barkhausen.learning.layers.straight_through import DeviceConvolution, DeviceLinear, Sliding, lowered
from barkhausen.learning.precision.uniform import quantised
from barkhausen.synapse.crossbar.learning_load import FULL


class LowPrecision(nn.Module):
    """Formats of the weight gradient and the latent weight of one layer, and counts of what they save.

    Args:
        activation_bits, error_bits: Bits of the operands of the weight gradient; 32 for floating-point numbers.
        generator: Random stream of the rounding of errors. Default: torch's own.
    """

    products: Tensor
    """Multiply-adds of the weight gradient [2]: those of two numbers other than zero, and all of them."""
    updates: Tensor
    """Updates of latent weights [2]: those that changed one, and all of them."""

    def __init__(
        self, activation_bits: int = FULL, error_bits: int = FULL, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        where = "cpu" if generator is None else generator.device
        self.activation_bits, self.error_bits, self.generator = activation_bits, error_bits, generator
        for name in ("products", "updates"):
            self.register_buffer(name, torch.zeros(2, dtype=torch.float64, device=where))

    def __getstate__(self) -> dict[str, Any]:
        # Generators can be neither copied nor pickled.
        return {**super().__getstate__(), "generator": None}

    @property
    def of_gradient(self) -> bool:
        """Whether an operand of the weight gradient has fewer than 32 bits."""
        return min(self.activation_bits, self.error_bits) < FULL

    def operands(self, x: Tensor, error: Tensor, multiply_adds: int) -> tuple[Tensor, Tensor]:
        """Inputs and errors of a batch in their formats; the products that they take are counted.

        Args:
            x: Inputs, samples first.
            error: Errors, samples first.
            multiply_adds: Number of multiply-adds of one sample.
        """
        x = quantised(x, self.activation_bits)
        error = quantised(error, self.error_bits, stochastic=True, generator=self.generator)
        share = torch.stack([(part != 0).flatten(1).mean(1, dtype=torch.float64) for part in (x, error)])
        self.products[0] += share.prod(0).sum() * multiply_adds
        self.products[1] += float(len(x) * multiply_adds)
        return x, error

    def extra_repr(self) -> str:
        """Numbers of bits, as ``print(model)`` shows them."""
        return f"activation_bits={self.activation_bits}, error_bits={self.error_bits}"


class _LowLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, low: LowPrecision, *tensors: Tensor) -> Tensor:
        ctx.low = low
        return DeviceLinear.forward(ctx, *tensors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, scale = ctx.saved_tensors
        error = gradients[0] * scale
        to_input = torch.mm(error, weight) if ctx.needs_input_grad[1] else None
        to_latent = None
        if ctx.needs_input_grad[2]:
            x, error = ctx.low.operands(x, error, weight.numel())
            to_latent = torch.mm(error.t(), x).to(ctx.latent_weight.dtype)
        return None, to_input, to_latent, None, None


def low_linear(
    x: Float[Tensor, "*batch inputs"],
    latent_weight: Float[Tensor, "outputs inputs"],
    weight: Float[Tensor, "outputs inputs"],
    scale: Float[Tensor, ""],
    low: LowPrecision,
) -> Float[Tensor, "*batch outputs"]:
    """Product ``scale · (x wᵀ)``; the latent weight gets the gradient of operands in low precision."""
    x, weight = lowered(x, weight)
    out: Tensor = _LowLinear.apply(low, x.reshape(-1, x.shape[-1]), latent_weight, weight, scale)
    return out.view(*x.shape[:-1], weight.shape[0])


class _LowConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, low: LowPrecision, *parts: Any) -> Tensor:
        ctx.low = low
        return DeviceConvolution.forward(ctx, *parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, scaled, scale = ctx.saved_tensors
        how: Sliding = ctx.how
        error = gradients[0]
        shape, precision = ctx.bias or ([0], None)
        rest = (how.stride, how.padding, how.dilation, False, (0,) * len(how.stride), how.groups)
        wanted = [ctx.needs_input_grad[1], False, ctx.bias is not None and ctx.needs_input_grad[3]]
        to_input = to_latent = to_bias = None
        if any(wanted):
            to_input, _, to_bias = torch.ops.aten.convolution_backward(error, x, scaled, shape, *rest, wanted)
            to_bias = to_bias.to(precision) if wanted[2] else None
        if ctx.needs_input_grad[2]:
            places = error[0, 0].numel()
            x, error = ctx.low.operands(x, error, scaled.numel() * places)
            _, to_latent, _ = torch.ops.aten.convolution_backward(error, x, scaled, [0], *rest, [False, True, False])
            to_latent = to_latent.mul_(scale).to(ctx.latent_weight.dtype)
        return None, to_input, to_latent, to_bias, None, None, None


def low_convolution(  # noqa: PLR0917  # all of them tensors of one product, in their usual order
    x: Float[Tensor, "*batch inputs *place"],
    latent_weight: Float[Tensor, "outputs inputs_of_a_group *kernel"],
    bias: Float[Tensor, " outputs"] | None,
    weight: Float[Tensor, "outputs inputs_of_a_group *kernel"],
    scale: Float[Tensor, ""],
    how: Sliding,
    low: LowPrecision,
) -> Float[Tensor, "*batch outputs *out_place"]:
    """Convolution with ``scale · w``; the latent weight gets the gradient of operands in low precision."""
    x, weight = lowered(x, weight)
    single = x.dim() == weight.dim() - 1
    out: Tensor = _LowConvolution.apply(low, x[None] if single else x, latent_weight, bias, weight, scale, how)
    return out[0] if single else out
