from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # torch's own convention
from scipy.stats import binom
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import PassCurve, ProbabilityDevice, device_of_kind
from barkhausen.learning.layers.read_stochastic import read_from, read_stochastic_layers, with_stochastic_reads
from barkhausen.learning.layers.two_moment import read_product

READS, ROWS = 2, 40_000
X = torch.tensor([1.0, 1.0, 0.0, 1.0])
P = np.array([[0.3, 0.7, 0.5, 0.15], [0.2, 0.9, 0.4, 0.6], [0.5, 0.5, 0.1, 0.8]])


def squares(y: Tensor) -> Tensor:
    return (y - torch.tensor([1.0, 0.5, 2.0])).square().sum(dim=1)


def entropy(y: Tensor) -> Tensor:
    return F.cross_entropy(y, torch.ones(len(y), dtype=torch.int64), reduction="none")


def expectation(p: np.ndarray, loss: Callable[[Tensor], Tensor]) -> float:
    """Mean loss over all outcomes of the reads, each with its probability."""
    columns = []
    for row in p:
        counts = np.ones(1)
        for probability in row[X.numpy() > 0]:
            counts = np.convolve(counts, binom.pmf(np.arange(READS + 1), READS, probability))
        columns.append(counts)
    places = list(itertools.product(range(len(columns[0])), repeat=len(columns)))
    weights = np.array([np.prod([c[k] for c, k in zip(columns, place, strict=True)]) for place in places])
    losses = loss(torch.tensor(places, dtype=torch.float32) / READS).double().numpy()
    return float(weights @ losses)


@pytest.mark.parametrize("loss", [squares, entropy])
def test_the_gradient_is_that_of_the_expectation(loss: Callable[[Tensor], Tensor]) -> None:
    numeric = np.zeros_like(P)
    for place in itertools.product(range(3), range(4)):
        up, down = P.copy(), P.copy()
        up[place] += 1e-4
        down[place] -= 1e-4
        numeric[place] = (expectation(up, loss) - expectation(down, loss)) / 2e-4
    p = torch.tensor(P, dtype=torch.float32, requires_grad=True)
    y = read_product(X.expand(ROWS, -1), p, READS, torch.Generator().manual_seed(0))
    loss(y).mean().backward()
    assert p.grad is not None
    # The mean over 40 000 draws has a standard error of about 0.005; without the second moment 0.3 would be missing.
    assert np.allclose(p.grad.numpy(), numeric, atol=0.025)


def test_the_gradient_of_the_input_is_that_of_the_expectation() -> None:
    p = torch.tensor(P, dtype=torch.float32)
    x = torch.full((ROWS, 4), 0.6, requires_grad=True)
    squares(read_product(x, p, READS, torch.Generator().manual_seed(0))).mean().backward()
    assert x.grad is not None
    smooth = torch.full((4,), 0.6, dtype=torch.float64, requires_grad=True)
    f = torch.tensor(P)
    mean, square = smooth @ f.t(), smooth.square() @ f.square().t()
    target = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    ((mean - target).square() + (mean - square) / READS).sum().backward()
    assert smooth.grad is not None
    assert torch.allclose(x.grad.sum(dim=0).double(), smooth.grad, atol=0.03)


def test_layers_have_the_mean_of_their_expectation() -> None:
    device = device_of_kind("ellis-2023", "probability")
    model = with_stochastic_reads(
        nn.Sequential(nn.Conv2d(2, 3, 3, padding="same", stride=1), nn.Flatten(), nn.Linear(48, 4)), device, 500
    )
    read_from(model, torch.Generator().manual_seed(0))
    convolution, linear = (layer for _, layer in read_stochastic_layers(model))
    with torch.no_grad():
        convolution.weight.add_(torch.randn(convolution.weight.shape, generator=torch.Generator().manual_seed(1)))
        x = (torch.rand(5, 2, 4, 4, generator=torch.Generator().manual_seed(2)) < 0.5).float()
        plain = F.conv2d(x, convolution.probability, convolution.bias, padding=1)
        assert torch.allclose(convolution.expectation(x), plain, atol=1e-5)
        drawn = torch.stack([convolution(x) for _ in range(40)]).mean(dim=0)
        # At most 18 devices of a variance of a quarter, 20 000 reads.
        assert float((drawn - plain).abs().max()) < 5 * (18 * 0.25 / 20_000) ** 0.5
        assert model(x).shape == (5, 4)
        assert linear.uses(torch.tensor([[1.0] * 24 + [0.0] * 24])).tolist() == [1.0] * 24 + [0.0] * 24
        assert float(convolution.uses(torch.ones(1, 2, 4, 4)).sum()) == 2 * (3 * 4 - 2) ** 2


def test_wires_differ_as_the_device_says() -> None:
    curve = PassCurve(2.0, 4.0, 0.9)
    device = ProbabilityDevice.from_curve(
        curve, technology="domain-wall", source="measured", drive=("field", "T", "field"), spread=0.1
    )
    model = with_stochastic_reads(nn.Linear(200, 100), device, 3, torch.Generator().manual_seed(0))
    (_, layer), *_ = read_stochastic_layers(model)
    midpoint = layer.midpoint * device.weight_unit
    assert float(midpoint.mean()) == pytest.approx(2.0, abs=0.003)
    assert float(midpoint.std()) == pytest.approx(0.1, rel=0.03)
    of_file = curve(np.array(2.3))
    with torch.no_grad():
        layer.midpoint.fill_(2.0 / device.weight_unit)
        layer.weight.fill_(2.3 / device.weight_unit)
    assert float(layer.probability.detach().mean()) == pytest.approx(float(of_file), rel=1e-5)


def test_convolutions_with_groups_are_refused() -> None:
    device = device_of_kind("ellis-2023", "probability")
    with pytest.raises(InputError, match="no groups"):
        with_stochastic_reads(nn.Sequential(nn.Conv2d(2, 2, 3, groups=2)), device, 1)
