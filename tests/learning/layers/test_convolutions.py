"""Layers of devices compute what torch's own layers would compute with the same weights, gradients included."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from barkhausen.device import gaussian_device
from barkhausen.learning import SynapseConv1d, SynapseConv2d, SynapseLayer, SynapseLinear

DEVICE = gaussian_device(5)
PLAIN = {SynapseConv1d: nn.Conv1d, SynapseConv2d: nn.Conv2d, SynapseLinear: nn.Linear}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pair(kind: type[SynapseLayer], *size: int, **how: Any) -> tuple[SynapseLayer, nn.Module]:
    """A layer of devices whose bias is not zero, and torch's own with the same weights."""
    layer = kind(*size, DEVICE, margin=0.3, scale=0.7, generator=seeded(), **how)  # type: ignore[call-arg]
    plain: Any = PLAIN[kind](*size, **how)
    with torch.no_grad():
        plain.weight.copy_(layer.synapses.weight * 0.7)
        if layer.bias is not None:
            layer.bias.normal_(generator=seeded(1))
            plain.bias.copy_(layer.bias)
    return layer, plain


def passed(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Output, and the gradients of input, weights and bias for one upstream gradient."""
    x = x.clone().requires_grad_()
    out = layer(x)
    upstream = torch.randn(out.shape, generator=seeded(3)).to(out.dtype)
    out.backward(upstream)
    assert x.grad is not None
    bias = layer.bias.grad if isinstance(layer.bias, Tensor) else None
    if isinstance(layer, SynapseLayer):
        assert layer.latent_weight.grad is not None
        return out.detach(), x.grad, layer.latent_weight.grad, bias
    # d/dw of scale · w, which is what the latent weight is handed.
    return out.detach(), x.grad, layer.weight.grad * 0.7, bias


def agree(kind: type[SynapseLayer], size: tuple[int, ...], shape: tuple[int, ...], **how: Any) -> None:
    layer, plain = pair(kind, *size, **how)
    x = torch.randn(shape, generator=seeded(2))
    for got, expected in zip(passed(layer, x), passed(plain, x), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


FLAT: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"padding": 2},
    {"padding": "valid"},
    {"padding": "same"},
    {"dilation": 2},
    {"padding": "same", "dilation": 3},
    {"groups": 2},
    {"bias": False},
    {"padding": 2, "padding_mode": "reflect"},
    {"padding": 1, "padding_mode": "replicate"},
    {"padding": 2, "padding_mode": "circular"},
    {"padding": "same", "padding_mode": "circular"},
    {"stride": 3, "padding": 1, "dilation": 2, "groups": 4},
]


@pytest.mark.parametrize("how", FLAT, ids=str)
@pytest.mark.parametrize("kernel", [3, 4])
def test_one_dimensional_convolution_is_torch_s(kernel: int, how: dict[str, Any]) -> None:
    agree(SynapseConv1d, (4, 8, kernel), (3, 4, 17), **how)


SQUARE: list[dict[str, Any]] = [
    *FLAT,
    {"stride": (1, 2), "padding": (2, 0)},
    {"padding": (0, 1), "dilation": (1, 2), "padding_mode": "replicate"},
]


@pytest.mark.parametrize("how", SQUARE, ids=str)
@pytest.mark.parametrize("kernel", [3, (2, 5), (4, 2)], ids=str)
def test_two_dimensional_convolution_is_torch_s(kernel: Any, how: dict[str, Any]) -> None:
    agree(SynapseConv2d, (4, 8, kernel), (3, 4, 13, 14), **how)


@pytest.mark.parametrize("how", [{}, {"padding": "same"}, {"padding": 1, "padding_mode": "circular"}], ids=str)
def test_a_single_sample_needs_no_batch(how: dict[str, Any]) -> None:
    agree(SynapseConv1d, (4, 8, 4), (4, 9), **how)
    agree(SynapseConv2d, (4, 8, (3, 4)), (4, 9, 8), **how)
    agree(SynapseLinear, (4, 8), (4,))


@pytest.mark.parametrize("shape", [(4,), (6, 4), (2, 3, 4), (0, 4)])
def test_linear_layer_takes_any_batch(shape: tuple[int, ...]) -> None:
    agree(SynapseLinear, (4, 8), shape)


@pytest.mark.parametrize(
    ("kind", "size", "shape"),
    [
        (SynapseConv1d, (4, 8, 4), (3, 4, 9)),
        (SynapseConv2d, (4, 8, 3), (3, 4, 9, 9)),
        (SynapseLinear, (4, 8), (3, 4)),
    ],
)
def test_double_precision_is_kept_to_its_last_digits(
    kind: type[SynapseLayer], size: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    layer, plain = (module.double() for module in pair(kind, *size))
    with torch.no_grad():
        # The scale 0.7 itself was a float32 before.
        plain.weight.copy_(layer.synapses.weight * layer.scale)
    x = torch.randn(shape, generator=seeded(2), dtype=torch.float64)
    got, expected = passed(layer, x), passed(plain, x)
    ratio = float(layer.scale) / 0.7
    for number, (a, b) in enumerate(zip(got, expected, strict=True)):
        assert a.dtype == torch.float64
        torch.testing.assert_close(a, b * ratio if number == 2 else b, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("kind", "size", "shape", "how"),
    [
        (SynapseConv1d, (16, 8, 4), (3, 16, 9), {"padding": "same"}),
        (SynapseConv2d, (16, 8, 3), (3, 16, 9, 9), {"padding": 1, "padding_mode": "circular"}),
        (SynapseLinear, (64, 8), (3, 64), {}),
    ],
)
def test_autocast_lowers_the_products_and_not_the_memory(
    kind: type[SynapseLayer], size: tuple[int, ...], shape: tuple[int, ...], how: dict[str, Any]
) -> None:
    layer, plain = pair(kind, *size, **how)
    x = torch.randn(shape, generator=seeded(2), requires_grad=True)
    out = plain(x)
    upstream = torch.randn(out.shape, generator=seeded(3))
    out.backward(upstream)
    expected = out.detach(), x.grad, plain.weight.grad * 0.7, plain.bias.grad
    x.grad = None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    out.backward(upstream.bfloat16())
    assert layer.latent_weight.grad is not None
    got = out.detach().float(), x.grad, layer.latent_weight.grad, layer.bias.grad
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == torch.float32
        # Eight bits of mantissa: 2^-9 = 0.2 % for each of a few roundings.
        assert float((a - b).norm() / b.norm()) < 0.01
        assert not torch.equal(a, b)


def test_autocast_leaves_double_precision_alone_as_torch_does() -> None:
    layer, plain = (module.double() for module in pair(SynapseLinear, 4, 8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = torch.ones((1, 4), dtype=torch.float64)
        assert layer(x).dtype == plain(x).dtype == torch.float64


def test_input_of_integers_or_of_the_wrong_size_is_refused_as_torch_does() -> None:
    layer, _ = pair(SynapseConv2d, 4, 8, 3)
    for shape in ((4,), (2, 3, 9, 9), (1, 2, 4, 9, 9)):
        with pytest.raises(RuntimeError):
            layer(torch.zeros(shape))


def test_gradients_are_only_made_where_they_are_wanted() -> None:
    for kind, size, shape in ((SynapseConv2d, (4, 8, 3), (1, 4, 5, 5)), (SynapseLinear, (4, 8), (1, 4))):
        layer, _ = pair(kind, *size)
        layer.latent_weight.requires_grad_(False)
        x = torch.randn(shape, generator=seeded(2), requires_grad=True)
        layer(x).sum().backward()
        assert layer.latent_weight.grad is None
        assert x.grad is not None
        layer.latent_weight.requires_grad_()
        layer(x.detach()).sum().backward()
        assert layer.latent_weight.grad is not None


def test_wrong_geometry_is_refused_by_torch_s_own_checks() -> None:
    with pytest.raises(ValueError, match="groups"):
        SynapseConv2d(3, 8, 3, DEVICE, margin=0.3, groups=2)
    with pytest.raises(ValueError, match="padding"):
        SynapseConv2d(4, 8, 3, DEVICE, margin=0.3, stride=2, padding="same")
