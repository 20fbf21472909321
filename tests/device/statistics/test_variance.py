from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t as student

from barkhausen.device.statistics.variance import variance_components, variance_intervals

NAN = math.nan


def sample(sigma_device: float, sigma_cycle: float, devices: int, cycles: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    offsets = sigma_device * generator.standard_normal((devices, 1))
    return 3.0 + offsets + sigma_cycle * generator.standard_normal((devices, cycles))


def standard_errors(sigma_device: float, sigma_cycle: float, devices: int, cycles: float) -> tuple[float, float]:
    """Of both estimates. The mean squares are scaled chi-squares with D - 1 and D (n - 1) degrees of freedom, whose
    relative standard errors are sqrt(2 / freedom); an error of a variance is one of the sigma divided by 2 sigma.
    """
    within = sigma_cycle**2 * math.sqrt(2 / (devices * (cycles - 1)))
    between = (cycles * sigma_device**2 + sigma_cycle**2) * math.sqrt(2 / (devices - 1))
    return math.hypot(between, within) / cycles / (2 * sigma_device), within / (2 * sigma_cycle)


# In the second case the means of four cycles scatter by sqrt(1 + 16 / 4) = 2.2, most of it cycle noise.
@pytest.mark.parametrize(("sigma_device", "sigma_cycle", "cycles"), [(3.0, 2.0, 20), (1.0, 4.0, 4), (0.09, 0.12, 16)])
def test_known_sigmas_are_recovered(sigma_device: float, sigma_cycle: float, cycles: int) -> None:
    found = variance_components(sample(sigma_device, sigma_cycle, 4000, cycles))
    errors = standard_errors(sigma_device, sigma_cycle, 4000, cycles)
    # Four standard errors: one seed in 16 000 would miss, and they are 2 to 25 % of the sigmas.
    assert abs(found[0] - sigma_device) < 4 * errors[0]
    assert abs(found[1] - sigma_cycle) < 4 * errors[1]


def test_known_sigmas_are_recovered_from_unbalanced_devices() -> None:
    whole = sample(1.0, 2.0, 4000, 15)
    kept = np.random.default_rng(1).integers(0, 16, size=(4000, 1))
    found = variance_components(np.where(np.arange(15) < kept, whole, NAN))
    # Devices have 1 to 15 cycles, or none. At the harmonic mean of their number, about 4.5, the error is overrated.
    errors = standard_errors(1.0, 2.0, 3700, 4.5)
    assert abs(found[0] - 1.0) < 4 * errors[0]
    assert abs(found[1] - 2.0) < 4 * errors[1]


def test_unbalanced_case_by_hand() -> None:
    # Means 0 and 6 of 1 and 3 cycles; grand mean 18 / 4 = 4.5. Within: (4 + 0 + 4) / (4 - 2) = 4. Between:
    # (1 * 4.5^2 + 3 * 1.5^2) / (2 - 1) = 27. n0 = (4 - (1 + 9) / 4) / (2 - 1) = 1.5.
    found = variance_components(np.array([[0.0, NAN, NAN], [4.0, 6.0, 8.0]]))
    assert found == pytest.approx((math.sqrt((27 - 4) / 1.5), 2.0))


def test_balanced_case_by_hand() -> None:
    # Means 1 and 5, grand mean 3. Within: 4 * 1 / 2 = 2. Between: 2 * (4 + 4) / 1 = 16. n0 = 2.
    assert variance_components(np.array([[0.0, 2.0], [4.0, 6.0]])) == pytest.approx((math.sqrt(7), math.sqrt(2)))


def test_device_that_was_never_seen_does_not_count() -> None:
    seen = np.array([[0.0, 2.0, NAN], [4.0, 6.0, 5.0]])
    unseen = np.vstack([seen, np.full((3, 3), NAN)])
    assert variance_components(unseen) == variance_components(seen)


def test_one_cycle_a_device_is_all_booked_as_the_devices() -> None:
    assert variance_components(np.array([[1.0], [2.0], [6.0]])) == pytest.approx((math.sqrt(7), 0.0))


def test_one_device_is_all_booked_as_the_cycles() -> None:
    assert variance_components(np.array([[1.0, 2.0, 6.0]])) == pytest.approx((0.0, math.sqrt(7)))


@pytest.mark.parametrize("rows", [[[5.0]], [[NAN, 5.0]], [[NAN, NAN], [1.0, NAN]], [[NAN, NAN]]])
def test_a_single_value_has_no_spread(rows: list[list[float]]) -> None:
    assert variance_components(np.array(rows)) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(4, 3), (1, 7), (7, 1)])
def test_constant_has_no_spread(shape: tuple[int, int]) -> None:
    # Means round in the last of 16 digits.
    assert variance_components(np.full(shape, 0.1)) == pytest.approx((0.0, 0.0), abs=1e-15)


def test_devices_that_agree_better_than_chance_have_no_spread_of_their_own() -> None:
    assert variance_components(np.array([[0.0, 2.0], [2.0, 0.0]])) == pytest.approx((0.0, math.sqrt(2)))


tables = arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    # Squares of smaller numbers vanish, and with them the scale.
    elements=st.floats(-100, 100).map(lambda x: x if abs(x) > 1e-100 else 0.0) | st.just(NAN),
)


@given(rows=tables, factor=st.floats(1e-9, 1e9), shift=st.floats(-100, 100), order=st.randoms(use_true_random=False))
def test_sigmas_scale_with_the_unit_and_ignore_origin_and_order(
    rows: np.ndarray, factor: float, shift: float, order: random.Random
) -> None:
    found = variance_components(rows)
    assert all(math.isfinite(sigma) and sigma >= 0 for sigma in found)
    permuted = rows[:, order.sample(range(rows.shape[1]), rows.shape[1])]
    permuted = permuted[order.sample(range(len(rows)), len(rows))]
    # A mean of numbers up to 200 rounds by 1e-14; where both components nearly cancel, a square root of that remains.
    assert variance_components(factor * (permuted + shift)) == pytest.approx(
        tuple(factor * sigma for sigma in found), rel=1e-6, abs=1e-5 * factor
    )


def test_interval_of_single_cycles_by_hand() -> None:
    # The variance of 1, 2, 6 is 7; without one each 8, 12.5 and 0.5. Their logarithms have the variance 2.0274 about
    # their mean, so the jackknife error of ln 7 is sqrt(2 * 2.0274) = 2.0137; Student's t for two degrees is 4.3027.
    device, cycle = variance_intervals(np.array([[1.0], [2.0], [6.0]]))
    reach = math.exp(4.3027 * 2.0137)
    assert device == pytest.approx((math.sqrt(7 / reach), math.sqrt(7 * reach)), rel=2e-3)
    assert all(math.isnan(end) for end in cycle)


def test_interval_of_a_single_device_by_hand() -> None:
    # The same numbers as cycles of one device: the units are then the cycles, and no other device is known.
    device, cycle = variance_intervals(np.array([[1.0, 2.0, 6.0]]))
    reach = math.exp(4.3027 * 2.0137)
    assert cycle == pytest.approx((math.sqrt(7 / reach), math.sqrt(7 * reach)), rel=2e-3)
    assert all(math.isnan(end) for end in device)


def test_interval_of_both_parts_by_hand() -> None:
    # Residuals 1, 2, 3 either side of the means 0, 5, 7: mean square within (2 + 8 + 18) / 3 = 28/3; without one device
    # 26/2, 20/2, 10/2. Mean square of the means 13; without one 2, 24.5, 12.5. Each device has two cycles.
    rows = np.array([[-1.0, 1.0], [3.0, 7.0], [4.0, 10.0]])

    def ends(whole: float, left_out: list[float]) -> tuple[float, float]:
        reach = student.ppf(0.975, 2) * math.sqrt(2 * np.var(np.log(left_out)))
        return whole * math.exp(-reach), whole * math.exp(reach)

    within, means = ends(28 / 3, [13, 10, 5]), ends(13, [2, 24.5, 12.5])
    device, cycle = variance_intervals(rows)
    assert cycle == pytest.approx([math.sqrt(end) for end in within])
    difference = 13 - 28 / 6
    low = difference - math.hypot(13 - means[0], within[1] / 2 - 28 / 6)
    high = difference + math.hypot(means[1] - 13, 28 / 6 - within[0] / 2)
    assert low < 0
    assert device == pytest.approx((0, math.sqrt(high)))


def some_with_two_places(devices: int, cycles: int, seed: int) -> np.ndarray:
    """Each device goes to 1 instead of 0 with a probability of its own, beta(1/2, 1/2): often or hardly ever."""
    generator = np.random.default_rng(seed)
    places = generator.random((devices, cycles)) < generator.beta(0.5, 0.5, (devices, 1))
    return places + 0.1 * generator.standard_normal((devices, cycles))


# The variance of that probability is 1/8, and so is the mean of p (1 - p).
@pytest.mark.parametrize(
    ("draw", "sigma_device", "sigma_cycle"),
    [
        (lambda seed: sample(0.6, 0.8, 16, 4, seed), 0.6, 0.8),
        (lambda seed: sample(0.0, 1.0, 16, 4, seed), 0.0, 1.0),
        (lambda seed: sample(1.0, 0.1, 16, 4, seed), 1.0, 0.1),
        (lambda seed: some_with_two_places(16, 4, seed), math.sqrt(1 / 8), math.sqrt(1 / 8 + 0.01)),
        (lambda seed: some_with_two_places(32, 16, seed), math.sqrt(1 / 8), math.sqrt(1 / 8 + 0.01)),
    ],
    ids=["both", "cycles alone", "devices, nearly", "some devices of two places", "more of them"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(draw: object, sigma_device: float, sigma_cycle: float) -> None:
    assert callable(draw)
    intervals = np.array([variance_intervals(draw(seed)) for seed in range(200)])
    hits = (intervals[:, :, 0] <= [sigma_device, sigma_cycle]) & ([sigma_device, sigma_cycle] <= intervals[:, :, 1])
    # 190 are meant, with the standard error sqrt(200 * 0.05 * 0.95) = 3.1.
    assert (hits.sum(axis=0) >= 190 - 4 * 3.1).all()


def test_interval_of_devices_all_alike_reaches_zero() -> None:
    assert np.mean([variance_intervals(sample(0.0, 1.0, 16, 4, seed))[0][0] == 0 for seed in range(100)]) > 0.9


@pytest.mark.parametrize("rows", [[[1.0]], [[1.0, NAN], [2.0, NAN]], [[1.0, 2.0], [3.0, NAN]]])
def test_too_few_values_have_no_interval(rows: list[list[float]]) -> None:
    assert np.isnan(variance_intervals(np.array(rows))).all()


def test_spread_that_one_device_makes_alone_has_no_interval() -> None:
    # Without the first device there is no noise at all: nothing says how often there is one like it.
    device, cycle = variance_intervals(np.array([[0.0, 1.0], [3.0, 3.0], [5.0, 5.0]]))
    assert np.isnan(cycle).all()
    assert device[0] < device[1]


@given(rows=tables)
@pytest.mark.filterwarnings("error")
def test_intervals_scale_with_the_unit_and_hold_the_estimate(rows: np.ndarray) -> None:
    estimate, intervals = variance_components(rows), variance_intervals(rows)
    for sigma, (low, high) in zip(estimate, intervals, strict=True):
        assert math.isnan(low) or low <= sigma * (1 + 1e-9) + 1e-12
        assert math.isnan(high) or high >= sigma * (1 - 1e-9) - 1e-12
    scaled = np.array(variance_intervals(rows * 2.0**20))
    np.testing.assert_allclose(scaled, 2.0**20 * np.array(intervals), rtol=1e-6)
