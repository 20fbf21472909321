from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import DEVICE_VARIABLES
from barkhausen.device import CharacterisedDevice, gaussian_device, preset, read_device, write_device
from barkhausen.device.conductance import ConductanceMap
from version_1 import as_version_1

KEPT = sorted((Path(__file__).parents[1] / "old_versions" / "0.1.0").glob("device-*.nc"))


def raw(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as lazy:
        return lazy.load()


def moments(data: xr.Dataset) -> list[np.ndarray]:
    return [data[name].values for name in ("position_mean", "position_sigma_device", "position_sigma_cycle")]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_every_number_of_a_file_of_version_1_is_kept(path: Path, tmp_path: Path) -> None:
    old, device = raw(path), read_device(path)
    assert old.attrs["format_version"] == 1
    assert device.technology == "domain-wall"
    assert device.energy_causes == {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}
    for cause in device.energy_causes:
        np.testing.assert_array_equal(device.energy(cause), old[f"{cause}_energy"].values)
    for found, stored in zip(device.moments, moments(old), strict=True):
        np.testing.assert_array_equal(found, stored)
    length = float(old["track_length"])
    assert device.state_range == (0.0, length)
    for name in set(old.variables) - {"track_length", "programming_energy"}:
        if not str(name).endswith("_energy"):
            new = device.data[DEVICE_VARIABLES.get(str(name), str(name))]
            np.testing.assert_array_equal(new.values, old[name].values)
    low, high = float(old["conductance_antiparallel"]), float(old["conductance_parallel"])
    mean = device.moments[0]
    assert ConductanceMap.of(device).reference == low + (high - low) * float((mean[-1] + mean[0]) / 2 / length)
    junction = json.loads(old.attrs["parameters"])["junction"]
    assert (device.read_out.voltage, device.read_out.time) == (junction["read_voltage"], junction["read_time"])
    assert device.read_out.resistance_area == junction["resistance_area"]
    assert device.assumed == json.loads(old.attrs["assumed"])
    # Written again it is a file of this version, with the same numbers.
    write_device(device, tmp_path / "again.nc")
    again = read_device(tmp_path / "again.nc")
    xr.testing.assert_identical(again.data, device.data)
    assert raw(tmp_path / "again.nc").attrs["format_version"] == 2


@pytest.mark.parametrize("make", [lambda: gaussian_device(3), lambda: preset("racetrack-3")])
def test_a_device_of_version_1_is_the_same_device(make: Any) -> None:
    device = make()
    old = CharacterisedDevice(as_version_1(device))
    for one, other in zip(vars(old.distribution()).values(), vars(device.distribution()).values(), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert old.weight_range == device.weight_range
    assert json.loads(old.data.attrs["attributes"]) == json.loads(device.data.attrs["attributes"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            (lambda data, name=name: data.drop_vars(name), f"variable '{name}' is missing from the device file")
            for name in ("position", "gate_voltage", "current_density", "pulse_width", "programming_energy")
        ),
        (lambda data: data.drop_vars("track_length"), "variable 'track_length' is missing"),
        (
            lambda data: data.assign(track_length=("state", [1.0] * 3)),
            "variable 'track_length' must be a single number",
        ),
        (lambda data: data.assign(track_length=-1.0), "variable 'state_range' is 0 to -1: must be rising"),
        (lambda data: data.assign(sot_energy=1e-15), "variable 'sot_energy' has dimensions"),
        (lambda data: data.assign(sot_energy=("state", ["a", "b", "c"])), "variable 'sot_energy' is not numeric"),
        (lambda data: data.assign(gate_energy=("state", [0.0, np.nan, 0.0])), "'gate_energy' holds .* not finite"),
        (lambda data: data.assign(programming_energy=("state", [0.0, -1.0, 0.0])), "'programming_energy' holds a neg"),
        (lambda data: data.assign_attrs(assumed="{"), "attribute 'assumed' is not JSON"),
        (lambda data: data.assign_attrs(parameters="[]"), "attribute 'parameters' is not a JSON dict"),
        (lambda data: data.isel(cycle=0), "variable 'state_value' has dimensions"),
        (lambda data: data.assign(position=data["position"] + 1.0), "lies outside 0 to 5.12e-07 m"),
    ],
)
def test_wrong_files_of_version_1_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    data = change(as_version_1(gaussian_device(3, devices=2, cycles=3)))
    data.to_netcdf(tmp_path / "old.nc", engine="h5netcdf")
    with pytest.raises(InputError, match=message):
        read_device(tmp_path / "old.nc")


def test_parameters_of_no_junction_leave_the_read_out_unknown() -> None:
    device = CharacterisedDevice(as_version_1(gaussian_device(3)).assign_attrs(parameters='{"junction": {"gain": 3}}'))
    assert device.states == 3
    with pytest.raises(InputError, match="gives no read-out"):
        device.read_out  # noqa: B018
