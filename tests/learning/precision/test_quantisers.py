"""Quantisers of the operands: the steps in print, levels, and rounding that keeps the mean."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from barkhausen.learning.precision.uniform import best_step, largest_level, quantised


@pytest.mark.parametrize(("bits", "step"), [(2, 1.2240), (3, 0.6508), (4, 0.3534), (5, 0.1932)])
def test_the_best_steps_are_those_of_max(bits: int, step: float) -> None:
    # J. Max, IRE Trans. Inf. Theory 6, 7 (1960), table II: 3, 7, 15 and 31 levels.
    assert best_step(bits) == pytest.approx(step, abs=6e-5)


@given(st.integers(2, 10), st.floats(1e-6, 1e6), st.booleans())
def test_numbers_lie_on_the_levels(bits: int, size: float, stochastic: bool) -> None:
    x = size * torch.randn(500, dtype=torch.float64, generator=torch.Generator().manual_seed(bits))
    found = quantised(x, bits, stochastic=stochastic, generator=torch.Generator().manual_seed(1))
    largest = largest_level(bits)
    step = float(x.abs().max()) / largest if stochastic else best_step(bits) * float(x.square().mean().sqrt())
    levels = found / step
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-9)
    assert float(levels.abs().max()) <= largest + 1e-9
    inside = x.abs() < step * largest
    assert float((found - x)[inside].abs().max()) <= (1 if stochastic else 0.5) * step * (1 + 1e-9)


def test_random_rounding_keeps_the_mean() -> None:
    x = torch.linspace(-1, 1, 41, dtype=torch.float64)
    generator = torch.Generator().manual_seed(4)
    many = torch.stack([quantised(x, 3, stochastic=True, generator=generator) for _ in range(4000)])
    # At most half a step of a third in standard deviation; five standard errors. The ends are levels.
    assert float((many.mean(0) - x).abs().max()) < 5 * 0.5 / 3 / 4000**0.5


def test_zeros_stay_and_32_bits_change_nothing() -> None:
    assert not quantised(torch.zeros(5), 4).any()
    x = torch.randn(3)
    assert quantised(x, 32) is x
