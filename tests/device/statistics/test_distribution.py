from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.special import ndtr

from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    EmpiricalStates,
    GaussianStates,
    domain_wall_device,
    gaussian_device,
)
from barkhausen.device.statistics.distribution import SmoothedStates

LENGTH = 512e-9
NAN = math.nan


def empirical(positions: np.ndarray) -> tuple[CharacterisedDevice, EmpiricalStates]:
    device = domain_wall_device(positions, DeviceParameters(), source="measured")
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


def smoothed(positions: np.ndarray, *, width: float = 0.005, own_noise: bool = False) -> SmoothedStates:
    """Drawn from the positions widened by kernels of that share of the track."""
    widths = xr.Dataset(
        {name: ("state", np.full(len(positions), width * LENGTH)) for name in ("bandwidth_device", "bandwidth_cycle")},
        attrs={"noise_pool": "device" if own_noise else "state"},
    )
    device = domain_wall_device(positions, DeviceParameters(), source="measured", extras=[widths])
    distribution = device.distribution()
    assert isinstance(distribution, SmoothedStates)
    return distribution


def mixture(positions: np.ndarray, decider: int, offset_sigma: float, sigma: tuple[float, float]) -> SmoothedStates:
    """The outer states of three a single normal, the middle one at 0.45 (weight 0.25) and 0.55 of the track."""
    parts = {
        "mixture_weight": [[1, NAN], [0.25, 0.75], [1, NAN]],
        "mixture_mean": LENGTH * np.array([[0.2, NAN], [0.45, 0.55], [0.8, NAN]]),
        "mixture_sigma": LENGTH * np.array([[0.02, NAN], list(sigma), [0.02, NAN]]),
    }
    data = xr.Dataset(
        {name: (("state", "component"), np.array(values)) for name, values in parts.items()}
        | {
            "mixture_level": ("state", np.array([0, decider, 0], np.int8)),
            "mixture_offset_sigma": ("state", LENGTH * np.array([0.01, offset_sigma, 0.01])),
        },
        attrs={"distribution": "mixture"},
    )
    moments = LENGTH * np.array([0.2, 0.525, 0.8]), np.full(3, 1e-9), np.full(3, 1e-9)
    device = domain_wall_device(positions, DeviceParameters(), source="measured", moments=moments, extras=[data])
    distribution = device.distribution()
    assert isinstance(distribution, SmoothedStates)
    return distribution


def two_places(by_cycle: bool, devices: int = 40, cycles: int = 20) -> np.ndarray:
    """Middle state at 0.45 or 0.55 of the track: cycle by cycle, or the first quarter of the devices at 0.45."""
    generator = np.random.default_rng(0)
    shape = (devices, cycles)
    left = generator.random(shape) < 0.25 if by_cycle else np.arange(devices)[:, None] < devices // 4
    middle = np.where(np.broadcast_to(left, shape), 0.45, 0.55)
    rows = np.stack([np.full(shape, 0.2), middle, np.full(shape, 0.8)])
    offset, noise = generator.standard_normal((3, devices, 1)), generator.standard_normal((3, *shape))
    return LENGTH * (rows + 0.005 * offset + 0.005 * noise)


def test_smoothing_leaves_the_variances_what_they_were() -> None:
    positions = spread_out(3, 40, 6)
    device, _ = empirical(positions)
    mean, sigma_device, sigma_cycle = device.moments
    weight = (mean[-1] - mean[0]) / 2
    for own_noise in (False, True):
        # A kernel as wide as the spread itself.
        drawn = smoothed(positions, width=0.02, own_noise=own_noise)
        offsets = drawn.offset_mean.var(0, correction=0) + (drawn.offset_sigma**2).mean(0)
        noise = drawn.noise_mean.var((0, 2), correction=0) + (drawn.noise_sigma**2).mean((0, 2))
        assert offsets.sqrt().numpy() == pytest.approx(sigma_device / weight, rel=1e-4)
        assert noise.sqrt().numpy() == pytest.approx(sigma_cycle / weight, rel=1e-4)
        assert drawn.noise_mean.mean((0, 2)).abs().max() < 1e-6
        assert (drawn.offset_sigma > 0.01).all()


@pytest.mark.parametrize("own_noise", [False, True])
def test_smoothed_draws_have_the_spread_of_their_tables(own_noise: bool) -> None:
    drawn = smoothed(spread_out(3, 40, 6), own_noise=own_noise)
    count = 100_000
    offsets = drawn.draw_devices(count, seeded(0))
    assert offsets.shape == (count, 3)
    assert len(offsets[:, 0].unique()) > 0.9 * count
    expected = (drawn.offset_mean.var(0, correction=0) + (drawn.offset_sigma**2).mean(0)).sqrt()
    # 40 heaps about as heavy: a sigma is known to 1 / sqrt(2 N), here to 0.3 %, times at most two for heavier tails.
    assert offsets.std(0).numpy() == pytest.approx(expected.numpy(), rel=0.02)
    noise = drawn.draw_noise(torch.arange(3).repeat(count, 1), seeded(1))
    expected = (drawn.noise_mean.var((0, 2), correction=0) + (drawn.noise_sigma**2).mean((0, 2))).sqrt()
    assert noise.std(0).numpy() == pytest.approx(expected.numpy(), rel=0.03)
    assert noise.mean(0).abs().max() < 4 * float(expected.max()) / count**0.5


def test_correlation_between_the_states_of_a_device_survives_smoothing() -> None:
    positions = spread_out(3, 100, 40)
    before = torch.corrcoef(empirical(positions)[1].offsets.T).numpy()
    for width in (0.001, 0.05):
        distribution = smoothed(positions, width=width)
        ratio = (distribution.offset_sigma[0] / distribution.offset_mean.std(0, correction=0)).numpy()
        # Offsets and kernels, r times as wide, are both correlated as before: of the sums, (1 + r r') is so in
        # sqrt((1 + r²)(1 + r'²)), which is all of it where a kernel is as wide for its state as for the other.
        kept = (1 + np.outer(ratio, ratio)) / np.sqrt(np.outer(1 + ratio**2, 1 + ratio**2))
        drawn = distribution.draw_devices(50_000, seeded(0))
        assert torch.corrcoef(drawn.T).numpy() == pytest.approx(before * kept, abs=0.005)
        assert kept.min() > 0.95


def test_noise_of_a_device_is_its_own_where_the_file_says_so() -> None:
    generator = np.random.default_rng(0)
    # The second half of the devices is five times as noisy.
    size = np.where(np.arange(20) < 10, 0.004, 0.02)[:, None]
    positions = LENGTH * (np.array([0.2, 0.8])[:, None, None] + size * generator.standard_normal((2, 20, 30)))
    drawn = smoothed(positions, width=0.001, own_noise=True)
    offsets, origin = drawn.draw_population(1000, seeded(0))
    assert origin is not None
    assert sorted(origin.unique().tolist()) == list(range(20))
    assert torch.equal(offsets, drawn.draw_devices(1000, seeded(0)))
    state = torch.ones(50_000, dtype=torch.int64)
    quiet, noisy = (drawn.draw_noise(state, seeded(1), torch.full_like(state, device)).std() for device in (3, 13))
    found = (positions[1] / LENGTH / 0.3).std(axis=1, ddof=1)
    # 0.3 of the track is one weight; the common scale sets the mean square right.
    assert float(noisy / quiet) == pytest.approx(found[13] / found[3], rel=0.05)
    mixed = drawn.draw_noise(state, seeded(1)).std()
    assert float(mixed) == pytest.approx(math.sqrt((found**2).mean()), rel=0.05)


def test_noise_common_to_all_devices_has_no_origin() -> None:
    for distribution in (GAUSSIAN, empirical(spread_out(3, 30, 5))[1], smoothed(spread_out(3, 30, 5))):
        offsets, origin = distribution.draw_population(8, seeded(0))
        assert origin is None
        assert torch.equal(offsets, distribution.draw_devices(8, seeded(0)))
        state, where = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 3])
        assert torch.equal(distribution.draw_noise(state, seeded(1), where), distribution.draw_noise(state, seeded(1)))


def test_mixture_of_the_cycles_is_drawn_cycle_by_cycle() -> None:
    drawn = mixture(two_places(by_cycle=True), 0, 0.003, (0.005, 0.005))
    offsets = drawn.draw_devices(50_000, seeded(0))
    # 0.3 of the track is one weight.
    assert offsets.std(0).numpy() == pytest.approx(np.array([0.01, 0.003, 0.01]) / 0.3, rel=0.02)
    noise = drawn.draw_noise(torch.ones(50_000, dtype=torch.int64), seeded(1)).sort().values.numpy()
    # Of the variance of each component, 0.003² is the device's.
    sigma = math.sqrt(0.005**2 - 0.003**2) / 0.3
    expected = 0.25 * ndtr((noise + 0.075 / 0.3) / sigma) + 0.75 * ndtr((noise - 0.025 / 0.3) / sigma)
    # 1.95 / sqrt(N) is passed once in a thousand times (Kolmogorov).
    assert np.abs(expected - (np.arange(50_000) + 0.5) / 50_000).max() < 1.95 / math.sqrt(50_000)


def test_mixture_of_the_devices_is_drawn_device_by_device() -> None:
    positions = two_places(by_cycle=False)
    drawn = mixture(positions, 1, 0.0, (0.007, 0.007))
    offsets = drawn.draw_devices(20_000, seeded(0))[:, 1].numpy()
    left = offsets < -0.025 / 0.3
    # A quarter of the characterised devices; standard error sqrt(0.25 * 0.75 / 20 000) = 0.003.
    assert left.mean() == pytest.approx(0.25, abs=0.013)
    assert offsets[left].mean() == pytest.approx(-0.075 / 0.3, abs=0.002)
    assert offsets[~left].mean() == pytest.approx(0.025 / 0.3, abs=0.002)
    noise = drawn.draw_noise(torch.ones(20_000, dtype=torch.int64), seeded(1))
    device, _ = empirical(positions)
    sigma_cycle = float(device.moments[2][1] / LENGTH)
    assert float(noise.std()) == pytest.approx(sigma_cycle / 0.3, rel=0.03)
    assert offsets[left].std() == pytest.approx(math.sqrt(0.007**2 - sigma_cycle**2) / 0.3, rel=0.05)


def test_devices_of_a_mixture_go_where_one_went_in_every_state() -> None:
    # The device that rests left in the middle state is one of the first ten, which are off to the right in the others.
    positions = two_places(by_cycle=False)
    positions[[0, 2], :10] += 0.02 * LENGTH
    offsets = mixture(positions, 1, 0.0, (0.007, 0.007)).draw_devices(4000, seeded(0))
    assert offsets.shape == (4000, 3)
    # Offsets within a component are as correlated as the means of devices: the outer states move together.
    assert torch.corrcoef(offsets.T)[0, 2] > 0.5


@pytest.mark.parametrize("own_noise", [False, True])
def test_smoothed_draws_follow_from_the_generator_and_move(own_noise: bool) -> None:
    distribution = smoothed(spread_out(3, 30, 5), own_noise=own_noise)
    states = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 0]])
    moved = distribution.to(torch.device("cpu"))
    for draw in (lambda d, g: d.draw_devices(8, g), lambda d, g: d.draw_noise(states, g)):
        first, again, other = (draw(distribution, seeded(seed)) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert torch.equal(draw(moved, seeded(1)), first)
    elsewhere = distribution.to(torch.device("meta"))
    assert {value.device.type for value in vars(elsewhere).values()} == {"meta"}
    assert elsewhere.draw_noise(states.to("meta")).shape == states.shape


def test_file_without_bandwidths_is_drawn_as_it_always_was() -> None:
    # Numbers recorded before smoothing was known.
    _, distribution = empirical(spread_out(3, 6, 4))
    assert isinstance(distribution, EmpiricalStates)
    drawn = distribution.draw_noise(torch.tensor([0, 1, 2, 2]), seeded(0))
    assert drawn.tolist() == pytest.approx([-0.024724999, 0.009970827, -0.026898276, 0.013434160], rel=1e-6)
