from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from barkhausen.learning import Quantiser

UNEVEN = torch.tensor([-1.0, -0.72, 0.1, 0.2, 1.0])


def nearest(latent_weight: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    return (latent_weight[:, None] - levels).abs().argmin(dim=1)


@pytest.mark.parametrize("states", [2, 3, 4, 5, 6, 7, 16, 33, 256])
def test_even_levels_are_found_by_rounding_exactly(states: int) -> None:
    levels = torch.linspace(-1, 1, states)
    quantiser = Quantiser(levels)
    latent_weight = torch.rand(20_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latent_weight[:2] = torch.tensor([-1.0, 1.0])
    assert quantiser.even
    # Ties between two levels may go either way in the last bit.
    clear = (latent_weight[:, None] - (levels[1:] + levels[:-1]) / 2).abs().min(dim=1).values > 1e-6
    assert torch.equal(quantiser.state(latent_weight)[clear], nearest(latent_weight, levels)[clear])


def test_uneven_levels_are_found_up_to_the_width_of_a_cell() -> None:
    quantiser = Quantiser(UNEVEN)
    latent_weight = torch.rand(200_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latent_weight[:2] = torch.tensor([-1.0, 1.0])
    assert not quantiser.even
    wrong = quantiser.state(latent_weight) != nearest(latent_weight, UNEVEN)
    distance = (latent_weight[:, None] - (UNEVEN[1:] + UNEVEN[:-1]) / 2).abs().min(dim=1).values
    assert wrong.any()
    assert float(distance[wrong].max()) <= 1 / 8192 + 1e-6


@given(
    st.lists(st.floats(-0.999, 0.999), max_size=12, unique=True),
    st.integers(0, 2**31),
)
def test_error_is_the_distance_from_the_level_of_the_state(inner: list[float], seed: int) -> None:
    levels = torch.tensor([-1.0, *sorted(inner), 1.0])
    quantiser = Quantiser(levels)
    generator = torch.Generator().manual_seed(seed)
    latent_weight = (torch.rand((7, 9), generator=generator) * 2 - 1).clamp_(-1, 1)
    weight = torch.randn((7, 9), generator=generator)
    state = quantiser.state(latent_weight)
    expected = (weight - levels[state]).abs()
    torch.testing.assert_close(quantiser.error(latent_weight, weight), expected, rtol=0, atol=2e-5)
    out = torch.empty((7, 9))
    assert quantiser.error(latent_weight, weight, out=out).data_ptr() == out.data_ptr()
    torch.testing.assert_close(out, expected, rtol=0, atol=2e-5)


def test_error_does_not_touch_memory_and_weight() -> None:
    for levels in (torch.linspace(-1, 1, 4), UNEVEN):
        latent_weight, weight = torch.linspace(-1, 1, 50), torch.zeros(50)
        Quantiser(levels).error(latent_weight, weight)
        assert torch.equal(latent_weight, torch.linspace(-1, 1, 50))
        assert not weight.any()
