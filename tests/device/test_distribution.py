from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from barkhausen.device import CharacterisedDevice, DeviceParameters, EmpiricalStates, GaussianStates, gaussian_device

LENGTH = 512e-9
NAN = math.nan


def empirical(positions: np.ndarray) -> tuple[CharacterisedDevice, EmpiricalStates]:
    device = CharacterisedDevice.from_positions(positions, DeviceParameters(), source="measured")
    distribution = device.distribution()
    assert isinstance(distribution, EmpiricalStates)
    return device, distribution


def spread_out(states: int, devices: int, cycles: int, seed: int = 0) -> np.ndarray:
    """Skewed states, their spread growing with the state; a device is off by the same in all of them."""
    generator = np.random.default_rng(seed)
    mean = np.linspace(0.2, 0.8, states)[:, None, None]
    size = np.linspace(0.01, 0.02, states)[:, None, None]
    offset = generator.standard_normal((1, devices, 1))
    noise = generator.exponential(size=(states, devices, cycles)) - 1
    return LENGTH * np.clip(mean + size * (offset + noise), 0, 1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


GAUSSIAN = GaussianStates(
    torch.tensor([-1.0, 0.25, 1.0]), torch.tensor([0.05, 0.1, 0.2]), torch.tensor([0.4, 0.02, 0.1])
)


def test_gaussian_offsets_have_the_sigma_of_their_state_and_no_mean() -> None:
    drawn, count = GAUSSIAN.draw_devices(40_000, seeded(0)), 40_000
    assert drawn.shape == (count, 3)
    # Standard errors: sigma / sqrt(N) of a mean, sigma / sqrt(2 N) of a sigma; four of them.
    assert (drawn.mean(0).abs() < 4 * GAUSSIAN.sigma_device / count**0.5).all()
    assert ((drawn.std(0) - GAUSSIAN.sigma_device).abs() < 4 * GAUSSIAN.sigma_device / (2 * count) ** 0.5).all()
    # A correlation of independent columns has the standard error 1 / sqrt(N).
    assert (torch.corrcoef(drawn.T) - torch.eye(3)).abs().max() < 4 / count**0.5


def test_gaussian_noise_has_the_sigma_of_its_state_and_no_mean() -> None:
    count = 40_000
    drawn = GAUSSIAN.draw_noise(torch.arange(3).repeat(count, 1), seeded(0))
    assert drawn.shape == (count, 3)
    assert (drawn.mean(0).abs() < 4 * GAUSSIAN.sigma_cycle / count**0.5).all()
    assert ((drawn.std(0) - GAUSSIAN.sigma_cycle).abs() < 4 * GAUSSIAN.sigma_cycle / (2 * count) ** 0.5).all()


@pytest.mark.parametrize("distribution", [GAUSSIAN, empirical(spread_out(3, 30, 5))[1]], ids=["gaussian", "empirical"])
def test_draws_follow_from_the_generator(distribution: GaussianStates | EmpiricalStates) -> None:
    states = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 0]])
    for draw in (lambda g: distribution.draw_devices(8, g), lambda g: distribution.draw_noise(states, g)):
        first, again, other = (draw(seeded(seed)) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        generator = seeded(1)
        assert not torch.equal(draw(generator), draw(generator))
    assert distribution.draw_noise(states, seeded(0)).shape == states.shape


@pytest.mark.parametrize("distribution", [GAUSSIAN, empirical(spread_out(3, 30, 5))[1]], ids=["gaussian", "empirical"])
def test_moving_tables_changes_nothing_but_their_place(distribution: GaussianStates | EmpiricalStates) -> None:
    moved = distribution.to(torch.device("cpu"))
    assert torch.equal(moved.levels, distribution.levels)
    assert torch.equal(moved.draw_devices(8, seeded(1)), distribution.draw_devices(8, seeded(1)))
    states = torch.tensor([0, 1, 2])
    assert torch.equal(moved.draw_noise(states, seeded(1)), distribution.draw_noise(states, seeded(1)))
    elsewhere = distribution.to(torch.device("meta"))
    assert {value.device.type for value in vars(elsewhere).values()} == {"meta"}


def test_gaussian_file_gives_its_declared_sigmas_in_weight_units() -> None:
    distribution = gaussian_device(5, 0.15).distribution()
    assert isinstance(distribution, GaussianStates)
    assert distribution.levels.tolist() == pytest.approx([-1, -0.5, 0, 0.5, 1], abs=1e-6)
    assert distribution.sigma_device.tolist() == pytest.approx([0.09] * 5)
    assert distribution.sigma_cycle.tolist() == pytest.approx([0.12] * 5)


def test_levels_are_weights_of_the_means_evenly_spaced_or_not() -> None:
    positions = LENGTH * np.array([[[0.1, 0.3]], [[0.3, 0.3]], [[0.6, 0.8]]])
    _, distribution = empirical(positions)
    # Means 0.2, 0.3 and 0.7: the middle one a fifth of the way up.
    assert distribution.levels.tolist() == pytest.approx([-1, -0.6, 1], abs=1e-6)


def test_offsets_and_residuals_by_hand() -> None:
    # Means 0.2 and 0.7, so one weight is 0.25 of the track. The devices of each state rest 0.04 apart, their cycles
    # 0.02: within squares 2 * 2 * 0.01^2 / 2 = 2e-4, between 2 * 2 * 0.02^2 / 1 = 1.6e-3, sigma_d^2 = 7e-4.
    positions = LENGTH * np.array([[[0.17, 0.19], [0.21, 0.23]], [[0.71, 0.73], [0.67, 0.69]]])
    device, distribution = empirical(positions)
    weight = 0.25
    offset, residual = math.sqrt(7e-4) / weight, math.sqrt(2e-4) / weight
    assert device.moments[1] / LENGTH == pytest.approx([offset * weight] * 2)
    assert distribution.offsets.numpy() == pytest.approx(np.array([[-offset, offset], [offset, -offset]]), rel=1e-5)
    assert np.sort(distribution.residuals.numpy()) == pytest.approx(
        residual * np.array([[-1, -1, 1, 1], [-1, -1, 1, 1]]), rel=1e-5
    )


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_resampled_variances_are_the_estimated_components(missing: float) -> None:
    positions = spread_out(4, 60, 9)
    holes = np.random.default_rng(1).random(positions.shape) < missing
    holes[:, :, 0] = False
    device, distribution = empirical(np.where(holes, NAN, positions))
    mean, sigma_device, sigma_cycle = device.moments
    weight = (mean[-1] - mean[0]) / 2
    # Populations, not samples: drawing from them with replacement gives just this spread, and no shift.
    assert distribution.offsets.std(0, correction=0).numpy() == pytest.approx(sigma_device / weight, rel=1e-5)
    assert distribution.residuals.std(1, correction=0).numpy() == pytest.approx(sigma_cycle / weight, rel=1e-5)
    assert distribution.offsets.mean(0).numpy() == pytest.approx(np.zeros(4), abs=1e-7)
    assert distribution.residuals.mean(1).numpy() == pytest.approx(np.zeros(4), abs=1e-7)
    assert (sigma_device > 0).all()
    assert (sigma_cycle > 0).all()


def test_pool_that_does_not_fill_the_row_evenly_keeps_its_moments() -> None:
    # State 0 has two residuals, state 1 three: repeated, the two would weigh 2 : 1.
    positions = LENGTH * np.array([[[0.1, 0.2, NAN]], [[0.7, 0.8, 0.9]]])
    device, distribution = empirical(positions)
    assert distribution.residuals.shape == (2, 3)
    assert distribution.residuals.mean(1).tolist() == pytest.approx([0, 0], abs=1e-7)
    mean, _, sigma_cycle = device.moments
    expected = sigma_cycle / (mean[-1] - mean[0]) * 2
    assert distribution.residuals.std(1, correction=0).numpy() == pytest.approx(expected, rel=1e-5)


def test_shape_of_the_noise_survives() -> None:
    _, distribution = empirical(spread_out(2, 200, 50))
    residuals = distribution.residuals
    skewness = ((residuals / residuals.std(1, keepdim=True)) ** 3).mean(1)
    # An exponential has the skewness 2; means of 50 cycles take next to nothing of it, 10 000 samples know it to 0.1.
    assert skewness.tolist() == pytest.approx([2, 2], abs=0.4)


def test_correlation_between_the_states_of_a_device_survives() -> None:
    _, distribution = empirical(spread_out(3, 100, 40))
    drawn = distribution.draw_devices(50, seeded(0))
    # The offset is common to all states; 40 cycles leave 1 / 40 of the noise in a device's mean, so the correlation
    # is 1 / (1 + 1 / 40) = 0.976, known from 50 devices to a hundredth.
    assert torch.corrcoef(drawn.T).min() > 0.9


def test_fewer_devices_are_characterised_ones_without_repetition() -> None:
    _, distribution = empirical(spread_out(3, 20, 5))
    drawn = distribution.draw_devices(15, seeded(0))
    assert drawn.shape == (15, 3)
    place = (drawn[:, None] == distribution.offsets).all(2).nonzero()[:, 1]
    assert len(place) == len(place.unique()) == 15
    assert place.tolist() != sorted(place.tolist())


@pytest.mark.parametrize("count", [20, 21, 1000])
def test_more_devices_than_were_characterised_are_all_of_them(count: int) -> None:
    _, distribution = empirical(spread_out(3, 20, 5))
    drawn = distribution.draw_devices(count, seeded(0))
    assert torch.equal(drawn, distribution.offsets)
    drawn.zero_()
    assert distribution.offsets.any()


def test_device_not_seen_in_every_state_gives_noise_but_no_offsets() -> None:
    positions = spread_out(2, 6, 4)
    positions[1, 2] = NAN
    _, distribution = empirical(positions)
    assert distribution.offsets.shape == (5, 2)
    assert torch.isfinite(distribution.residuals).all()


def test_empirical_noise_draws_every_residual_of_its_own_state_equally_often() -> None:
    residuals = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    distribution = EmpiricalStates(torch.tensor([-1.0, 1.0]), torch.zeros(1, 2), residuals)
    count = 30_000
    drawn = distribution.draw_noise(torch.tensor([1, 0]).repeat(count, 1), seeded(0))
    for column, pool in ((0, residuals[1]), (1, residuals[0])):
        values, times = drawn[:, column].unique(return_counts=True)
        assert values.tolist() == pool.tolist()
        # Binomial with p = 1/3: standard error sqrt(N * 2 / 9) = 82.
        assert (times - count / 3).abs().max() < 4 * math.sqrt(count * 2 / 9)


def test_single_cycle_devices_repeat_without_noise() -> None:
    _, distribution = empirical(spread_out(3, 12, 1))
    assert not distribution.residuals.any()
    assert distribution.offsets.std(0).min() > 0


def test_single_device_has_noise_and_no_offset() -> None:
    _, distribution = empirical(spread_out(3, 1, 12))
    assert distribution.offsets.tolist() == [[0, 0, 0]]
    assert distribution.residuals.std(1).min() > 0
