"""Few devices: no interval, no read error and no information is stated, by any reader of the statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from barkhausen.device import CharacterisedDevice, ResistiveParameters, describe_statistics, fitting_report
from barkhausen.device import file_statistics as statistics
from barkhausen.device.resistive.technology import resistive_device
from barkhausen.device.statistics.reading import mutual_information


def far_apart(devices: int, cycles: int = 4) -> CharacterisedDevice:
    """Three states that never overlap: 10, 40 and 70 µS, 1 µS between devices and 0.5 µS between cycles."""
    generator = np.random.default_rng(1)
    mean = np.array([10e-6, 40e-6, 70e-6])[:, None, None]
    offset = 1e-6 * generator.standard_normal((3, devices, 1))
    noise = 0.5e-6 * generator.standard_normal((3, devices, cycles))
    return resistive_device(mean + offset + noise, ResistiveParameters(), source="measured")


@pytest.mark.parametrize("devices", [1, 2, 3, 7])
def test_few_devices_give_no_intervals_and_no_read_errors(devices: int) -> None:
    device = statistics.described(far_apart(devices))
    for row in fitting_report(device):
        assert not np.isfinite(row.sigma_device_interval).any()
        assert not np.isfinite(row.sigma_cycle_interval).any()
        assert math.isnan(row.read_error_rate)
    assert statistics.bits(device.data) is None
    assert statistics.read_error_matrix(device) is None
    assert f"{devices} device" in statistics.why_no_intervals(device.data)
    assert all(overlap.value < 1e-6 and not overlap.known for overlap in statistics.neighbour_overlaps(device.data))


def test_eight_devices_give_all_of_them() -> None:
    device = statistics.described(far_apart(8))
    rows = fitting_report(device)
    assert all(np.isfinite([*row.sigma_device_interval, *row.sigma_cycle_interval]).all() for row in rows)
    assert [row.read_error_rate for row in rows] == [0, 0, 0]
    matrix = statistics.read_error_matrix(device)
    assert matrix is not None
    assert matrix == pytest.approx(np.eye(3))
    assert statistics.why_no_intervals(device.data) == ""


def test_intervals_that_an_older_file_holds_are_not_stated_either() -> None:
    device = far_apart(3)
    data = describe_statistics(device.state_values, unit="S")
    data["sigma_device_interval"].values[:] = [0.0, 2424e-6]
    data["read_error_rate"].values[:] = 0.25
    data["read_error_interval"].values[:] = [0.1, 0.7]
    data["mutual_information"].values = np.float64(1.0)
    held = device.extended(data)
    assert not any(
        estimate.known for estimate in statistics.estimates(held.data, held.moments[1], "sigma_device_interval")
    )
    assert all(math.isnan(row.read_error_rate) for row in fitting_report(held))
    assert statistics.bits(held.data) is None


def test_a_device_off_the_others_is_not_misread_where_no_states_overlap() -> None:
    values = far_apart(9).state_values
    # Between the states, nearer to its own, where no other device was ever seen.
    values[0, 0] = 20e-6
    found = mutual_information(values)
    assert found.read_error_rate.tolist() == [0, 0, 0]


def test_read_errors_are_shared_out_among_the_states_that_are_read_instead() -> None:
    generator = np.random.default_rng(2)
    values = np.array([0.0, 1.0, 8.0])[:, None, None] + generator.standard_normal((3, 60, 20))
    found = mutual_information(values)
    assert found.read_as.sum(axis=1) == pytest.approx(np.ones(3))
    assert 1 - np.diag(found.read_as) == pytest.approx(found.read_error_rate)
    # Two normal states one sigma apart: a threshold in the middle, Phi(-1/2) = 0.3085.
    assert found.read_as[0, 1] == pytest.approx(0.3085, abs=0.03)
    assert found.read_as[1, 0] == pytest.approx(0.3085, abs=0.03)
    assert found.read_as[0, 2] < 0.01
