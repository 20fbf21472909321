"""Binary and ternary layers of software, and the same layers mapped to many chips of a resistive device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import RESISTIVE, preset
from barkhausen.device.technology import technology_from
from barkhausen.learning.layers.mapped import MappedLinear
from barkhausen.learning.layers.quantised import Quantisation, QuantisedLayers
from barkhausen.learning.networks.activations import GainSigmoid
from barkhausen.synapse import WriteVerify
from barkhausen.synapse.crossbar import load_chip

IDEAL = ("wires.word_line=0", "wires.bit_line=0", "noise.factor=0", "adc.bits=20", "adc.percentile=100",
         "inputs.bits=20")  # fmt: skip


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layers(values: str, middle: float = 0.0) -> QuantisedLayers:
    return QuantisedLayers(seeded(), quantisation=Quantisation(values, middle))  # type: ignore[arg-type]


def test_binary_levels_and_scale_minimise_the_squared_error() -> None:
    weight = torch.randn(40, 30, generator=seeded())
    level, scale = Quantisation("binary").quantised(weight)
    assert torch.equal(level, weight.sign())
    best = float(scale)
    errors = [float((weight - s * level).square().sum()) for s in (0.98 * best, best, 1.02 * best)]
    assert errors[1] == min(errors)
    # Of every other choice of signs the best scale is worse.
    assert best == pytest.approx(float((weight * level).sum() / level.square().sum()))


def test_ternary_weights_are_those_beyond_seven_tenths_of_the_mean_size() -> None:
    weight = torch.tensor([[0.1, -0.1, 1.0, -1.0, 0.5, -0.4]])
    level, scale = Quantisation("ternary").quantised(weight)
    # Mean size 0.5167, threshold 0.3617.
    assert level.tolist() == [[0, 0, 1, -1, 1, -1]]
    assert float(scale) == pytest.approx((1 + 1 + 0.5 + 0.4) / 4)
    assert Quantisation("ternary").states_of(weight).tolist() == [[1, 1, 2, 0, 2, 0]]
    level, _ = Quantisation("ternary", -0.5).quantised(weight)
    assert level.tolist() == [[-0.5, -0.5, 1, -1, 1, -1]]


@pytest.mark.parametrize("values", ["binary", "ternary"])
def test_the_gradient_goes_through_to_the_latent_weights(values: str) -> None:
    layer = layers(values).linear(6, 4, True)
    x, toward = torch.randn(5, 6, generator=seeded(1)), torch.randn(5, 4, generator=seeded(2))
    (layer(x) * toward).sum().backward()
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.grad, toward.T @ x)
    filters = layers(values).convolution(2, 3, 3, False)
    filters(torch.randn(1, 2, 5, 5, generator=seeded(3))).sum().backward()
    assert filters.weight.grad is not None
    assert len(filters.weight.detach().unique()) == filters.weight.numel()


def test_a_sigmoid_with_gain_has_a_quarter_of_it_as_slope() -> None:
    x = torch.zeros(1, requires_grad=True)
    y = GainSigmoid(6.0)(x)
    y.backward()
    assert x.grad is not None
    assert (y.item(), x.grad.item()) == (0.5, 1.5)
    with pytest.raises(InputError, match="gain"):
        GainSigmoid(0.0)


@pytest.mark.parametrize("scheme", ["reference-column", "differential-pair", "two-reads"])
@pytest.mark.parametrize(("values", "device"), [("binary", "oxram-2"), ("ternary", "oxram-3")])
def test_many_ideal_chips_compute_what_software_with_the_levels_of_the_device_does(
    scheme: str, values: str, device: str
) -> None:
    made = preset(device)
    pair = scheme == "differential-pair"
    middle = float(made.distribution().levels[1]) if values == "ternary" and not pair else 0.0
    layer = layers(values, middle).linear(50, 9, True)
    x = torch.randn(40, 50, generator=seeded(1))
    mapped = MappedLinear(layer, made, load_chip(None, [*IDEAL, f"tile.scheme={scheme}", "tile.rows=16"]), x)
    mapped.hold(torch.cat(mapped.parts, dim=2).expand(3, -1, -1))
    with torch.no_grad():
        out, expected = mapped(x.repeat(3, 1)).view(3, 40, 9), layer(x)
    assert (out - expected).abs().max() < 2e-3 * expected.abs().max()


def test_errors_of_programmed_devices_are_felt_as_each_scheme_says() -> None:
    """Σ e x with an exact reference, half the errors of both devices of a pair, Σ e (x − c) with two reads."""
    _, parameters = technology_from({"technology": "resistive", "state": [
        {"resistance": 2e4, "sigma_cycle": 0.2}, {"resistance": 1e5, "sigma_cycle": 0.2}]})  # fmt: skip
    assert RESISTIVE.declare is not None
    device = RESISTIVE.declare(parameters)
    layer = layers("binary").linear(64, 50, False)
    x = torch.rand(60, 64, generator=seeded(1)) + 0.5
    found = {}
    for scheme in ("reference-column", "differential-pair", "two-reads"):
        chip = load_chip(None, [*IDEAL, f"tile.scheme={scheme}"])
        mapped = MappedLinear(layer, device, chip, x)
        mapped.program(60, WriteVerify(0.0), seeded(2))
        with torch.no_grad():
            error = (mapped(x.repeat(60, 1)).view(60, 60, 50) - layer(x)) / mapped.scale
        found[scheme] = float(error.square().mean())
    mean = torch.tensor([1e-5, 5e-5]) * torch.exp(torch.tensor(0.02))
    weight_variance = torch.expm1(torch.tensor(0.04)) * (2 * mean / (mean[1] - mean[0])).square()
    of_layer = torch.where(layer.weight > 0, weight_variance[1], weight_variance[0]).mean()
    squares = x.square().sum(1).mean()
    assert found["reference-column"] == pytest.approx(float(of_layer * squares), rel=0.08)
    assert found["differential-pair"] == pytest.approx(float(weight_variance.sum() / 4 * squares), rel=0.08)
    centred = (x - x.mean(1, keepdim=True)).square().sum(1).mean()
    assert found["two-reads"] == pytest.approx(float(of_layer * centred), rel=0.08)


def test_what_cannot_be_mapped_is_refused() -> None:
    x = torch.randn(4, 6, generator=seeded())
    linear, device = layers("binary").linear(6, 3, True), preset("oxram-2")
    with pytest.raises(InputError, match="ideal wires"):
        MappedLinear(linear, device, load_chip(None, ["noise.factor=0"]), x)
    with pytest.raises(InputError, match="without noise"):
        MappedLinear(linear, device, load_chip(None, ["wires.word_line=0", "wires.bit_line=0"]), x)
    with pytest.raises(InputError, match="binary weights have 2 levels, but the device has 3"):
        MappedLinear(linear, preset("oxram-3"), load_chip(None, IDEAL), x)
    with pytest.raises(InputError, match="not convolutions"):
        MappedLinear(layers("binary").convolution(1, 2, 3, True), device, load_chip(None, IDEAL), x)  # type: ignore[arg-type]
    assert isinstance(linear, nn.Linear)
