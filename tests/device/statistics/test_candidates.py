from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from barkhausen.device.statistics.candidates import (
    Background,
    CandidateDistribution,
    drawn_in,
    empirical_candidate,
    gaussian_candidate,
    mixture_candidate,
    own_residuals,
    predicted_offsets,
)
from barkhausen.device.statistics.kernels import Grid, Kernels, bandwidth
from barkhausen.device.statistics.mixture import Components
from barkhausen.device.statistics.variance import variance_components

NAN = math.nan
NO_BACKGROUND = Background(10**12, 10**12, 10.0)


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def random_effects(sigma_device: float, sigma_cycle: float, devices: int, cycles: int, seed: int = 0) -> np.ndarray:
    generator = seeded(seed)
    offset = sigma_device * generator.standard_normal((devices, 1))
    return offset + sigma_cycle * generator.standard_normal((devices, cycles))


@pytest.mark.parametrize(("sigma_device", "sigma_cycle"), [(0.6, 0.8), (1.0, 0.1), (1.0, 0.02), (0.05, 1.0)])
@pytest.mark.parametrize("cycles", [1, 4, 16])
def test_likelihood_of_the_gaussian_candidate_is_that_of_a_normal_vector(
    sigma_device: float, sigma_cycle: float, cycles: int
) -> None:
    rows = random_effects(sigma_device, sigma_cycle, 12, cycles)
    distribution = CandidateDistribution(Kernels.normal(0.1, sigma_device), (Kernels.normal(0.0, sigma_cycle),))
    covariance = sigma_device**2 * np.ones((cycles, cycles)) + sigma_cycle**2 * np.eye(cycles)
    expected = multivariate_normal(np.full(cycles, 0.1), covariance).logpdf(rows)
    # What lies between two places of the grid is shared by them, which adds up to (step / 2)² to a variance: 1 % of
    # that of the mean of the cycles.
    assert distribution.log_likelihood(rows, NO_BACKGROUND) == pytest.approx(expected, abs=0.03)


def test_likelihood_of_a_mixture_of_cycles_is_the_sum_over_their_choices() -> None:
    weight, mean, sigma, offset = np.array([0.3, 0.7]), np.array([-1.0, 1.0]), np.array([0.2, 0.3]), 0.25
    distribution = CandidateDistribution(Kernels.normal(0.0, offset), (Kernels(weight, mean, sigma),))
    rows = np.array([[-0.9, 1.2], [0.8, 1.1], [-1.3, -0.7], [0.1, 0.2]])
    expected = np.zeros(len(rows))
    for first in (0, 1):
        for second in (0, 1):
            chosen = [first, second]
            covariance = offset**2 + np.diag(sigma[chosen] ** 2)
            expected += weight[first] * weight[second] * multivariate_normal(mean[chosen], covariance).pdf(rows)
    assert distribution.log_likelihood(rows, NO_BACKGROUND) == pytest.approx(np.log(expected), abs=0.02)


def test_likelihood_of_a_mixture_of_devices_is_the_sum_over_theirs() -> None:
    weight, mean, sigma, noise = np.array([0.3, 0.7]), np.array([-1.0, 1.0]), np.array([0.2, 0.3]), 0.1
    distribution = CandidateDistribution(Kernels(weight, mean, sigma), (Kernels.normal(0.0, noise),))
    rows = np.array([[-0.9, -1.1, NAN], [0.8, 1.1, NAN], [0.1, 0.2, NAN], [NAN, NAN, NAN]])
    expected = sum(
        w * multivariate_normal([m, m], s**2 + noise**2 * np.eye(2)).pdf(rows[:3, :2])
        for w, m, s in zip(weight, mean, sigma, strict=True)
    )
    found = distribution.log_likelihood(rows, NO_BACKGROUND)
    assert found[:3] == pytest.approx(np.log(expected), abs=0.02)
    assert found[3] == 0


def test_likelihood_with_noise_of_each_device_is_the_mean_over_devices() -> None:
    centre = Kernels.equal(np.array([-1.0, 0.5]), 0.2)
    distribution = CandidateDistribution(centre, (Kernels.normal(0.0, 0.1), Kernels.normal(0.0, 0.4)))
    rows = np.array([[-0.9, -1.1], [0.1, 0.9], [-0.5, -1.4]])
    expected = 0.5 * sum(
        multivariate_normal([m, m], 0.04 + s**2 * np.eye(2)).pdf(rows) for m, s in ((-1.0, 0.1), (0.5, 0.4))
    )
    assert distribution.log_likelihood(rows, NO_BACKGROUND) == pytest.approx(np.log(expected), abs=0.02)


def test_background_bounds_what_one_outlier_costs() -> None:
    distribution = CandidateDistribution(Kernels.normal(0.0, 0.1), (Kernels.normal(0.0, 0.1),))
    rows = np.array([[0.0, 0.1], [5.0, 5.1]])
    usual, outlier = distribution.log_likelihood(rows, Background(15, 60, 10.0))
    # A device in 16 rests anywhere on 10, with the cycles' own density of two within 0.1: N(0.1, 2 * 0.1²) = 2.2.
    # What is left of it after a share of 60/61 for each cycle.
    expected = math.log(1 / 16 / 10 * norm(0, 0.1 * math.sqrt(2)).pdf(0.1)) + 2 * math.log(60 / 61)
    assert outlier == pytest.approx(expected, abs=0.05)
    assert usual > 0


@pytest.mark.parametrize("own_noise", [False, True])
def test_fresh_devices_have_the_components_of_variance_of_their_law(own_noise: bool) -> None:
    rows = random_effects(0.6, 0.8, 20, 6)
    rows[3, 2:] = NAN
    distribution = empirical_candidate(rows, own_noise=own_noise)
    drawn = distribution.draw((1, 20_000, 6), seeded(1))[0]
    # The relative standard error of a variance is below 2 %; that of a sigma half of it.
    assert variance_components(drawn) == pytest.approx(variance_components(rows), rel=0.04)
    assert drawn.mean() == pytest.approx(np.nanmean(rows), abs=0.03)


def test_law_and_its_distribution_are_the_same() -> None:
    rows = np.where(seeded().random((30, 8)) < 0.4, -1, 1) + random_effects(0.2, 0.1, 30, 8)
    grid = Grid(-4.0, 0.01, 801)
    for distribution in (
        gaussian_candidate(rows),
        mixture_candidate(
            rows, Components(np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.22, 0.22])), "cycle"
        ),
        empirical_candidate(rows, own_noise=False),
        empirical_candidate(rows, own_noise=True),
    ):
        drawn = np.sort(distribution.draw((1, 20_000, 1), seeded(1)).ravel())
        below = np.searchsorted(drawn, grid.places) / len(drawn)
        # 1.95 / sqrt(20 000) is passed once in a thousand times (Kolmogorov).
        assert np.abs(distribution.cumulative(grid) - below).max() < 0.0138


def test_mixture_of_the_cycles_leaves_each_component_its_variance() -> None:
    rows = np.where(seeded().random((200, 8)) < 0.4, -1, 1) + random_effects(0.2, 0.1, 200, 8)
    components = Components(np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.22, 0.23]))
    distribution = mixture_candidate(rows, components, "cycle")
    (offset,), noise = distribution.centre.sigma, distribution.noise[0].sigma
    assert offset == pytest.approx(0.2, abs=0.03)
    assert np.hypot(offset, noise) == pytest.approx(components.sigma)
    assert distribution.centre.mean + distribution.noise[0].mean == pytest.approx(components.mean)


def test_mixture_of_the_devices_leaves_each_component_its_variance() -> None:
    rows = np.where(seeded().random((200, 1)) < 0.4, -1, 1) + random_effects(0.2, 0.1, 200, 8)
    components = Components(np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.22, 0.23]))
    distribution = mixture_candidate(rows, components, "device")
    assert distribution.noise[0].sigma == pytest.approx([0.1], abs=0.01)
    assert np.hypot(distribution.centre.sigma, distribution.noise[0].sigma) == pytest.approx(components.sigma)


def test_single_component_is_the_gaussian_candidate() -> None:
    rows = random_effects(0.6, 0.8, 10, 4)
    single = Components(np.ones(1), np.zeros(1), np.ones(1))
    assert mixture_candidate(rows, single, "cycle") == gaussian_candidate(rows)


def test_offsets_are_drawn_in_by_what_is_noise_in_their_means() -> None:
    # Means 1 and 5 of two cycles: variances 2 within and 7 between (see the analysis of variance by hand).
    offsets, residuals = predicted_offsets(np.array([[0.0, 2.0], [4.0, 6.0]]))
    trust = 2 * 7 / (2 * 7 + 2)
    assert offsets == pytest.approx([-2 * trust, 2 * trust])
    assert residuals == pytest.approx(np.array([[-3, -1], [1, 3]]) - offsets[:, None])


def test_two_values_of_the_cycles_stay_two() -> None:
    # About their own means, four cycles of two values would have residuals of seven.
    rows = np.array([[0.0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1], [1, 1, 0, 0]])
    offsets, residuals = predicted_offsets(rows)
    assert offsets.tolist() == [0, 0, 0, 0]
    assert len(np.unique(residuals.round(12))) == 2
    assert len(np.unique((rows - rows.mean(axis=1, keepdims=True)).round(12))) > 2


def test_sigma_of_each_device_s_noise_has_the_common_mean_square() -> None:
    # Squares within 2, 8 and none, of one degree of freedom each; the device of one cycle gets their mean, 5.
    residuals, sigmas = own_residuals(np.array([[0.0, 2.0], [4.0, 8.0], [1.0, NAN]]), 3.0)
    assert sigmas == pytest.approx(3 * np.sqrt(np.array([2, 8, 5]) / 5))
    np.testing.assert_allclose(residuals, [[-1, 1], [-2, 2], [0, NAN]])


@pytest.mark.parametrize("width", [0.0, 0.1, 3.0])
def test_kernels_drawn_in_have_the_variance_asked_for(width: float) -> None:
    place, spread = drawn_in(np.array([0.0, 1.0, 5.0]), 0.7, width)
    assert place.mean() == pytest.approx(0, abs=1e-12)
    assert place.var() + spread**2 == pytest.approx(0.49)
    assert spread / place.std() == pytest.approx(width / np.array([0.0, 1.0, 5.0]).std())


def test_values_without_spread_get_all_of_it_from_the_kernel() -> None:
    place, spread = drawn_in(np.array([2.0, 2.0]), 0.7, 0.0)
    assert (place.tolist(), spread) == ([0, 0], 0.7)


@pytest.mark.parametrize(("devices", "cycles"), [(16, 4), (32, 16)])
def test_bandwidth_of_normal_values_is_near_the_reference(devices: int, cycles: int) -> None:
    reference = 1.06 * (devices * cycles) ** -0.2
    found = [bandwidth(random_effects(0.0, 1.0, devices, cycles, seed)) for seed in range(20)]
    assert 0.5 * reference < np.mean(found) <= 1.1 * reference


@pytest.mark.parametrize("shape", [(30, 8), (30, 1)], ids=["cycles choose", "devices choose"])
def test_bandwidth_of_two_narrow_places_is_as_narrow(shape: tuple[int, int]) -> None:
    rows = np.where(seeded().random(shape) < 0.5, -1, 1) + random_effects(0.0, 0.03, 30, 8)
    # The reference, 1.06 * 240^(-1/5) = 0.35, would fill the gap.
    assert bandwidth(rows) < 0.05


def test_bandwidth_is_not_as_narrow_as_one_device() -> None:
    # Left out one by one, cycles would sit in the narrow heap of their own device.
    rows = random_effects(1.0, 0.001, 30, 8)
    assert bandwidth(rows) > 0.1


def test_bandwidth_of_rounded_values_is_not_narrower_than_their_rounding() -> None:
    rows = random_effects(0.3, 1.0, 30, 8)
    assert bandwidth((2 * rows).round() / 2) >= 0.25
    # Nor does rounding finer than the kernel change it.
    assert bandwidth(rows.round(3)) == pytest.approx(bandwidth(rows), rel=1e-3)


@pytest.mark.parametrize("rows", [[[1.0, 1.0], [1.0, 1.0]], [[3.0]]])
def test_values_without_spread_have_no_bandwidth(rows: list[list[float]]) -> None:
    assert bandwidth(np.array(rows)) == 0


def test_many_equal_kernels_on_a_grid_are_the_sum_of_each() -> None:
    kernels = Kernels.equal(seeded().standard_normal(40), 0.2)
    grid = Grid(-5.0, 0.005, 2001)
    assert kernels.on_grid(grid) == pytest.approx(kernels.density(grid.places), abs=1e-4)
    assert kernels.on_grid(grid, 0.5) == pytest.approx(Kernels.equal(kernels.mean, 0.5).density(grid.places), abs=1e-4)


def test_kernel_narrower_than_the_grid_keeps_its_place_and_width() -> None:
    grid = Grid(-1.0, 0.01, 201)
    for sigma in (0.0, 0.004, 0.03):
        density = Kernels(np.array([0.25, 0.75]), np.array([-0.5, 0.2537]), np.array([0.05, sigma])).on_grid(grid)
        mass = density * grid.step
        assert mass.sum() == pytest.approx(1, abs=1e-3)
        right = mass * (grid.places > 0)
        mean = right @ grid.places / right.sum()
        assert mean == pytest.approx(0.2537, abs=1e-3)
        assert right @ (grid.places - mean) ** 2 / right.sum() == pytest.approx(sigma**2, abs=0.01**2 / 4)


def test_histogram_keeps_means_and_leaves_out_what_is_missing() -> None:
    grid = Grid(0.0, 1.0, 5)
    assert grid.histogram(np.array([[1.25, NAN], [4.0, 0.0]])).tolist() == [[0, 0.75, 0.25, 0, 0], [1, 0, 0, 0, 1]]
