"""Converters: values by hand, many bits against none, gradients, calibration."""

from __future__ import annotations

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.converters import (
    calibrated_limit,
    combine_planes,
    converter_range,
    full_scale_limit,
    greatest_code,
    input_planes,
    quantise_inputs,
    quantise_outputs,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    """On [−1, 1], in double precision."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def test_inputs_are_rounded_to_the_codes_of_the_converter() -> None:
    # Three bits with a sign: −3 to 3, steps of 0.5 up to 1.5.
    x = torch.tensor([-2.0, -1.5, -0.8, -0.2, 0.0, 0.24, 0.26, 9.0])
    assert quantise_inputs(x, 3, 1.5).tolist() == [-1.5, -1.5, -1.0, 0.0, 0.0, 0.0, 0.5, 1.5]
    # Without a sign: 0 to 3, steps of 0.5.
    assert quantise_inputs(x, 2, 1.5, signed=False).tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.5]
    assert quantise_inputs(x, 1, 1.5).tolist() == [-1.5] * 4 + [1.5] * 4
    assert [greatest_code(8), greatest_code(1), greatest_code(8, signed=False)] == [127, 1, 255]


def test_many_bits_are_no_converter() -> None:
    x = uniform(50, 3)
    assert torch.allclose(quantise_inputs(x, 32, 1.0), x, rtol=0, atol=3e-10)
    assert torch.allclose(quantise_outputs(x, 32, -1.0, 1.0), x, rtol=0, atol=3e-10)
    # Every further bit halves the error.
    errors = [(quantise_outputs(x, bits, -1.0, 1.0) - x).abs().max().item() for bits in (4, 8, 12)]
    assert errors[0] <= 1 / 15 + 1e-12
    assert errors[1] <= 1 / 255 + 1e-12
    assert errors[2] <= 1 / 4095 + 1e-12
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


@pytest.mark.parametrize(("bits", "signed"), [(8, True), (8, False), (2, True), (1, True), (1, False), (5, True)])
def test_planes_are_binary_digits_and_add_up_to_the_quantised_input(bits: int, signed: bool) -> None:
    x = 1.3 * uniform(40, 7)
    planes = input_planes(x, bits, 1.2, signed=signed)
    assert planes.shape == (max(bits - 1, 1) if signed else bits, 40, 7)
    assert set(planes.unique().tolist()) <= ({-1.0, 0.0, 1.0} if signed else {0.0, 1.0})
    torch.testing.assert_close(combine_planes(planes, 1.2), quantise_inputs(x, bits, 1.2, signed=signed))
    # So does what a matrix makes of them.
    weight = uniform(5, 7, seed=1)
    by_planes = combine_planes(planes @ weight.mT, 1.2)
    torch.testing.assert_close(by_planes, quantise_inputs(x, bits, 1.2, signed=signed) @ weight.mT)


def test_planes_by_hand() -> None:
    # Four bits with a sign: −5/7 and 6/7 of the limit are −101 and 110 in binary.
    planes = input_planes(torch.tensor([-5 / 7, 6 / 7]), 4, 1.0)
    assert planes[:, 0].tolist() == [-1.0, 0.0, -1.0]
    assert planes[:, 1].tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_outputs_are_clipped_and_have_two_to_the_bits_values(bits: int) -> None:
    x = torch.linspace(-2, 2, 3001, dtype=torch.float64)
    found = quantise_outputs(x, bits, -1.0, 0.5)
    assert found.unique().numel() == 2**bits
    assert (found.min().item(), found.max().item()) == (-1.0, 0.5)
    inside = (x >= -1) & (x <= 0.5)
    step = 1.5 / (2**bits - 1)
    assert (found - x)[inside].abs().max().item() <= step / 2 + 1e-12
    assert quantise_outputs(torch.tensor([0.3]), 2, -1.0, 0.5).item() == pytest.approx(0.5)
    assert quantise_outputs(torch.tensor([0.2]), 2, -1.0, 0.5).item() == pytest.approx(0.0)


def test_columns_may_have_ranges_of_their_own() -> None:
    x = uniform(6, 3)
    limit = torch.tensor([0.2, 0.5, 2.0], dtype=torch.float64)
    found = quantise_outputs(x, 4, -limit, limit)
    for column in range(3):
        alone = quantise_outputs(x[:, column], 4, -float(limit[column]), float(limit[column]))
        torch.testing.assert_close(found[:, column], alone)


@pytest.mark.parametrize("bits", [2, 5, 8, 12])
def test_the_range_of_signed_currents_has_zero_among_its_values(bits: int) -> None:
    low, high = converter_range(3.0, bits)
    assert low == -3.0
    zero = quantise_outputs(torch.zeros(1), bits, low, high).item()
    assert abs(zero) < 1e-6
    assert quantise_outputs(torch.tensor([-9.0]), bits, low, high).item() == -3.0
    assert high == pytest.approx(3 - 6 / 2**bits)


def test_gradients_pass_where_nothing_was_clipped() -> None:
    x = torch.tensor([-3.0, -0.7, 0.1, 0.9, 3.0], requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    inside = [0.0, 2.0, 3.0, 4.0, 0.0]
    for found in (
        quantise_inputs(x, 3, 1.0),
        combine_planes(input_planes(x, 3, 1.0), 1.0),
        combine_planes(input_planes(x, 1, 1.0), 1.0),
        quantise_outputs(x, 3, -1.0, 1.0),
    ):
        (gradient,) = torch.autograd.grad((found * weights).sum(), x)
        torch.testing.assert_close(gradient, torch.tensor(inside))
    # The limit has no share in it.
    (gradient,) = torch.autograd.grad((combine_planes(input_planes(x, 4, 2.0), 2.0) * weights).sum(), x)
    torch.testing.assert_close(gradient, torch.tensor(inside))
    (gradient,) = torch.autograd.grad(quantise_inputs(x, 3, 1.0, signed=False).sum(), x)
    assert gradient.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_values_with_gradient_are_exactly_those_without() -> None:
    x = uniform(200).float().requires_grad_()
    assert torch.equal(quantise_inputs(x, 5, 0.8).detach(), quantise_inputs(x.detach(), 5, 0.8))
    assert set(input_planes(x, 5, 0.8).detach().unique().tolist()) == {-1.0, 0.0, 1.0}


def test_a_network_learns_through_its_converters() -> None:
    x = uniform(256, 6, seed=3).float()
    wanted = x @ uniform(6, 2, seed=4).float()
    weight = torch.zeros(6, 2, requires_grad=True)
    optimiser = torch.optim.Adam([weight], lr=0.05)

    def loss() -> torch.Tensor:
        currents = combine_planes(quantise_outputs(input_planes(x, 6, 1.0) @ weight, 6, -4.0, 4.0), 1.0)
        return (currents - wanted).square().mean()

    before = loss().item()
    for _ in range(80):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < 0.02 * before


def test_calibration_takes_the_nearest_rank_of_the_sizes() -> None:
    sums = torch.tensor([[-10.0, 1.0, 2.0, -3.0, 4.0], [5.0, -6.0, 7.0, 8.0, 9.0]])
    assert calibrated_limit(sums, 100) == 10.0
    assert calibrated_limit(sums, 90) == 9.0
    assert calibrated_limit(sums, 85) == 9.0
    assert calibrated_limit(sums, 0.1) == 1.0
    normal = torch.randn(200_000, generator=torch.Generator().manual_seed(1))
    assert calibrated_limit(normal, 95.45) == pytest.approx(2.0, abs=0.03)
    assert full_scale_limit(128, 1.0, 1.1) == pytest.approx(140.8)


IMPOSSIBLE_CONVERTERS: list[tuple[object, str]] = [
    (lambda x: quantise_inputs(x, 0, 1.0), "bits = 0: a converter needs 1 or more"),
    (lambda x: quantise_inputs(x, 3, 0.0), "the limit of the inputs is 0: must be positive"),
    (lambda x: input_planes(x, 3, float("nan")), "the limit of the inputs is nan"),
    (lambda x: quantise_outputs(x, 0, -1.0, 1.0), "bits = 0"),
    (lambda x: quantise_outputs(x, 4, 1.0, 1.0), "an ADC from 1 to 1: its range is empty"),
    (lambda x: converter_range(0.0, 4), "the range of the ADC is 0: must be positive"),
    (lambda x: calibrated_limit(x, 0.0), "percentile = 0: must be above 0"),
    (lambda x: calibrated_limit(0 * x, 99.0), "the ADC range would be 0: 99 % of the partial sums"),
    (lambda x: calibrated_limit(x[:0], 99.0), "no partial sums"),
]


def test_impossible_converters_are_refused() -> None:
    for call, message in IMPOSSIBLE_CONVERTERS:
        with pytest.raises(InputError) as caught:
            call(torch.ones(3))  # type: ignore[operator]
        assert message in str(caught.value)
