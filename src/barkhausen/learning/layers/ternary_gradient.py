"""Layers whose weight gradient is computed with ternary inputs, on devices that differ by fixed factors.

The gradient of a weight is the product of an error and an input. Where inputs are reduced to −1, 0 and 1 for this
product, a crossbar needs no multiplication: the error is added, subtracted or left out. The forward pass and the
gradient of the inputs use the inputs as they are (Desai, Kaushik, Sharda, Bhowmik 2022).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import replace_modules
from barkhausen.learning.layers.sample_updates import SampleUpdates


def ternary(x: Float[Tensor, "*any"], threshold: float) -> Float[Tensor, "*any"]:
    """Inputs as −1, 0 or 1: (sign(x − threshold) + sign(x + threshold))/2."""
    return torch.sign(x - threshold).add_(torch.sign(x + threshold)).mul_(0.5)


class _Linear(torch.autograd.Function):
    """Product of a linear layer; parameters get the gradient with respect to the effective weights."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd passes them so
        ctx: Any, x: Tensor, parameter: Tensor, offset: Tensor | None, weight: Tensor, bias: Tensor | None, at: float,
        samples: SampleUpdates | None,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, weight)
        ctx.threshold, ctx.has_bias, ctx.samples = at, bias is not None, samples
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        error = gradients[0]
        to_input = error @ weight if ctx.needs_input_grad[0] else None
        rows, of_bias = error.reshape(-1, error.shape[-1]), ctx.has_bias and ctx.needs_input_grad[2]
        to_weight = to_bias = None
        if ctx.samples is not None:
            if ctx.needs_input_grad[1]:
                to_weight = ctx.samples.of_linear(error, ternary(x, ctx.threshold))
            to_bias = ctx.samples.of_bias(error) if of_bias else None
            return to_input, to_weight, to_bias, None, None, None, None
        if ctx.needs_input_grad[1]:
            to_weight = rows.t() @ ternary(x.reshape(-1, x.shape[-1]), ctx.threshold)
        to_bias = rows.sum(0) if of_bias else None
        return to_input, to_weight, to_bias, None, None, None, None


class _Convolution(torch.autograd.Function):
    """Convolution; parameters get the gradient with respect to the effective weights."""

    @staticmethod
    def forward(  # noqa: PLR0917  # autograd passes them so
        ctx: Any, x: Tensor, parameter: Tensor, offset: Tensor | None, weight: Tensor, bias: Tensor | None,
        at: float, how: tuple[Any, ...], samples: SampleUpdates | None,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, weight)
        ctx.threshold, ctx.how, ctx.sizes = at, how, None if bias is None else list(bias.shape)
        ctx.samples = samples
        return torch.convolution(x, weight, bias, *how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        error = gradients[0]
        of_input, of_weight = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        of_bias = ctx.sizes is not None and ctx.needs_input_grad[2]
        to_input = to_weight = to_bias = None
        backward = torch.ops.aten.convolution_backward
        if of_input:
            to_input = backward(error, x, weight, ctx.sizes, *ctx.how, [True, False, False])[0]
        if ctx.samples is not None:
            if of_weight:
                to_weight = ctx.samples.of_convolution(error, ternary(x, ctx.threshold), weight, ctx.how)
            to_bias = ctx.samples.of_bias(error) if of_bias else None
        elif of_weight or of_bias:
            wanted = [False, of_weight, of_bias]
            seen = ternary(x, ctx.threshold)
            _, to_weight, to_bias = backward(error, seen, weight, ctx.sizes, *ctx.how, wanted)
        return to_input, to_weight, to_bias, None, None, None, None, None


class TernaryLinear(nn.Linear):
    """Linear layer whose weight gradient has ternary inputs; made by :func:`with_ternary_gradients`."""

    weight_factor: Tensor | None
    bias_factor: Tensor | None
    threshold: float
    samples: SampleUpdates | None = None
    """What makes updates of single samples of a gradient, where the learning rule asks for them."""

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Compute with the weights times the factors of their devices."""
        weight, bias = _effective(self)
        out: Tensor = _Linear.apply(x, self.weight, self.bias, weight, bias, self.threshold, self.samples)
        return out


class TernaryConv2d(nn.Conv2d):
    """2-D convolution whose weight gradient has ternary inputs; made by :func:`with_ternary_gradients`."""

    weight_factor: Tensor | None
    bias_factor: Tensor | None
    threshold: float
    samples: SampleUpdates | None = None
    """What makes updates of single samples of a gradient, where the learning rule asks for them."""

    def forward(self, x: Float[Tensor, "batch inputs *place"]) -> Float[Tensor, "batch outputs *out_place"]:
        """Compute with the weights times the factors of their devices."""
        weight, bias = _effective(self)
        sides = self._reversed_padding_repeated_twice
        how = (self.stride, (sides[2], sides[0]), self.dilation, False, (0, 0), self.groups)
        out: Tensor = _Convolution.apply(x, self.weight, self.bias, weight, bias, self.threshold, how, self.samples)
        return out


TERNARY = (TernaryLinear, TernaryConv2d)
"""Layer classes with ternary inputs in their weight gradient."""


def with_ternary_gradients(
    model: nn.Module,
    *,
    threshold: float = 0.1,
    spread: float = 0.0,
    spread_of_convolutions: float | None = None,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """Replace linear layers and 2-D convolutions by those with ternary inputs in their weight gradient, in place.

    Parameters and names stay the same, so that an optimiser of the model keeps working.

    Args:
        model: Model of float layers.
        threshold: Inputs of a smaller size count as 0.
        spread: Standard deviation between devices: each weight and bias is multiplied by a factor from N(1, spread)
            that never changes.
        spread_of_convolutions: The same in convolutions. Default: ``spread``.
        generator: Random stream of the factors.

    Raises:
        InputError: A convolution has unequal padding on its two sides, or a padding other than zeros.
    """
    made: dict[nn.Module, nn.Module] = {}
    for name, layer in model.named_modules():
        if type(layer) is nn.Linear:
            made[layer] = _like(layer, TernaryLinear(layer.in_features, layer.out_features, device="meta"))
        elif type(layer) is nn.Conv2d:
            made[layer] = _like(layer, _convolution(name, layer))
        else:
            continue
        own = spread_of_convolutions if type(layer) is nn.Conv2d and spread_of_convolutions is not None else spread
        _spread(made[layer], threshold, own, generator)
    if model in made:
        return made[model]
    replace_modules(model, made)
    return model


def _convolution(name: str, layer: nn.Conv2d) -> TernaryConv2d:
    sides = layer._reversed_padding_repeated_twice
    if layer.padding_mode != "zeros" or sides[0] != sides[1] or sides[2] != sides[3]:
        raise InputError(f"{name or 'a convolution'}: needs padding with zeros, equal on both sides")
    return TernaryConv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,  # type: ignore[arg-type]  # of two dimensions
        layer.stride,  # type: ignore[arg-type]
        layer.padding,  # type: ignore[arg-type]
        layer.dilation,  # type: ignore[arg-type]
        layer.groups,
        device="meta",
    )


def _like(layer: nn.Linear | nn.Conv2d, made: Any) -> nn.Module:
    made.weight, made.bias = layer.weight, layer.bias
    made.training = layer.training
    plain: nn.Module = made
    return plain


def _spread(layer: Any, threshold: float, spread: float, generator: torch.Generator | None) -> None:
    layer.threshold = threshold
    for name in ("weight", "bias"):
        parameter = getattr(layer, name)
        factor = None
        if spread > 0 and parameter is not None:
            noise = torch.randn(parameter.shape, generator=generator, device=parameter.device)
            factor = noise.mul_(spread).add_(1.0)
        layer.register_buffer(f"{name}_factor", factor)


def _effective(layer: Any) -> tuple[Tensor, Tensor | None]:
    """Weights and biases times the factors of their devices."""
    weight, bias = layer.weight.detach(), layer.bias
    if layer.weight_factor is not None:
        weight = weight * layer.weight_factor
    if bias is not None:
        bias = bias.detach() if layer.bias_factor is None else bias.detach() * layer.bias_factor
    return weight, bias
