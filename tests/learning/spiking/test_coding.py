"""Encoders, normalisation at every step, read-outs and losses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.spiking import (
    ConstantCurrent,
    Latency,
    LeakyReadOut,
    Poisson,
    StepNorm,
    count_loss,
    decoded,
    kernel,
    max_over_time_loss,
    rate_loss,
)


def test_constant_current_is_periodic() -> None:
    """Only numbers above 1 spike; all steps at once are those of a layer called step after step."""
    x, potential, spikes = torch.linspace(-0.5, 2.9, 60).view(2, 30), torch.zeros(2, 30), []
    for _ in range(50):
        potential = potential + 0.1 * (x - potential)
        spikes.append((potential > 1.0).float())
        potential = potential * (1.0 - spikes[-1])
    ours = ConstantCurrent(50)(x)
    assert torch.equal(ours, torch.stack(spikes))
    assert not ours[:, x <= 1.0].any() and ours[:, x > 1.2].any(dim=0).all()
    layer = nn.Linear(30, 7)
    together, apart = ConstantCurrent(50).through(layer, x), layer(ours)
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)
    weights = torch.randn(apart.shape)
    gradients = [torch.autograd.grad((out * weights).sum(), list(layer.parameters())) for out in (together, apart)]
    for ours_, reference in zip(*gradients, strict=True):
        torch.testing.assert_close(ours_, reference, rtol=1e-4, atol=1e-4)
    assert torch.equal(ConstantCurrent(5).through(layer, torch.zeros(2, 30))[3, 1], layer(torch.zeros(30)))


def test_poisson_rates_and_latencies() -> None:
    """Numbers of spikes within four standard deviations; the greater number fires first."""
    x = torch.tensor([[0.0, 0.25, 1.0, 3.0]])
    spikes = Poisson(20_000, rate=200.0, step=1e-3)(x, torch.Generator().manual_seed(0)).sum(0)[0]
    for count, chance in zip(spikes.tolist(), [0.0, 0.05, 0.2, 0.2], strict=True):
        assert abs(count - 20_000 * chance) <= 4 * math.sqrt(20_000 * chance * (1 - chance))
    encoder = Poisson(30, 500.0, seed=3)
    assert not torch.equal(encoder(x), encoder(x))
    for latency in (Latency(21), Latency(400, 0.1, 40.0)):
        trains = latency(torch.tensor([[0.0, 0.25, 0.5, 1.0]]))[:, 0]
        assert trains.sum(0).tolist() == [0.0, 1.0, 1.0, 1.0]
        times = trains.argmax(0)[1:].tolist()
        assert times == sorted(times, reverse=True)
    assert Latency(21)(torch.tensor([[0.25]])).flatten().argmax() == 15
    assert trains.argmax(0)[2] == round(40 * math.log(0.5 / 0.4))
    with pytest.raises(InputError, match="at most one spike a step"):
        Poisson(10, rate=2000.0)


@pytest.mark.parametrize("compiled", [True, False])
def test_step_norm_is_batch_normalisation_step_after_step(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, gradients and running statistics, in training and after it."""
    if not compiled:
        monkeypatch.setattr(kernel, "library", lambda: None)
    elif kernel.library() is None:
        pytest.skip("not built")
    x = (torch.rand(9, 20, 300) < 0.3).float().requires_grad_()
    ours, theirs = StepNorm(300), nn.BatchNorm1d(300)
    for norm in (ours, theirs):
        nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(1))
    weights, outcomes = torch.randn(x.shape), []
    for out in (ours(x), torch.stack([theirs(step) for step in x])):
        x.grad = None
        (out * weights).sum().backward()
        outcomes.append((out.detach(), x.grad))
    for pair in zip(*outcomes, strict=True):
        torch.testing.assert_close(*pair, rtol=1e-3, atol=1e-4)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    for parameter, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, reference.grad, rtol=1e-3, atol=1e-3)
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(x), torch.stack([theirs(step) for step in x]), rtol=1e-4, atol=1e-4)


def test_leaky_read_out_is_its_recursion() -> None:
    """Potentials of all steps, and what is decoded of them."""
    inputs, potential, current, steps = torch.randn(30, 4, 10), torch.zeros(4, 10), torch.zeros(4, 10), []
    for given in inputs:
        current = current + given
        potential = potential + 0.1 * (current - potential)
        current = 0.8 * current
        steps.append(potential)
    ours = LeakyReadOut()(inputs)
    torch.testing.assert_close(ours, torch.stack(steps), rtol=1e-4, atol=1e-6)
    assert torch.equal(decoded(ours, "max"), ours.max(dim=0).values)
    assert torch.equal(decoded(ours, "last"), ours[-1])


def test_losses_by_hand() -> None:
    """Two classes, three steps."""
    potentials = torch.tensor([[[0.0, 1.0]], [[2.0, 0.0]], [[1.0, 0.0]]])
    label = torch.tensor([0])
    assert float(max_over_time_loss(potentials, label)) == pytest.approx(math.log(1 + math.exp(-1.0)))
    spikes = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]], [[0.0, 0.0]]])
    assert float(rate_loss(spikes, label)) == pytest.approx(math.log(1 + math.exp(-1.0)))
    assert float(count_loss(spikes, label)) == pytest.approx(((2 / 3 - 0.8) ** 2 + (1 / 3 - 0.2) ** 2) / 2)
