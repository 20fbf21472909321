"""The networks built layer by layer: which sizes follow each other, and what stands between them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from barkhausen.device import gaussian_device
from barkhausen.learning import InSitu, SynapseLinear
from barkhausen.learning.networks.autoencoder import autoencoder
from barkhausen.learning.networks.parts import Parts
from barkhausen.learning.networks.perceptron import multilayer_perceptron


def float_linear(inputs: int, outputs: int, bias: bool) -> nn.Module:
    return nn.Linear(inputs, outputs, bias=bias)


def shapes(model: nn.Module) -> list[tuple[int, int]]:
    return [(layer.in_features, layer.out_features) for layer in model if isinstance(layer, nn.Linear)]


def test_the_decoder_mirrors_the_encoder() -> None:
    assert shapes(autoencoder([12, 7, 5, 2], float_linear)) == [(12, 7), (7, 5), (5, 2), (2, 5), (5, 7), (7, 12)]
    assert shapes(autoencoder([6, 3], float_linear)) == [(6, 3), (3, 6)]


@pytest.mark.parametrize("parts", [Parts(), Parts("hardtanh"), Parts("tanh", "none")])
def test_an_autoencoder_is_the_perceptron_of_the_mirrored_sizes(parts: Parts) -> None:
    model, same = (
        autoencoder([9, 4, 2], float_linear, parts),
        multilayer_perceptron([9, 4, 2, 4, 9], float_linear, parts),
    )
    assert [(name, repr(module)) for name, module in model.named_children()] == [
        (name, repr(module)) for name, module in same.named_children()
    ]


@pytest.mark.parametrize("parts", [Parts("relu"), Parts("hardtanh", "none")])
def test_the_output_is_not_bounded_by_an_activation(parts: Parts) -> None:
    last = list(autoencoder([4, 3, 2], float_linear, parts))[-1]
    assert isinstance(last, nn.BatchNorm1d if parts.normalisation == "batch" else nn.Linear)
    # Without a normalisation, the bias is the offset of each feature.
    assert last.bias is not None
    assert last.bias.shape == (4,)


def test_an_autoencoder_of_devices_learns_to_reconstruct() -> None:
    generator = torch.Generator().manual_seed(2)
    device = gaussian_device(5, 0.15)

    def linear(inputs: int, outputs: int, bias: bool) -> nn.Module:
        return SynapseLinear(inputs, outputs, device, margin=0.4, bias=bias, generator=generator)

    # Ten features that two numbers decide: the code is as wide as it has to be.
    decided = torch.rand(400, 2, generator=generator) - 0.5
    inputs = decided @ (torch.rand(2, 10, generator=generator) - 0.5)
    model = autoencoder([10, 8, 2], linear, Parts("tanh"))
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=1e-2), model, generator)

    def loss() -> torch.Tensor:
        return (model(inputs) - inputs).square().mean()

    for _ in range(150):
        loss().backward()
        learner.step()
        learner.zero_grad()
    assert loss() < 0.25 * inputs.var(dim=0, correction=0).mean()
