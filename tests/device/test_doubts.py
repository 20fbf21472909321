"""States out of order, states that coincide, and drives of device files."""

from __future__ import annotations

import numpy as np
import pytest

from barkhausen.device import DeviceParameters, domain_wall_device, preset
from barkhausen.device.doubts import doubts_of
from barkhausen.device.drives import drives_of
from barkhausen.device.statistics.states import coinciding, is_monotonic


def device_of(voltages: tuple[float, ...] | None, means: list[float], labels: list[str] | None = None):  # type: ignore[no-untyped-def]
    generator = np.random.default_rng(0)
    values = np.array(means)[:, None, None] + 2e-9 * generator.standard_normal((len(means), 9, 3))
    parameters = DeviceParameters.model_validate({"track": {"length": 320e-9}, "protocol": {"gate_voltages": voltages}})
    attributes = {} if labels is None else {"state_labels": labels}
    return domain_wall_device(
        values, parameters, source="measured", assumed=parameters.assumed(), attributes=attributes
    )


def titles(device) -> list[str]:  # type: ignore[no-untyped-def]
    return [title for title, _ in doubts_of(device)]


def test_states_out_of_voltage_order_are_reported() -> None:
    places = [60e-9, 140e-9, 260e-9]
    assert titles(device_of((-0.5, 0.0, 0.5), places)) == []
    assert titles(device_of((0.5, 0.0, -0.5), places)) == []
    found = doubts_of(device_of((-0.5, 0.5, 0.0), places))
    assert [title for title, _ in found] == ["Order of the gate voltages"]
    assert "from state 0 on it is -0.5, 0.5, 0 V" in found[0][1]


def test_labels_out_of_order_are_reported() -> None:
    places = [60e-9, 140e-9, 260e-9]
    assert titles(device_of(None, places, ["S1", "S2", "S3"])) == []
    assert titles(device_of(None, places, ["low", "mid", "high"])) == []
    assert titles(device_of(None, places, ["S1", "S10", "S2"])) == ["Order of the states"]
    assert titles(device_of(None, places, ["0.5", "0", "-0.5"])) == []
    assert titles(device_of(None, places, ["-0.1", "-0.5", "0.5"])) == ["Order of the states"]


def test_coinciding_states_are_reported() -> None:
    found = doubts_of(device_of(None, [60e-9, 140e-9, 141.9e-9]))
    assert [title for title, _ in found] == ["Coinciding states"]
    assert "states 1 and 2 (" in found[0][1]
    assert coinciding([0.0, 1.0, 1.0, 3.0], [0.1, 0.0, 0.0, 0.5]) == [1]
    assert coinciding([0.0, None, 1.0], [0.1, None, 0.1]) == []


def test_order_is_strict() -> None:
    assert is_monotonic([1, 2, 3])
    assert is_monotonic([3, 2])
    assert not is_monotonic([1, 1, 2])


def test_drives_say_whether_they_select_states_and_whether_they_are_assumed() -> None:
    voltage, current, width = drives_of(preset("racetrack-5"))
    assert (voltage.heading, voltage.varies, voltage.assumed) == ("gate voltage (V)", True, False)
    assert voltage.values == pytest.approx([-1.05, 0.0, 0.36, 0.67, 1.15])
    assert not current.varies
    assert not width.varies
    assert drives_of(preset("gaussian-3"))[0].assumed
