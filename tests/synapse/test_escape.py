"""Escape rates at any temperature and over both barriers, against the compact model and against Boltzmann."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import expm

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, read_device, shipped_file
from barkhausen.device.domain_wall.barriers.temperature import retention_at
from barkhausen.device.domain_wall.retention import retention
from barkhausen.device.domain_wall.stability import stability
from barkhausen.device.technology import TECHNOLOGIES
from barkhausen.synapse.drift import transitions
from barkhausen.synapse.escape import escape_of

HEAT = BOLTZMANN * 300.0
STATES, DEVICES = 4, 3


def made_up(*, sides: bool = False, error: float | None = None) -> CharacterisedDevice:
    """A measured device with random barriers of 15 to 25 kT at 300 K on both sides."""
    generator = np.random.default_rng(1)
    positions = 512e-9 * (
        np.linspace(0.2, 0.8, STATES)[:, None, None] + 0.004 * generator.standard_normal((STATES, DEVICES, 5))
    )
    left, right = HEAT * generator.uniform(15, 25, (2, STATES, DEVICES))
    both = ("state", "device")
    variables = {
        "barrier": xr.DataArray(np.minimum(left, right), dims=both),
        "attempt_frequency": xr.DataArray(np.full((STATES, DEVICES), 1e9), dims=both),
        "escape_direction": xr.DataArray(np.where(left < right, -1.0, 1.0), dims=both),
    }
    if sides:
        variables |= {
            "barrier_left": xr.DataArray(left, dims=both),
            "barrier_right": xr.DataArray(right, dims=both),
        }
    if error is not None:
        variables["barrier_error"] = error * variables["barrier"]
    more = xr.Dataset(variables, attrs={"temperature": 300.0})
    return domain_wall_device(positions, DeviceParameters(), source="measured", extras=[more])


def simulated() -> CharacterisedDevice:
    """One device of the film of notched-5, with the barriers that its file has at 300 K."""
    shipped = read_device(shipped_file("notched-5"))
    parameters = DeviceParameters.model_validate(json.loads(shipped.data.attrs["parameters"]))
    one = parameters.characterisation.model_copy(update={"devices": 1})
    parameters = parameters.model_copy(update={"characterisation": one})
    positions = shipped.state_values[:, :1]
    more = stability(parameters, positions).assign_attrs(temperature=300.0)
    return domain_wall_device(positions, parameters, source="micromagnetics", extras=[more])


def test_barriers_follow_the_model_of_their_technology(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ("state", "device")

    def computed(device: CharacterisedDevice, temperature: float) -> xr.Dataset:
        # A model whose barriers are twice those of the file, and fall by a thousandth a kelvin.
        barrier = 2 * device.data["barrier"].values * (1 - 1e-3 * (temperature - 300))
        barrier[0, 0] = np.nan if temperature > 340 else barrier[0, 0]
        tries = np.full(barrier.shape, 1e8 * temperature)
        # One wall rests elsewhere at this temperature.
        tries[1, 1] *= 9 if temperature > 340 else 1
        return xr.Dataset({"barrier": (both, barrier), "attempt_frequency": (both, tries)})

    entry = TECHNOLOGIES["domain-wall"]
    monkeypatch.setitem(TECHNOLOGIES, "domain-wall", replace(entry, stability_at=computed))
    device = made_up()
    found = escape_of(device, 350.0)
    assert found.scaled
    expected = 1e9 * 350 / 300 * np.exp(-0.95 * device.data["barrier"].values / (BOLTZMANN * 350.0))
    np.testing.assert_allclose(found.rate, expected, rtol=1e-9)


@pytest.mark.slow
def test_a_simulated_device_has_the_barriers_of_its_film_at_each_temperature() -> None:
    device = simulated()
    parameters = DeviceParameters.model_validate(json.loads(device.data.attrs["parameters"]))
    places = np.nanmedian(device.state_values, axis=2)
    expected = retention(parameters, places, temperature=358.0)["retention_time"].values
    hot = escape_of(device, 358.0)
    assert hot.scaled
    np.testing.assert_allclose(hot.retention_time, expected, rtol=1e-3)
    np.testing.assert_allclose(hot.retention_time, retention_at(device, 358.0)["retention_time"].values, rtol=1e-9)
    # With the barriers of 300 K it would hold longer.
    frozen = device.data["attempt_frequency"] * np.exp(-device.data["barrier"] / (BOLTZMANN * 358.0))
    assert (hot.rate > frozen.values).all()


def test_at_its_own_temperature_a_device_has_the_retention_of_its_file() -> None:
    device = read_device(shipped_file("notched-5"))
    np.testing.assert_allclose(escape_of(device).retention_time, device.data["retention_time"].values, rtol=1e-9)
    assert not escape_of(device, 300.0).scaled


def test_barriers_of_a_measured_device_are_taken_as_they_are() -> None:
    device = made_up()
    hot = escape_of(device, 330.0)
    assert not hot.scaled
    expected = 1e9 * np.exp(-device.data["barrier"].values / (BOLTZMANN * 330.0))
    np.testing.assert_allclose(hot.rate, expected, rtol=1e-12)
    # One-sided: a wall leaves over the lower barrier only.
    assert ((hot.left == 0) | (hot.right == 0)).all()


@pytest.mark.parametrize("temperature", [300.0, 360.0])
def test_rates_to_both_sides_have_the_ratio_of_their_boltzmann_factors(temperature: float) -> None:
    device = made_up(sides=True)
    found = escape_of(device, temperature)
    left, right = (device.data[f"barrier_{side}"].values for side in ("left", "right"))
    np.testing.assert_allclose(found.left / found.right, np.exp((right - left) / (BOLTZMANN * temperature)), rtol=1e-9)
    one_sided = escape_of(made_up(), temperature)
    if temperature == 300.0:
        # The attempt frequency is defined by the retention time, which stays what it was.
        np.testing.assert_allclose(found.rate, one_sided.rate, rtol=1e-9)
    else:
        np.testing.assert_allclose(
            found.rate * np.exp(np.minimum(left, right) / (BOLTZMANN * temperature)) / 1e9,
            (1 + np.exp(-abs(left - right) / (BOLTZMANN * temperature))) / (1 + np.exp(-abs(left - right) / HEAT)),
            rtol=1e-9,
        )


def test_a_walk_over_both_barriers_is_the_matrix_exponential() -> None:
    device = made_up(sides=True)
    found = escape_of(device, 330.0)
    seconds = 2.0 / float(np.median(found.rate))
    for index in range(DEVICES):
        matrix = np.zeros((STATES + 2, STATES + 2))
        for state in range(STATES):
            matrix[state + 1, state] = found.left[state, index]
            matrix[state + 1, state + 2] = found.right[state, index]
        matrix -= np.diag(matrix.sum(axis=1))
        walked = transitions(device, seconds, escape=found)[index]
        np.testing.assert_allclose(walked, expm(matrix * seconds), rtol=1e-7, atol=1e-12)
        # Farther than the neighbour: several steps within one wait.
        assert walked[1, 3] > 0


def test_barriers_shift_by_their_error_and_by_none_that_is_unknown() -> None:
    device = made_up(error=0.04)
    low, high = (escape_of(device, deviations=sign * 1.96) for sign in (-1, 1))
    barrier = device.data["barrier"].values
    np.testing.assert_allclose(low.rate, 1e9 * np.exp(-barrier * (1 - 0.0784) / HEAT), rtol=1e-12)
    assert (high.rate < escape_of(device).rate).all()
    assert low.error == pytest.approx(0.04)
    with pytest.raises(InputError, match="no error of its barriers"):
        escape_of(made_up(), deviations=1.0)


def test_nine_of_ten_devices_exceed_the_tenth() -> None:
    device = read_device(shipped_file("notched-5"))
    escape = escape_of(device)
    exceeded = (escape.retention_time >= escape.exceeded_by(0.9)[:, None]).mean(axis=1)
    assert (exceeded >= 0.9).all()
    assert escape.method == "compact"
