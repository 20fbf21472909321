"""Comparison of devices: right differences, intervals that hold the truth, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, ResistiveParameters, gaussian_device, preset
from barkhausen.device.comparison import Compared, compare_devices, difference
from barkhausen.device.file_statistics import Estimate
from barkhausen.device.resistive.technology import resistive_device


def measured(seed: int, shift: float = 0.0, devices: int = 12) -> CharacterisedDevice:
    generator = np.random.default_rng(seed)
    mean = np.array([10e-6, 40e-6, 70e-6])[:, None, None] + shift
    offset = 1e-6 * generator.standard_normal((3, devices, 1))
    values = mean + offset + 0.5e-6 * generator.standard_normal((3, devices, 4))
    return resistive_device(values, ResistiveParameters(), source="measured")


def row_of(rows: list[Compared], group: str, label: str) -> Compared:
    return next(row for row in rows if row.group == group and row.label.startswith(label))


def test_interval_of_a_difference_follows_from_both() -> None:
    found = difference(Estimate(5.0, 4.0, 7.0), Estimate(3.0, 2.5, 3.5))
    assert found == Estimate(2.0, 2.0 - math.hypot(1.0, 0.5), 2.0 + math.hypot(2.0, 0.5))
    assert not difference(Estimate(5.0), Estimate(3.0, 2.0, 4.0)).known


def test_interval_of_the_difference_of_two_means_holds_the_truth() -> None:
    held = []
    for seed in range(60):
        rows = compare_devices([measured(2 * seed), measured(2 * seed + 1, shift=2e-6)], ["a", "b"])
        (gap,) = row_of(rows, "state 1", "mean conductance").differences
        held.append(gap.low <= 2.0 <= gap.high)
        assert gap.value == pytest.approx(2.0, abs=2.0)
    # 95 % of 60, less three standard errors.
    assert np.mean(held) > 0.86


def test_few_devices_are_compared_without_intervals() -> None:
    rows = compare_devices([measured(0), measured(1, devices=3)], ["a", "b"])
    for row in rows:
        if row.label.startswith(("mean", "sigma", "largest")):
            assert not row.values[1].known
            assert not row.differences[0].known
    assert math.isnan(row_of(rows, "state 0", "read errors").values[1].value)


def test_energies_are_compared_by_cause_and_retention_where_it_is_known() -> None:
    rows = compare_devices([preset("racetrack-5"), preset("notched-5")], ["racetrack-5", "notched-5"])
    energy = row_of(rows, "device", "energy, SOT pulses")
    assert energy.differences[0].value == pytest.approx(energy.values[1].value - energy.values[0].value)
    assert math.isfinite(row_of(rows, "device", "shortest median retention").values[0].value)
    assert not any(row.label.startswith("shortest") for row in compare_devices([gaussian_device()] * 2, ["a", "b"]))


def test_declared_moments_are_exact() -> None:
    rows = compare_devices([gaussian_device(3), gaussian_device(3, sigma=0.3)], ["a", "b"])
    (gap,) = row_of(rows, "state 0", "sigma cycle").differences
    # 0.8 × (0.3 − 0.15) of half the distance of the outermost states, 153.6 nm.
    assert gap.value == pytest.approx(0.8 * 0.15 * 153.6)
    assert gap.low == gap.high == gap.value


def test_devices_of_other_numbers_of_states_are_compared_as_a_whole() -> None:
    rows = compare_devices([preset("racetrack-5"), preset("racetrack-3")], ["a", "b"])
    assert {row.group for row in rows} == {"device"}


def test_what_cannot_be_compared_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^b cannot be compared with a: its states differ in their conductance \(S\)"):
        compare_devices([preset("racetrack-3"), measured(0)], ["a", "b"])
    with pytest.raises(InputError, match="at least two devices, got 1"):
        compare_devices([preset("racetrack-3")], ["a"])
