from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from scipy.stats import shapiro

from barkhausen.device.statistics.summary import (
    describe_statistics,
    mutual_information,
    normality,
    overlap_matrix,
    variance_split,
)
from barkhausen.device.statistics.variance import variance_components, variance_intervals

NAN = math.nan


def normal_states(
    distance: float, sigma_device: float, sigma_cycle: float, shape: tuple[int, int, int], seed: int = 0
) -> np.ndarray:
    """States a distance apart."""
    generator = np.random.default_rng(seed)
    states, devices, cycles = shape
    offset = sigma_device * generator.standard_normal((states, devices, 1))
    noise = sigma_cycle * generator.standard_normal((states, devices, cycles))
    return distance * np.arange(states)[:, None, None] + offset + noise


def information_of_normal_states(distance: float, states: int) -> float:
    """Of a position about the state, sigma 1, by numerical integration of p log2(p / mean of p)."""
    x = np.linspace(-10, distance * (states - 1) + 10, 40_001)
    density = np.exp(-0.5 * (x - distance * np.arange(states)[:, None]) ** 2) / math.sqrt(2 * math.pi)
    ratio = density / density.mean(axis=0)
    terms = np.where(density > 1e-300, density * np.log2(np.maximum(ratio, 1e-300)), 0.0)
    return float(terms.sum(axis=1).mean() * (x[1] - x[0]))


def test_split_of_each_state_is_that_of_its_rows() -> None:
    positions = normal_states(10.0, 0.6, 0.8, (3, 9, 4))
    positions[1, 2] = NAN
    split = variance_split(positions)
    for state, rows in enumerate(positions):
        assert (split.sigma_device[state], split.sigma_cycle[state]) == variance_components(rows)
        device, cycle = variance_intervals(rows)
        assert tuple(split.sigma_device_interval[state]) == device
        assert tuple(split.sigma_cycle_interval[state]) == cycle


def test_normality_is_shapiro_and_wilk_s_of_means_and_of_residuals() -> None:
    positions = normal_states(10.0, 0.6, 0.8, (2, 9, 4))
    found = normality(positions)
    for state, rows in enumerate(positions):
        means = rows.mean(axis=1)
        assert found.device[state] == pytest.approx(shapiro(means).pvalue, rel=1e-6)
        assert found.cycle[state] == pytest.approx(shapiro(rows - means[:, None]).pvalue, rel=1e-6)


def test_normal_states_are_rejected_as_often_as_the_level_says() -> None:
    found = normality(normal_states(0.0, 0.6, 0.8, (400, 16, 4)))
    # 5 % of 400 are 20, with the standard error sqrt(400 * 0.05 * 0.95) = 4.4.
    assert abs((found.device < 0.05).sum() - 20) < 4 * 4.4
    assert abs((found.cycle < 0.05).sum() - 20) < 4 * 4.4


def test_two_resting_places_are_not_normal_for_those_who_choose_between_them() -> None:
    generator = np.random.default_rng(0)
    noise = 0.1 * generator.standard_normal((2, 32, 16))
    by_cycle, by_device = generator.random((32, 16)) < 0.5, generator.random((32, 1)) < 0.5
    found = normality(noise + np.stack([by_cycle, np.broadcast_to(by_device, (32, 16))]))
    assert found.cycle[0] < 1e-6
    assert found.device[1] < 1e-3
    assert found.cycle[1] > 0.01


@pytest.mark.parametrize(
    ("rows", "device", "cycle"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], False, True),
        ([[1.0], [2.0], [4.0]], True, False),
        ([[1.0, 2.0, 4.0]], False, True),
        ([[3.0, 3.0], [3.0, 3.0], [3.0, 3.0]], False, False),
    ],
)
def test_normality_of_too_few_or_equal_values_is_not_known(rows: list[list[float]], device: bool, cycle: bool) -> None:
    found = normality(np.array([rows]))
    assert (not np.isnan(found.device[0])) is device
    assert (not np.isnan(found.cycle[0])) is cycle


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0, 4.0])
def test_overlap_of_two_normal_states_is_the_analytic_one(distance: float) -> None:
    # All of the spread is the cycles', so that 200 devices of 20 cycles are 4000 independent positions.
    found = overlap_matrix(normal_states(distance, 0.0, 1.0, (2, 200, 20))).value
    # The densities cross half way: 2 Phi(-d / 2). The standard error is below that of a share, sqrt(1/4 / 4000).
    assert found[0, 1] == pytest.approx(2 * ndtr(-distance / 2), abs=0.02)
    assert found[1, 0] == found[0, 1]
    assert found.diagonal().tolist() == [1, 1]


def test_overlap_of_a_narrow_state_within_a_wide_one_is_the_analytic_one() -> None:
    generator = np.random.default_rng(0)
    positions = np.stack([generator.standard_normal((200, 20)), 3 * generator.standard_normal((200, 20))])
    # N(0, 1) and N(0, 9) cross at x² = 2 ln(3) / (1 - 1/9): outside the narrow one is smaller, inside the wide one.
    crossing = math.sqrt(2 * math.log(3) / (1 - 1 / 9))
    expected = 2 * ndtr(-crossing) + (1 - 2 * ndtr(-crossing / 3))
    assert overlap_matrix(positions).value[0, 1] == pytest.approx(expected, abs=0.02)


def test_overlap_is_that_of_shapes_and_not_of_moments() -> None:
    # The second state rests left or right of the first: same mean, and nothing in common.
    generator = np.random.default_rng(0)
    noise = 0.05 * generator.standard_normal((2, 50, 10))
    sides = np.stack([np.zeros((50, 10)), np.where(generator.random((50, 10)) < 0.5, -1, 1)])
    assert overlap_matrix(noise + sides).value[0, 1] < 1e-3


def test_disjoint_states_do_not_overlap() -> None:
    found = overlap_matrix(normal_states(100.0, 0.6, 0.8, (3, 16, 4)))
    assert found.value - np.eye(3) == pytest.approx(np.zeros((3, 3)), abs=1e-9)
    assert found.interval[0, 1] == pytest.approx([0, 0], abs=1e-6)
    assert found.interval[1, 1].tolist() == [1, 1]


@pytest.mark.parametrize(("sigma_device", "sigma_cycle"), [(0.0, 1.0), (0.6, 0.8)])
def test_interval_of_the_overlap_holds_the_truth_as_often_as_it_says(sigma_device: float, sigma_cycle: float) -> None:
    hits = 0
    for seed in range(40):
        interval = overlap_matrix(normal_states(2.0, sigma_device, sigma_cycle, (2, 16, 4), seed), seed).interval
        hits += int(interval[0, 1, 0] <= 2 * ndtr(-1) <= interval[0, 1, 1])
    # 38 of 40 are meant, with the standard error sqrt(40 * 0.05 * 0.95) = 1.4; kernels may take some.
    assert hits >= 33


@pytest.mark.parametrize(("distance", "states"), [(1.0, 2), (2.0, 3), (3.0, 5)])
def test_information_of_normal_states_is_that_of_the_gaussian_channel(distance: float, states: int) -> None:
    found = mutual_information(normal_states(distance, 0.6, 0.8, (states, 400, 6)))
    low, high = found.bits_interval
    # One and a half times the interval, which is two standard errors: one seed in 400 would miss.
    assert abs(found.bits - information_of_normal_states(distance, states)) < 1.5 * (high - low) / 2
    assert high - low < 0.08


def test_information_is_not_overrated_from_few_devices() -> None:
    truth = information_of_normal_states(1.0, 3)
    found = np.array([mutual_information(normal_states(1.0, 0.6, 0.8, (3, 16, 4), seed)).bits for seed in range(40)])
    error = found.std(ddof=1) / math.sqrt(40)
    assert found.mean() < truth + 2 * error
    assert found.mean() > truth - 0.06 - 2 * error


def test_interval_of_the_information_holds_the_truth_as_often_as_it_says() -> None:
    truth = information_of_normal_states(2.0, 3)
    intervals = [mutual_information(normal_states(2.0, 0.6, 0.8, (3, 16, 4), seed)).bits_interval for seed in range(60)]
    # 57 are meant with the standard error 1.7; that the estimate errs on the safe side takes some.
    assert sum(low <= truth <= high for low, high in intervals) >= 50


def test_states_that_are_never_mistaken_carry_all_their_bits() -> None:
    found = mutual_information(normal_states(100.0, 0.6, 0.8, (4, 16, 4)))
    # What 60 positions of a state never showed is given a probability of 1 / 61, wherever: a few hundredths of a bit.
    assert 2 - 0.05 < found.bits <= 2
    assert found.read_error_rate.tolist() == [0, 0, 0, 0]
    # Nothing in 16 independent devices: below 1 - 0.025^(1/16) at 97.5 % (Clopper, Pearson).
    assert found.read_error_interval.tolist() == [[0, pytest.approx(1 - 0.025 ** (1 / 16))]] * 4


def test_states_that_are_the_same_carry_nothing() -> None:
    found = mutual_information(normal_states(0.0, 0.6, 0.8, (2, 300, 4)))
    assert 0 <= found.bits < 0.005


@pytest.mark.parametrize("distance", [1.0, 2.0])
def test_read_error_rate_is_that_of_the_best_threshold(distance: float) -> None:
    found = mutual_information(normal_states(distance, 0.0, 1.0, (2, 200, 20)))
    # The threshold may be off where the densities hardly differ, which moves misreads from one state to the other.
    assert found.read_error_rate.mean() == pytest.approx(ndtr(-distance / 2), abs=0.02)


def test_guessing_between_equal_states_is_wrong_half_of_the_time() -> None:
    rows = normal_states(0.0, 0.6, 0.8, (1, 12, 3))
    found = mutual_information(np.concatenate([rows, rows]))
    assert found.read_error_rate.tolist() == [0.5, 0.5]
    assert found.bits == pytest.approx(0, abs=1e-12)


def test_cycles_that_are_missing_are_not_there() -> None:
    positions = normal_states(3.0, 0.6, 0.8, (3, 12, 4))
    holed = np.concatenate([positions, np.full((3, 12, 2), NAN)], axis=2)
    unseen = np.concatenate([holed, np.full((3, 1, 6), NAN)], axis=1)
    expected, found = describe_statistics(positions), describe_statistics(holed)
    for name in expected:
        np.testing.assert_allclose(found[name].values, expected[name].values, rtol=1e-9, err_msg=name)
    also = describe_statistics(unseen)
    for name in ("sigma_device_interval", "normality_cycle", "overlap", "read_error_rate", "mutual_information"):
        np.testing.assert_allclose(also[name].values, expected[name].values, rtol=1e-6, err_msg=name)


def test_description_carries_units_names_and_dimensions() -> None:
    data = describe_statistics(1e-9 * normal_states(30.0, 6.0, 8.0, (3, 8, 4)))
    assert dict(data.sizes) == {"state": 3, "bound": 2, "other_state": 3}
    assert all(data[name].attrs["units"] and data[name].attrs["long_name"] for name in data)
    assert data["sigma_cycle_interval"].attrs["units"] == "m"
    assert data["mutual_information"].attrs["units"] == "bit"
    assert (data["sigma_cycle_interval"].values < 20e-9).all()


@pytest.mark.parametrize("devices", [1, 3, 7])
def test_few_devices_leave_open_what_only_others_could_tell(devices: int) -> None:
    data = describe_statistics(normal_states(10.0, 0.6, 0.8, (2, devices, 12)))
    assert np.isnan(data["sigma_device_interval"].values).all()
    assert np.isnan(data["sigma_cycle_interval"].values).all()
    assert np.isnan(data["mutual_information"].values)
    assert np.isnan(data["read_error_rate"].values).all()
    assert data["overlap"].values == pytest.approx(np.eye(2), abs=1e-3)
    assert np.isnan(data["overlap_interval"].values[0, 1]).all()


@settings(max_examples=40)
@given(
    positions=arrays(
        np.float64,
        st.tuples(st.integers(2, 3), st.integers(1, 5), st.integers(1, 4)),
        elements=st.floats(0, 1, width=32) | st.just(NAN),
    )
)
@example(positions=np.array([[[1.2e-38]], [[0.0]]]))
@pytest.mark.filterwarnings("error")
def test_any_positions_have_statistics_within_their_bounds(positions: np.ndarray) -> None:
    positions[:, 0, 0] = np.nan_to_num(positions[:, 0, 0])
    data = describe_statistics(positions)
    states = len(positions)
    for name in ("normality_device", "normality_cycle", "overlap", "overlap_interval", "read_error_rate"):
        values = data[name].values
        assert ((values >= 0) & (values <= 1) | np.isnan(values)).all(), name
    for name, estimate in (
        ("overlap_interval", data["overlap"].values),
        ("read_error_interval", data["read_error_rate"].values),
        ("sigma_cycle_interval", [variance_components(rows)[1] for rows in positions]),
    ):
        low, high = np.moveaxis(data[name].values, -1, 0)
        known = np.isfinite(low) & np.isfinite(high)
        assert (low <= np.asarray(estimate) + 1e-9)[known].all(), name
        assert (high >= np.asarray(estimate) - 1e-9)[known].all(), name
    bits = float(data["mutual_information"])
    assert math.isnan(bits) or 0 <= bits <= math.log2(states)
