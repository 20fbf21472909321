"""Derivatives of derivatives through layers of devices are those of a layer that multiplies by a + (w - a).detach()."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.autograd.functional import hessian, hvp, vhp
from torch.func import functional_call, jacfwd, jacrev
from torch.func import hessian as func_hessian

from barkhausen.device import gaussian_device, preset
from barkhausen.learning import SynapseConv1d, SynapseConv2d, SynapseLayer, SynapseLinear, convert
from barkhausen.learning.layers.crossbar import CrossbarLayer, on_crossbar
from barkhausen.learning.layers.straight_through import Sliding, device_convolution, device_linear
from barkhausen.synapse.crossbar.chip import load_chip

pytestmark = pytest.mark.usefixtures("one_thread")

FIVE = gaussian_device(5)
CONVOLUTIONS: dict[type[SynapseLayer], Callable[..., Tensor]] = {SynapseConv1d: F.conv1d, SynapseConv2d: F.conv2d}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Reference(nn.Module):
    """A layer of torch's own operations with the parameters and devices of a synapse layer."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.latent_weight, self.bias = layer.latent_weight, layer.bias
        self.register_buffer("held", layer.synapses.weight)
        self.register_buffer("scale", layer.scale)
        self.kind = type(layer)
        self.how: dict[str, Any] = {}
        if self.kind is not SynapseLinear:
            self.how = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}
            self.mode, self.sides = layer.padding_mode, layer._ahead

    def forward(self, x: Tensor) -> Tensor:
        weight = (self.latent_weight + (self.held - self.latent_weight).detach()) * self.scale
        if self.kind is SynapseLinear:
            return F.linear(x, weight, self.bias)
        how = dict(self.how)
        if self.mode != "zeros":
            x, how["padding"] = F.pad(x, self.sides, mode=self.mode), 0
        return CONVOLUTIONS[self.kind](x, weight, self.bias, **how)


def layer_of(kind: type[SynapseLayer], *size: int, seed: int = 0, **how: Any) -> SynapseLayer:
    layer = kind(*size, FIVE, margin=0.3, scale=0.7, generator=seeded(seed), **how).double()  # type: ignore[call-arg]
    if layer.bias is not None:
        nn.init.normal_(layer.bias, generator=seeded(seed + 1))
    return layer


def nested(layer: nn.Module, x: Tensor, *, order: int = 2) -> list[Tensor]:
    """Gradients of input and parameters of a penalty on the gradients of input and parameters, and so on."""
    x = x.clone().requires_grad_()
    inputs = [x, *layer.parameters()]
    value = torch.tanh(layer(x)).square().sum() + layer(x.square()).pow(3).mean()
    found: list[Tensor] = []
    for step in range(order):
        parts = torch.autograd.grad(value, inputs, create_graph=step < order - 1, materialize_grads=True)
        found += [part.detach() for part in parts]
        if step < order - 1:
            value = sum((part * (1 + part)).sum() for part in parts)  # type: ignore[assignment]
    return found


def agree(layer: SynapseLayer, x: Tensor, *, order: int = 2) -> None:
    for got, expected in zip(nested(layer, x, order=order), nested(Reference(layer), x, order=order), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


# --- nested gradients of single layers ----------------------------------------------------------------------


@given(
    batch=st.lists(st.integers(0, 4), max_size=3),
    inputs=st.integers(1, 6),
    outputs=st.integers(1, 6),
    bias=st.booleans(),
    seed=st.integers(0, 9),
)
def test_linear_layers(batch: list[int], inputs: int, outputs: int, bias: bool, seed: int) -> None:
    layer = layer_of(SynapseLinear, inputs, outputs, bias=bias, seed=seed)
    x = torch.randn((*batch, inputs), generator=seeded(seed), dtype=torch.float64)
    agree(layer, x, order=3)


@st.composite
def geometries(draw: st.DrawFn, dimensions: int) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]:
    """Geometry of a convolution, its numbers of channels and kernel, and the shape of an input that is large enough."""

    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(dimensions))

    groups = draw(st.integers(1, 3))
    kernel, dilation = sizes(1, 3), sizes(1, 2)
    how: dict[str, Any] = {"dilation": dilation, "groups": groups, "bias": draw(st.booleans())}
    how["padding_mode"] = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    if draw(st.booleans()):
        how["padding"] = "same"
    else:
        how["stride"], how["padding"] = sizes(1, 3), sizes(0, 2)
    place = tuple(gap * (k - 1) + 3 + more for k, gap, more in zip(kernel, dilation, sizes(0, 3), strict=True))
    channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    return how | {"kernel": kernel}, channels, (*batch, channels[0], *place)


@pytest.mark.parametrize(("kind", "dimensions"), [(SynapseConv1d, 1), (SynapseConv2d, 2)])
@given(data=st.data())
def test_convolutions(kind: type[SynapseLayer], dimensions: int, data: st.DataObject) -> None:
    how, channels, shape = data.draw(geometries(dimensions))
    kernel = how.pop("kernel")
    layer = layer_of(kind, *channels, kernel, **how)
    agree(layer, torch.randn(shape, generator=seeded(2), dtype=torch.float64))


@pytest.mark.parametrize("kind", [SynapseLinear, SynapseConv2d])
def test_derivatives_are_those_of_finite_differences(kind: type[SynapseLayer]) -> None:
    """With a latent weight that is the synaptic weight itself, the layer is an ordinary one."""
    size, shape = ((3, 2), (4, 3)) if kind is SynapseLinear else ((2, 2, 2), (2, 2, 3, 4))
    layer = layer_of(kind, *size)

    def output(x: Tensor, latent_weight: Tensor, bias: Tensor) -> Tensor:
        held = latent_weight.detach()
        if kind is SynapseLinear:
            return device_linear(x, latent_weight, held, layer.scale) + bias
        sliding = Sliding((1, 2), (1, 0), (1, 1), 1)
        return device_convolution(x, latent_weight, bias, held, layer.scale, sliding)

    x = torch.randn(shape, generator=seeded(2), dtype=torch.float64, requires_grad=True)
    assert layer.bias is not None
    inputs = (x, layer.latent_weight, layer.bias)
    assert torch.autograd.gradcheck(output, inputs)
    assert torch.autograd.gradgradcheck(output, inputs)


def test_latent_weights_may_move_between_the_passes() -> None:
    """Only where the gradient goes matters; an optimiser may have stepped, as without second derivatives."""
    layer = layer_of(SynapseLinear, 3, 2)
    x = torch.randn((4, 3), generator=seeded(1), dtype=torch.float64, requires_grad=True)
    out = layer(x).square().sum()
    with torch.no_grad():
        layer.latent_weight.add_(0.1)
    (slope,) = torch.autograd.grad(out, x, create_graph=True)
    (found,) = torch.autograd.grad(slope.square().sum(), layer.latent_weight)
    same = layer_of(SynapseLinear, 3, 2)
    (slope,) = torch.autograd.grad(Reference(same)(x).square().sum(), x, create_graph=True)
    torch.testing.assert_close(found, torch.autograd.grad(slope.square().sum(), same.latent_weight)[0])


def test_an_ordinary_backward_pass_keeps_no_graph() -> None:
    layer = layer_of(SynapseLinear, 3, 2)
    layer(torch.randn((4, 3), generator=seeded(1), dtype=torch.float64)).square().sum().backward()
    assert layer.latent_weight.grad is not None
    assert layer.latent_weight.grad.grad_fn is None


# --- torch's tools on networks ------------------------------------------------------------------------------

X = torch.randn((3, 1, 4, 4), generator=seeded(1), dtype=torch.float64)
Y = torch.tensor([0, 1, 0])


def network() -> nn.Sequential:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 2))
    model = convert(plain, FIVE, 0.3, generator=seeded()).double()
    assert isinstance(model, nn.Sequential)
    return model


def reference(model: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(Reference(model[0]), nn.Tanh(), nn.Flatten(), Reference(model[3]))


def penalty(called: Callable[[Tensor], Tensor]) -> Tensor:
    x = X.clone().requires_grad_()
    loss = F.cross_entropy(called(x), Y)
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    return slope.square().sum()


def penalty_gradients(model: nn.Module, called: Callable[[Tensor], Tensor] | None = None) -> list[Tensor]:
    return list(torch.autograd.grad(penalty(called or model), list(model.parameters())))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_the_gradient_of_a_gradient_penalty(compiled: bool) -> None:
    model = network()
    called: Any = torch.compile(model, backend="eager") if compiled else model
    expected = penalty_gradients(reference(model))
    assert all(float(part.abs().max()) > 0 for part in expected)
    for got, wanted in zip(penalty_gradients(model, called), expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-14)


def test_compilers_without_second_derivatives_refuse_them() -> None:
    model = network()
    with pytest.raises(RuntimeError, match=r"double backward|requires create_graph=False"):
        penalty_gradients(model, torch.compile(model, backend="aot_eager"))


def loss_of(model: nn.Module) -> Callable[..., Tensor]:
    names = [name for name, _ in model.named_parameters()]

    def loss(*values: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(model, dict(zip(names, values, strict=True)), (X,)), Y)

    return loss


def values_of(model: nn.Module) -> tuple[Tensor, ...]:
    return tuple(parameter.detach() for parameter in model.parameters())


Derivative = Callable[[Callable[..., Tensor], tuple[Tensor, ...]], Any]
NUMBERS = (0, 1, 2, 3)
TOOLS: dict[str, Derivative] = {
    "hessian": hessian,
    "vectorised": lambda f, p: hessian(f, p, vectorize=True),
    "forward mode": lambda f, p: hessian(f, p, vectorize=True, outer_jacobian_strategy="forward-mode"),
    "hvp": lambda f, p: hvp(f, p, tuple(torch.ones_like(x) for x in p))[1],
    "vhp": lambda f, p: vhp(f, p, tuple(torch.ones_like(x) for x in p))[1],
    "func.hessian": lambda f, p: func_hessian(f, argnums=NUMBERS)(*p),
    "jacrev of jacrev": lambda f, p: jacrev(jacrev(f, argnums=NUMBERS), argnums=NUMBERS)(*p),
    "jacfwd of jacfwd": lambda f, p: jacfwd(jacfwd(f, argnums=NUMBERS), argnums=NUMBERS)(*p),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_hessians(tool: str) -> None:
    model = network()
    found = TOOLS[tool](loss_of(model), values_of(model))
    expected = TOOLS[tool](loss_of(reference(model)), values_of(model))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_forward_mode_through_a_bare_layer() -> None:
    model = network()
    tangents = [torch.randn(p.shape, generator=seeded(5), dtype=p.dtype) for p in model.parameters()]

    def slope(subject: nn.Module) -> Tensor:
        with forward_ad.dual_level():
            duals = [forward_ad.make_dual(p, t) for p, t in zip(values_of(model), tangents, strict=True)]
            inside = [name for name, _ in subject.named_parameters()]
            out = functional_call(subject, dict(zip(inside, duals, strict=True)), (X,))
            return forward_ad.unpack_dual(out).tangent

    torch.testing.assert_close(slope(model), slope(reference(model)), rtol=1e-10, atol=1e-12)


# --- layers on a chip ---------------------------------------------------------------------------------------


class ReferenceTiles(nn.Module):
    """A layer on ideal tiles in torch's own operations: its matrix, with the deviation by the wires."""

    def __init__(self, layer: CrossbarLayer) -> None:
        super().__init__()
        self.tiles = [layer]
        self.latent_weight, self.bias = layer.layer.latent_weight, layer.layer.bias

    def forward(self, x: Tensor) -> Tensor:
        layer = self.tiles[0]
        held = layer.layer.synapses.weight + layer.deviation
        weight = self.latent_weight + (held - self.latent_weight).detach()
        return F.linear(x, weight * layer.layer.scale, self.bias)


def test_layers_on_a_chip() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    model = convert(plain, preset("racetrack-5"), 0.3, generator=seeded()).double()
    x = torch.randn((20, 6), generator=seeded(1), dtype=torch.float64)
    settings = ("noise.factor=0", "adc.bits=24", "inputs.bits=32", "adc.range=full-scale", "wires.word_line=20")
    chip = load_chip(None, list(settings))
    placed = on_crossbar(model, chip, 2 * x).train()
    assert isinstance(placed, nn.Sequential)
    first, last = placed[0], placed[2]
    assert isinstance(first, CrossbarLayer)
    assert isinstance(last, CrossbarLayer)
    other = nn.Sequential(ReferenceTiles(first), nn.Tanh(), ReferenceTiles(last))

    def gradients(subject: nn.Module) -> list[Tensor]:
        points = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(subject(points).square().mean(), points, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), list(subject.parameters())))

    for got, expected in zip(gradients(placed), gradients(other), strict=True):
        assert float(expected.abs().max()) > 0
        # Converters of 24 bits round to 1e-7 of their range.
        assert float((got - expected).abs().max()) < 1e-4 * float(expected.abs().max())
