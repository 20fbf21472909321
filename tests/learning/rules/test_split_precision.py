"""Split precision against its equations in exact fractions, its gradients against autograd, and its resumption."""

from __future__ import annotations

import copy
import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning import SplitPrecision, with_ternary_gradients
from barkhausen.learning.compiled import split
from barkhausen.learning.layers.ternary_gradient import ternary

pytestmark = pytest.mark.usefixtures("one_thread")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_hand(held: float, wanted: float, bits: int, high_bits: int, carry: bool) -> tuple[float, int]:
    """New weight and quanta of an update, in exact arithmetic; Python rounds fractions half to even."""
    fine, coarse = Fraction(2) ** bits, Fraction(2) ** high_bits
    weight = max(Fraction(-1), min(Fraction(1), Fraction(held)))
    if abs(weight) < 1 / fine - 1 / (fine * 32):
        weight = Fraction(0)
    step = max(-1 / coarse, min(1 / coarse, Fraction(held) - Fraction(wanted)))
    quanta = math.trunc(step * fine)
    high = round(weight * coarse) / coarse
    low, end = round((weight - high) * fine) - quanta, fine / coarse / 2
    low = max(-end, min(end, Fraction(low)))
    if carry and abs(low) == end:
        low += 1 if low > 0 else -1
    return float(high + low / fine), quanta


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("carry", [True, False])
@pytest.mark.parametrize(("bits", "high_bits"), [(15, 9), (8, 4)])
def test_the_update_is_that_of_the_equations(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, carry: bool, bits: int, high_bits: int
) -> None:
    if compiled and split.library() is None:
        pytest.skip("the compiled code was not built")
    if not compiled:
        monkeypatch.setattr(split, "library", lambda: None)
    generator, count = seeded(bits), 700
    held = torch.rand(count, generator=generator) * 2.2 - 1.1
    # On the grid, at odd halves of the high quantum, and near zero.
    held[:300] = (held[:300] * 2**bits).round() / 2**bits
    held[300:400] = torch.arange(-50, 50) / 2.0 ** (high_bits + 1)
    held[400:450] *= 2.0**-bits
    wanted = held - torch.randn(count, generator=generator) * 2.0**-high_bits
    expected = [
        by_hand(float(before), float(after), bits, high_bits, carry) for before, after in zip(held, wanted, strict=True)
    ]
    squares, updates = split.split_update(wanted, held, bits, high_bits, carry=carry)
    assert wanted.tolist() == [weight for weight, _ in expected]
    assert float(squares) == sum(quanta**2 for _, quanta in expected)
    assert int(updates) == sum(quanta != 0 for _, quanta in expected)


def test_a_carry_reaches_the_high_part() -> None:
    # A gradient of one sign fills the fine device; without carries the weight stays within half a coarse quantum.
    reached = {}
    for every in (5, 10**9):
        model = with_ternary_gradients(nn.Sequential(nn.Linear(1, 1, bias=False)))
        nn.init.zeros_(model[0].weight)
        learner = SplitPrecision(torch.optim.SGD(model.parameters(), lr=1.0), model, carry_every=every)
        for _ in range(200):
            model[0].weight.grad = torch.full((1, 1), -(2.0**-11))
            learner.step()
        reached[every] = model[0].weight.item()
    assert reached[10**9] == 2.0**-10
    assert reached[5] > 20 * 2.0**-10


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding="same"), nn.SELU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4))


def test_gradients_are_those_of_ternary_inputs_at_the_forward_activations() -> None:
    plain, x = network(), torch.randn((2, 1, 4, 4), generator=seeded(1))
    model = with_ternary_gradients(copy.deepcopy(plain))
    assert torch.allclose(model(x), plain(x))
    model(x).square().sum().backward()

    # By stopped gradients: the layer on ternary inputs carries the gradient, the exact value is put on top.
    def through(layer: nn.Module, seen: torch.Tensor) -> torch.Tensor:
        low = seen + (ternary(seen, 0.1) - seen).detach()
        return layer(low) + (layer(seen) - layer(low)).detach()

    hidden = through(plain[0], x)
    through(plain[4], plain[1:4](hidden)).square().sum().backward()
    for mine, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert mine.grad is not None and other.grad is not None
        assert torch.allclose(mine.grad, other.grad, atol=1e-5)


def test_ternary_inputs() -> None:
    x = torch.tensor([-2.0, -0.11, -0.09, 0.0, 0.09, 0.11, 3.0])
    assert ternary(x, 0.1).tolist() == [-1, -1, 0, 0, 0, 1, 1]


def train(model: nn.Module, learner: SplitPrecision, steps: int, seed: int) -> None:
    generator = seeded(seed)
    for _ in range(steps):
        x = torch.randn((1, 1, 4, 4), generator=generator)
        F.cross_entropy(model(x), x.flatten(1)[:, :4].argmax(dim=1)).backward()
        learner.step()
        learner.zero_grad()


def fresh(spread: float = 0.1) -> tuple[nn.Module, SplitPrecision, torch.Generator]:
    model, noise = with_ternary_gradients(network(), spread=0.2, generator=seeded(5)), seeded(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    return model, SplitPrecision(optimizer, model, noise, cycle_spread=spread, carry_every=3), noise


def test_training_resumes_exactly_with_device_and_cycle_spread() -> None:
    model, learner, noise = fresh()
    train(model, learner, 10, seed=1)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    train(model, learner, 10, seed=2)
    other, again, stream = fresh()
    other.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    stream.set_state(saved[2])
    train(other, again, 10, seed=2)
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    assert learner.energy(1.0).total == again.energy(1.0).total > 0


def test_a_copy_learns_like_the_original_and_leaves_it_alone() -> None:
    model, learner, _ = fresh(0.0)
    train(model, learner, 3, seed=1)
    both = copy.deepcopy((model, learner))
    before = copy.deepcopy(model.state_dict())
    train(*both, 5, seed=2)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    train(model, learner, 5, seed=2)
    assert all(torch.equal(value, both[0].state_dict()[key]) for key, value in model.state_dict().items())


def test_without_a_spread_weights_are_whole_quanta_and_with_one_they_are_not() -> None:
    for spread, whole in ((0.0, True), (0.3, False)):
        model, learner, _ = fresh(spread)
        train(model, learner, 8, seed=1)
        weights = torch.cat([p.detach().flatten() for p in model.parameters()]) * 2.0**15
        assert torch.equal(weights, weights.round()) == whole


def test_wrong_input_is_named() -> None:
    model = with_ternary_gradients(network())
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(InputError, match=r"bits = 9, high_bits = 9: need 1 <= high_bits < bits <= 22"):
        SplitPrecision(sgd, model, bits=9, high_bits=9)
    with pytest.raises(InputError, match="no layer with ternary gradients"):
        SplitPrecision(torch.optim.SGD(network().parameters(), lr=0.1), network())
    with pytest.raises(InputError, match="padding with zeros, equal on both sides"):
        with_ternary_gradients(nn.Sequential(nn.Conv2d(1, 1, 2, padding="same")))


def updated(seed: int, x: torch.Tensor, y: torch.Tensor, *, per_sample: bool) -> tuple[torch.Tensor, SplitPrecision]:
    """Change of all weights by one step from the same start, and the learner."""
    torch.manual_seed(seed)
    convolutions = nn.Conv2d(2, 3, 3, padding=1), nn.SELU(), nn.Conv2d(3, 4, (3, 2), stride=2)
    model = with_ternary_gradients(nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(16, 4)))
    with torch.no_grad():
        for parameter in model.parameters():
            # Coarse values, with fine devices at zero: no update is clipped to their range.
            parameter.mul_(2**6).round_().div_(2**6)
    optimizer = torch.optim.SGD(model.parameters(), lr=5e-4)
    learner = SplitPrecision(optimizer, model, per_sample=per_sample, carry_every=10**9)
    learner.steps = 1
    before = torch.cat([p.detach().flatten() for p in model.parameters()])
    F.cross_entropy(model(x), y).backward()
    learner.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()]) - before, learner


def test_a_batch_of_samples_makes_the_sum_of_their_updates() -> None:
    x, y = torch.randn((6, 2, 5, 4), generator=seeded(1)), torch.arange(6) % 4
    alone = [updated(7, x[i : i + 1], y[i : i + 1], per_sample=False) for i in range(6)]
    together, learner = updated(7, x, y, per_sample=True)
    assert together.count_nonzero() > 50
    assert torch.equal(together, torch.stack([change for change, _ in alone]).sum(0))
    assert float(learner.squares) == sum(float(each.squares) for _, each in alone) > 0
    assert int(learner.updates) == sum(int(each.updates) for _, each in alone)
    # One update for the batch is another thing: small updates of single samples are rounded away.
    assert not torch.equal(updated(7, x, y, per_sample=False)[0], together)


def short_run(rate: float, size: int, carry_every: int) -> tuple[float, float, int]:
    """Accuracy, sum of squares and number of updates of two epochs on four noisy patterns."""
    generator = seeded(1)
    y = torch.randint(4, (400,), generator=generator)
    x = 1.5 * torch.randn((4, 16), generator=generator)[y] + torch.randn((400, 16), generator=generator)
    torch.manual_seed(1)
    model = with_ternary_gradients(nn.Sequential(nn.Linear(16, 12), nn.SELU(), nn.Linear(12, 4)))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    learner = SplitPrecision(optimizer, model, carry_every=carry_every, per_sample=size > 1)
    for _ in range(2):
        for part in torch.arange(400).split(size):
            F.cross_entropy(model(x[part]), y[part]).backward()
            learner.step()
            learner.zero_grad()
    return (model(x).argmax(1) == y).float().mean().item(), float(learner.squares), int(learner.updates)


def test_batches_of_ten_learn_like_single_samples_on_a_short_run() -> None:
    alone, together = short_run(3e-4, 1, 10), short_run(3e-4, 10, 1)
    assert alone[0] > 0.6
    assert together[0] == pytest.approx(alone[0], abs=0.03)
    assert together[1:] == pytest.approx(alone[1:], rel=0.02)
    # Where updates fill the fine devices, batches lose less to the ends of their range.
    alone, together = short_run(1e-3, 1, 10), short_run(1e-3, 10, 1)
    assert alone[0] <= together[0] < alone[0] + 0.05
    assert together[1:] == pytest.approx(alone[1:], rel=0.08)


def test_updates_of_samples_need_plain_gradient_descent_and_resume() -> None:
    model = with_ternary_gradients(network())
    for optimizer in (torch.optim.Adam(model.parameters()), torch.optim.SGD(model.parameters(), 0.1, momentum=0.5)):
        with pytest.raises(InputError, match="per_sample needs plain gradient descent"):
            SplitPrecision(optimizer, model, per_sample=True)
    learner = SplitPrecision(torch.optim.SGD(model.parameters(), lr=0.1), model, per_sample=True)
    learner.load_state_dict(copy.deepcopy(learner.state_dict()))
    learner.param_groups[0]["lr"] = 0.01
    assert model[0].samples.rate == 0.01
