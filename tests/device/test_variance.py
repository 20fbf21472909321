from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from barkhausen.device.variance import variance_components

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
    elements=st.floats(-100, 100) | st.just(NAN),
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
