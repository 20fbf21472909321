"""Normalisation by shifts and activations of few levels."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning import QuantisedHardtanh, ShiftBatchNorm
from barkhausen.learning.networks.normalisation import nearest_power_of_two


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_powers_of_two_are_exact_and_the_nearest(dtype: torch.dtype) -> None:
    x = torch.randn(10_000, generator=seeded()).to(dtype) * torch.logspace(-20, 20, 10_000).to(dtype)
    x = x[x != 0]
    got = nearest_power_of_two(x)
    assert got.dtype == dtype
    mantissa, _ = torch.frexp(got)
    assert torch.equal(mantissa, 0.5 * torch.sign(x))
    ratio = (got.double() / x.double()).log2()
    assert float(ratio.abs().max()) <= 0.5 + 2e-3
    assert float(ratio.abs().max()) > 0.49
    assert nearest_power_of_two(torch.tensor([0.0, 1.0, -1.0, 3.0, -5.0, 0.75])).tolist() == [0, 1, -1, 4, -4, 1]


def test_gradient_passes_through_powers_of_two() -> None:
    x = torch.tensor([-3.0, 0.0, 0.7], requires_grad=True)
    (nearest_power_of_two(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 2, 3]


def data(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """Channels of very different means and spreads."""
    x = torch.randn(shape, generator=seeded(seed))
    over = [1, -1, *[1] * (len(shape) - 2)]
    return x * torch.logspace(-2, 3, shape[1]).view(over) + torch.linspace(-5, 5, shape[1]).view(over)


@pytest.mark.parametrize(
    ("shape", "torch_s"), [((256, 20), nn.BatchNorm1d), ((32, 20, 9), nn.BatchNorm1d), ((16, 20, 5, 6), nn.BatchNorm2d)]
)
def test_shift_normalisation_is_near_batch_normalisation(shape: tuple[int, ...], torch_s: type[nn.Module]) -> None:
    x = data(shape)
    shift, usual = ShiftBatchNorm(20), torch_s(20)
    ratio = (shift(x) / usual(x)).detach()
    # With c AP2(c) between c²/sqrt(2) and sqrt(2) c², s lies within 2^(1/4) of the true deviation, and AP2(1/s) within
    # sqrt(2) of 1/s: 2^(3/4) in all, one factor for a whole channel.
    factor = ratio.transpose(0, 1).reshape(20, -1)
    middle = factor.median(dim=1).values
    assert ((factor - middle[:, None]).abs() < 2e-3 * middle[:, None]).float().mean() > 0.99
    assert float(middle.log2().abs().max()) < 0.75 + 1e-3
    # Averaged over c the first of these errors nearly goes away, so that for normal data sqrt(2) holds up to 3 %.
    assert float(middle.log2().abs().max()) < 0.5 + math.log2(1.03)
    assert float(middle.log2().abs().max()) > 0.1


def test_every_product_is_a_shift() -> None:
    x = data((64, 6))
    norm = ShiftBatchNorm(6)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.3, 1.0, -1.4, 2.0, 5.0, 0.0]))
        norm.bias.copy_(torch.arange(6.0))
    y = norm(x)
    centred = (x - x.mean(0)).double()
    factor = ((y.double() - norm.bias.double()) / centred).detach()
    for channel in range(5):
        mantissa, _ = torch.frexp(factor[:, channel].median())
        assert abs(float(mantissa)) == pytest.approx(0.5, abs=1e-3) or abs(float(mantissa)) == pytest.approx(
            1, abs=1e-3
        )
    assert torch.equal(y[:, 5], torch.full((64,), 5.0))
    # gamma = -1.4 keeps its sign, and 0.3 becomes a quarter.
    assert float(factor[:, 2].median()) < 0
    plain = ShiftBatchNorm(6)(x)
    torch.testing.assert_close(y[:, 0], 0.25 * plain[:, 0])


@pytest.mark.parametrize("momentum", [0.1, 0.5, None])
def test_running_statistics(momentum: float | None) -> None:
    shift, usual = ShiftBatchNorm(4, momentum=momentum), nn.BatchNorm1d(4, momentum=momentum)
    powers = []
    for step in range(5):
        x = data((128, 4), step)
        shift(x)
        usual(x)
        centred = x - x.mean(0)
        powers.append((centred * nearest_power_of_two(centred)).mean(0))
    torch.testing.assert_close(shift.running_mean, usual.running_mean)
    assert int(shift.num_batches_tracked) == 5
    running = torch.ones(4)
    for step, power in enumerate(powers):
        running.lerp_(power, 1 / (step + 1) if momentum is None else momentum)
    torch.testing.assert_close(shift.running_var, running)
    assert set(shift.state_dict()) == set(usual.state_dict())
    usual.load_state_dict(shift.state_dict())


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    norm = ShiftBatchNorm(4, momentum=1.0)
    x = data((512, 4))
    trained = norm(x)
    norm.eval()
    before = {key: tensor.clone() for key, tensor in norm.state_dict().items()}
    torch.testing.assert_close(norm(x), trained)
    # One sample at a time gives the same as the batch: nothing of the batch is used.
    torch.testing.assert_close(norm(x[:1]), trained[:1])
    other = data((64, 4), 5) * 10 + 100
    assert norm(other).mean().item() > 1
    assert all(torch.equal(tensor, before[key]) for key, tensor in norm.state_dict().items())
    untracked = ShiftBatchNorm(4, track_running_stats=False).eval()
    torch.testing.assert_close(untracked(x), trained)


def test_variants_of_the_layer() -> None:
    bare = ShiftBatchNorm(4, affine=False)
    assert not list(bare.parameters())
    assert bare(data((8, 4))).shape == (8, 4)
    with pytest.raises(ValueError, match="dimensions"):
        bare(torch.zeros(4))
    assert torch.isfinite(bare(torch.zeros((8, 4)))).all()


def test_gradients_are_finite_and_point_the_way_of_batch_normalisation() -> None:
    for x in (data((64, 6)), torch.zeros((8, 6)), torch.full((8, 6), 1e-30), data((2, 6))):
        x.requires_grad_()
        norm = ShiftBatchNorm(6)
        norm(x).pow(3).sum().backward()
        assert x.grad is not None
        for gradient in (x.grad, norm.weight.grad, norm.bias.grad):
            assert torch.isfinite(gradient).all()
    x = torch.randn((256, 6), generator=seeded(3))
    upstream = torch.randn((256, 6), generator=seeded(4))
    found = []
    for norm in (ShiftBatchNorm(6), nn.BatchNorm1d(6)):
        y = x.clone().requires_grad_()
        (norm(y) * upstream).sum().backward()
        found.append(y.grad)
    for channel in range(6):
        ours, usual = (gradient[:, channel] for gradient in found)
        assert float(torch.cosine_similarity(ours, usual, dim=0)) > 0.99


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("levels", "low", "high"), [(2, -1, 1), (3, -1, 1), (4, 0, 1), (16, 0, 6), (7, -0.3, 1.1)])
def test_activations_have_their_levels_and_no_others(levels: int, low: float, high: float, dtype: torch.dtype) -> None:
    x = (torch.randn(20_000, generator=seeded()) * 3).to(dtype)
    y = QuantisedHardtanh(levels, low, high)(x)
    assert y.dtype == dtype
    expected = torch.linspace(low, high, levels, dtype=torch.float64)
    # Of bfloat16, with eight bits, a few roundings of the largest value.
    close = 2.0**-7 * high if dtype == torch.bfloat16 else 1e-6
    assert len(y.unique()) == levels
    torch.testing.assert_close(y.unique().double(), expected, rtol=1e-6, atol=close)
    nearest = (x.double().clamp(low, high)[:, None] - expected).abs().amin(1)
    error = (x.double().clamp(low, high) - y.double()).abs()
    assert float((error - nearest).max()) < 2 * close


def test_rounding_once_is_rounding_twice() -> None:
    activation = QuantisedHardtanh(16, 0, 1)
    y = activation(torch.rand(5000, generator=seeded()))
    assert torch.equal(activation(y), y)


def test_gradient_is_that_of_clipping() -> None:
    x = torch.tensor([-2.0, -1.0, -0.3, 0.0, 0.9, 1.0, 1.5], requires_grad=True)
    QuantisedHardtanh(2)(x).mul(torch.arange(1.0, 8.0)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 0]
    z = x.detach().clone().requires_grad_()
    z.clamp(-1, 1).mul(torch.arange(1.0, 8.0)).sum().backward()
    assert torch.equal(x.grad, z.grad)


def test_impossible_activations_are_refused() -> None:
    with pytest.raises(InputError, match="levels = 1"):
        QuantisedHardtanh(1)
    for low, high in ((1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)):
        with pytest.raises(InputError, match="range is empty"):
            QuantisedHardtanh(3, low, high)
    assert repr(QuantisedHardtanh(4, 0, 6)) == "QuantisedHardtanh(levels=4, low=0, high=6)"
