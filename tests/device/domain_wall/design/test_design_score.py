"""The score of a design: its parts against numbers known by hand, and the cost that they add up to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from barkhausen.device.domain_wall.design import Score, StateStatistics, Weights
from barkhausen.device.domain_wall.design.score import assess, incomplete_resets

PLACES = np.array([100e-9, 150e-9, 200e-9])


def assessed(positions: Any, after_reset: Any = (60e-9,), **changes: Any) -> tuple[Score, StateStatistics]:
    given = np.asarray(positions, dtype=float)
    given = given[..., None] if given.ndim == 2 else given
    arguments = {
        "voltages": [0.1 * k for k in range(len(given))],
        "places": PLACES[: len(given)],
        "energy": np.array([1e-13] * len(given)),
        "length": 320e-9,
        "between_stops": 240e-9,
        "weights": Weights(),
    }
    return assess(given, np.asarray(after_reset), **(arguments | changes))


def test_a_perfect_design_costs_only_its_gap() -> None:
    score, states = assessed([[100e-9] * 4, [150e-9] * 4, [200e-9] * 4])
    assert (score.overlap, score.worst_overlap, score.misplaced, score.failures, score.not_home) == (0, 0, 0, 0, 0)
    assert score.unevenness == pytest.approx(0, abs=1e-9)
    assert score.misplacement == pytest.approx(0, abs=1e-9)
    assert score.smallest_gap == pytest.approx(50 / 320)
    # Three states from stop to stop would be 120 nm apart.
    assert score.gap == pytest.approx(1 - 50 / 120)
    assert score.cost == pytest.approx(0.25 * score.gap)
    assert score.energy == pytest.approx(1e-13, rel=1e-9)
    assert states.mean == pytest.approx(PLACES)


def test_overlap_is_the_mann_whitney_statistic() -> None:
    generator = np.random.default_rng(0)
    low, high = generator.normal(100e-9, 20e-9, 17), generator.normal(120e-9, 20e-9, 17)
    score, _ = assessed([low, high])
    share = mannwhitneyu(low, high).statistic / (17 * 17)
    assert 0.05 < share < 0.45
    assert score.overlap == pytest.approx(share)


def test_states_that_cannot_be_told_apart_overlap_by_a_half() -> None:
    score, _ = assessed([[100e-9, 200e-9], [200e-9, 100e-9]])
    assert score.overlap == 0.5
    assert score.gap == 1
    assert score.unevenness == 2


def test_worst_pair_and_means() -> None:
    score, states = assessed([[100e-9, 110e-9], [105e-9, 155e-9], [200e-9, 200e-9]])
    assert states.overlaps == [0.25, 0.0]
    assert (score.overlap, score.worst_overlap) == (0.125, 0.25)
    assert states.mean == pytest.approx([105e-9, 130e-9, 200e-9])
    assert states.spread == pytest.approx([5e-9, 25e-9, 0])
    gaps = np.array([25, 70])
    assert score.unevenness == pytest.approx(gaps.std() / gaps.mean())
    assert score.smallest_gap == pytest.approx(25 / 320)


def test_misplaced_walls_are_those_nearer_to_another_place() -> None:
    score, states = assessed([[100e-9, 124e-9, 126e-9, 100e-9], [150e-9] * 4, [200e-9, 200e-9, 200e-9, 160e-9]])
    assert states.misplaced == [0.25, 0, 0.25]
    assert score.misplaced == pytest.approx(0.5 / 3)
    assert score.misplacement == pytest.approx((24 + 26 + 40) / 50 / 12)


def test_a_wall_far_off_counts_as_two_places() -> None:
    score, _ = assessed([[100e-9, 100e-9], [150e-9, 315e-9]])
    assert score.misplacement == pytest.approx(2 / 4)


def test_states_are_put_in_order_of_position() -> None:
    rows = np.array([[200e-9, 190e-9], [100e-9, 101e-9], [150e-9, 149e-9]])
    score, states = assessed(rows, voltages=[3.0, 1.0, 2.0])
    assert states.voltage == [1.0, 2.0, 3.0]
    assert score == assessed(rows[[1, 2, 0]], voltages=[1.0, 2.0, 3.0])[0]


def test_annihilated_walls_are_failures_and_in_no_statistics() -> None:
    nan = float("nan")
    score, states = assessed([[100e-9, nan], [150e-9, 150e-9], [200e-9, 200e-9]])
    assert score.failures == pytest.approx(1 / 6)
    assert states.mean == pytest.approx(PLACES)
    assert score.overlap == 0


def test_a_state_without_walls_is_as_bad_as_can_be() -> None:
    nan = float("nan")
    score, states = assessed([[nan, nan], [150e-9, 150e-9], [200e-9, 200e-9]])
    assert score.failures == pytest.approx(1 / 3)
    assert (score.unevenness, score.gap, score.smallest_gap) == (2, 1, 0)
    assert states.overlaps == [0, 0.5]
    assert np.isfinite(score.cost)
    assert score.cost > assessed([[100e-9, 100e-9], [150e-9, 150e-9], [200e-9, 200e-9]])[0].cost
    everything_lost, _ = assessed([[nan, nan], [nan, nan], [nan, nan]], after_reset=[nan])
    assert (everything_lost.failures, everything_lost.not_home, everything_lost.overlap) == (1, 1, 0.5)
    assert np.isfinite(everything_lost.cost)


def test_cost_is_the_sum_of_weighted_parts() -> None:
    weights = Weights(overlap=3, misplacement=0.7, unevenness=0.2, gap=0.4, failures=5, not_home=0.6, energy=2)
    rows = [[100e-9, 160e-9], [150e-9, 140e-9], [200e-9, float("nan")]]
    score, _ = assessed(rows, after_reset=[60e-9, 180e-9], weights=weights)
    expected = 3 * score.overlap + 0.7 * score.misplacement + 0.2 * score.unevenness + 0.4 * score.gap
    expected += 5 * score.failures + 0.6 * score.not_home + 2 * 0.1
    assert score.cost == pytest.approx(expected)
    assert score.not_home == 0.5
    assert sum(score.parts(weights).values()) == pytest.approx(score.cost)
    assert score.parts(weights)["energy"] == pytest.approx(0.2)


def test_home_is_anywhere_before_the_second_state() -> None:
    means = [100e-9, 150e-9, 200e-9]
    assert incomplete_resets(np.array([40e-9, 99e-9, 124e-9, 126e-9, np.nan]), means) == pytest.approx(0.4)
    assert incomplete_resets(np.array([40e-9]), [np.nan, np.nan]) == 1
