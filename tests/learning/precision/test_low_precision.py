"""Layers at low precision: exact products, gradients of quantised operands, latent weights on their grid."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from barkhausen.data import load_dataset
from barkhausen.device import gaussian_device
from barkhausen.experiment.recipe import build_device, recipe_from
from barkhausen.experiment.training import Training
from barkhausen.learning import SynapseConv2d, SynapseLayer, SynapseLinear, convert
from barkhausen.learning.precision import Precision, quantised
from barkhausen.learning.precision.latent import LatentGrid
from barkhausen.learning.precision.layer_rms import LayerRMS
from barkhausen.learning.precision.lowered import learn_at, lower_precision

DEVICE = gaussian_device(5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def low(layer: SynapseLayer, **bits: int) -> SynapseLayer:
    lower_precision(layer, Precision(**bits))
    learn_at(layer, torch.optim.SGD(layer.parameters(), lr=0.1), Precision(**bits), seeded(7))
    return layer


def test_the_gradient_is_the_product_of_quantised_operands() -> None:
    layer = SynapseLinear(6, 4, DEVICE, margin=0.3, scale=0.7, generator=seeded())
    x = torch.randn(9, 6, generator=seeded(1), requires_grad=True)
    error = torch.randn(9, 4, generator=seeded(2))
    plain = layer(x)
    plain.backward(error)
    assert x.grad is not None
    to_input, layer.latent_weight.grad, x.grad = x.grad.clone(), None, None
    low(layer, activation_bits=2, error_bits=3)
    out = layer(x)
    out.backward(error)
    # The product and the error handed back are those of the layer at full precision.
    assert torch.equal(out, plain)
    assert torch.equal(x.grad, to_input)
    quantised_error = quantised(error * layer.scale, 3, stochastic=True, generator=seeded(7))
    expected = quantised_error.t() @ quantised(x.detach(), 2)
    assert torch.equal(layer.latent_weight.grad, expected)
    assert layer.low_precision is not None
    done = ((quantised_error != 0).sum(1) * (quantised(x.detach(), 2) != 0).sum(1)).sum()
    torch.testing.assert_close(layer.low_precision.products, torch.tensor([float(done), 9 * 24.0]).double())


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_with_many_bits_has_nearly_the_full_gradient(groups: int) -> None:
    layer = SynapseConv2d(4, 6, 3, DEVICE, margin=0.3, padding=1, groups=groups, generator=seeded())
    x = torch.randn(5, 4, 7, 7, generator=seeded(1))
    error = torch.randn(5, 6, 7, 7, generator=seeded(2))
    layer(x).backward(error)
    full, layer.latent_weight.grad = layer.latent_weight.grad, None
    assert full is not None and layer.bias is not None
    bias, layer.bias.grad = layer.bias.grad, None
    low(layer, activation_bits=16, error_bits=16)
    layer(x).backward(error)
    assert layer.latent_weight.grad is not None and bias is not None
    torch.testing.assert_close(layer.latent_weight.grad, full, rtol=2e-3, atol=2e-3 * float(full.abs().max()))
    torch.testing.assert_close(layer.bias.grad, bias)


def test_second_derivatives_of_quantised_gradients_are_refused() -> None:
    layer = low(SynapseLinear(3, 2, DEVICE, margin=0.3, generator=seeded()), error_bits=4)
    x = torch.randn(4, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.square().sum().backward()


def test_latent_weights_stay_on_their_grid_and_keep_the_mean_update() -> None:
    layer = SynapseLinear(200, 100, DEVICE, margin=0.3, generator=seeded())
    low(layer, latent_bits=6)
    start = layer.latent_weight.detach().clone()
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    grid = LatentGrid([layer], 6, seeded(3))
    grid.attach(optimizer)
    torch.testing.assert_close(start * 31, (start * 31).round(), rtol=0, atol=1e-4)
    # An update of a quarter of a step: one in four changes, by a whole step.
    layer.latent_weight.grad = torch.full_like(start, -0.25 / 31)
    optimizer.step()
    change = (layer.latent_weight.detach() - start) * 31
    torch.testing.assert_close(change, change.round(), rtol=0, atol=1e-4)
    inside = start.abs() < 30 / 31
    number = int(inside.sum())
    assert abs(float(change[inside].mean()) - 0.25) < 5 * (0.1875 / number) ** 0.5
    assert layer.low_precision is not None
    assert int(layer.low_precision.updates[0]) == int((change.round() != 0).sum())
    # Without a gradient nothing moves.
    layer.latent_weight.grad.zero_()
    before = layer.latent_weight.detach().clone()
    for _ in range(20):
        optimizer.step()
    assert torch.equal(layer.latent_weight, before)


def test_steps_in_units_of_the_root_mean_square_gradient() -> None:
    weight = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = LayerRMS([weight], lr=0.1, decay=0.9)
    first, second = torch.tensor([1.0, -2.0, 2.0]).double(), torch.tensor([0.0, 3.0, 0.0]).double()
    weight.grad = first.clone()
    optimizer.step()
    torch.testing.assert_close(weight.detach(), -0.1 * first / 3.0**0.5)
    weight.grad = second.clone()
    optimizer.step()
    mean = (0.9 * 0.1 * 3.0 + 0.1 * 3.0) / (1 - 0.81)
    torch.testing.assert_close(weight.detach(), -0.1 * first / 3.0**0.5 - 0.1 * second / mean**0.5)


def test_a_copy_of_a_model_still_learns() -> None:
    model = convert(nn.Sequential(nn.Linear(4, 3)), "gaussian-5", generator=seeded())
    lower_precision(model, Precision(activation_bits=2, error_bits=4))
    learn_at(model, torch.optim.SGD(model.parameters(), lr=0.1), Precision(activation_bits=2, error_bits=4), seeded())
    copied = copy.deepcopy(model)
    copied(torch.randn(5, 4)).sum().backward()
    assert "low_precision.products" in next(iter(copied.children())).state_dict()


def test_a_training_resumes_exactly(one_thread: None) -> None:
    values = {
        "mode": "level-change",
        "states": 5,
        "epochs": 2,
        "threads": 1,
        "dataset": {"name": "digits"},
        "network": {"hidden": [16]},
        "device": {"sigma": 0.1},
        "optimizer": {"name": "layer-rms"},
        "precision": {"latent_bits": 8, "activation_bits": 2, "error_bits": 6},
    }
    recipe = recipe_from(values, "test")
    data, device = load_dataset("digits").standardised(), build_device(recipe)
    whole = Training(recipe, data, device)
    whole.run_epoch()
    saved = copy.deepcopy(whole.state_dict())
    whole.run_epoch()
    resumed = Training(recipe, data, device)
    resumed.load_state_dict(saved)
    resumed.run_epoch()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
