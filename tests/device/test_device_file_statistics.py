from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    domain_wall_device,
    read_device,
    write_device,
)
from barkhausen.device.file_statistics import spreads
from barkhausen.device.fitted import fitted
from device_files import Change, attribute, dropped, refused, store

LENGTH = 512e-9
NAN = math.nan


DESCRIBED = [
    "energy",
    "conductance_high",
    "outcome",
    "sigma_device_interval",
    "sigma_cycle_interval",
    "normality_device",
    "normality_cycle",
    "overlap",
    "overlap_interval",
    "read_error_rate",
    "read_error_interval",
    "mutual_information",
    "mutual_information_interval",
    "mixture_weight",
    "mixture_mean",
    "mixture_sigma",
    "mixture_weight_interval",
    "mixture_mean_interval",
    "mixture_sigma_interval",
    "mixture_level",
    "mixture_offset_sigma",
    "bandwidth_device",
    "bandwidth_cycle",
    "fit_score",
    "fit_behind",
    "fit_standard_error",
    "fit_distance",
    "fit_p_value",
]


@pytest.fixture(scope="module")
def described() -> CharacterisedDevice:
    """A small device with its outcomes, its statistics and its distributions."""
    generator = np.random.default_rng(0)
    mean = LENGTH * np.array([0.2, 0.5, 0.8])[:, None, None]
    positions = mean + 1e-8 * generator.standard_normal((3, 8, 4))
    outcome = np.zeros(positions.shape, np.int8)
    positions[1, 2, 3], outcome[1, 2, 3] = NAN, 2
    device = domain_wall_device(positions, DeviceParameters(), source="measured", outcome=outcome)
    return fitted(device)


def test_device_with_its_statistics_and_distributions_is_read_back_unchanged(
    tmp_path: Path, described: CharacterisedDevice
) -> None:
    assert set(DESCRIBED) <= set(described.data)
    write_device(described, tmp_path / "device.nc")
    found = read_device(tmp_path / "device.nc")
    xr.testing.assert_identical(found.data, described.data)
    assert found.failure_rate.tolist() == [0, 1 / 32, 0]


def test_fitted_file_follows_from_its_content(tmp_path: Path, described: CharacterisedDevice) -> None:
    for name in ("one.nc", "two.nc"):
        write_device(described, tmp_path / name)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def without(*names: str) -> Change:
    return lambda data: data.drop_vars(list(names)).assign_attrs(distribution="mixture")


def all_changed(name: str, change: Callable[[Any], Any]) -> Change:
    return lambda data: data.assign({name: change(data[name])})


BAD_OPTIONAL: list[tuple[str, Change, str]] = [
    *(
        (f"{name} of text", all_changed(name, lambda v: v.astype(str)), f"variable '{name}' is not numeric but")
        for name in DESCRIBED
    ),
    *(
        (f"{name} infinite", all_changed(name, lambda v: v * 0.0 + math.inf), f"variable '{name}' holds .* (in)?finite")
        for name in DESCRIBED
    ),
    *(
        (f"{name} of another shape", all_changed(name, lambda v: v.expand_dims(extra=2)), f"'{name}' has dimensions")
        for name in DESCRIBED
    ),
    *(
        (f"{name} negative", all_changed(name, lambda v: v * 0.0 - 0.5), f"'{name}' holds a value that is not")
        for name in ("overlap", "read_error_rate", "sigma_cycle_interval", "mixture_sigma", "bandwidth_cycle")
    ),
    ("overlap above one", all_changed("overlap", lambda v: v + 0.5), "'overlap' holds a value that is not 0 to 1"),
    ("three bounds", lambda data: data.pad(bound=(0, 1), constant_values=0), "'bound' has 3 entries, must have 2"),
    (
        "four distributions",
        lambda data: data.pad(distribution=(0, 1), constant_values=0),
        "'distribution' has 4 entries, must have 3",
    ),
    ("two other states", lambda data: data.isel(other_state=[0, 1]), "'other_state' has 2 entries, must have 3"),
    *(
        (f"mixture without {name}", without(name), f"distribution = 'mixture' needs the variable '{name}'")
        for name in ("mixture_weight", "mixture_mean", "mixture_sigma", "mixture_level", "mixture_offset_sigma")
    ),
    ("weights of two", all_changed("mixture_weight", lambda v: v * 0.5), "of state 0 adds up to 0.5, must"),
    ("no component", all_changed("mixture_weight", lambda v: v * NAN), "'mixture_mean' and 'mixture_sigma' differ in"),
    ("mean off", all_changed("mixture_mean", lambda v: v + LENGTH), "'mixture_mean' holds a value outside"),
    ("nobody decides", all_changed("mixture_level", lambda v: v + 2), "holds a value that is neither 0"),
    ("one bandwidth", dropped("bandwidth_device"), "'bandwidth_cycle' needs the variable 'bandwidth_device'"),
    ("noise without bandwidth", lambda data: data.drop_vars(["bandwidth_device", "bandwidth_cycle"]).assign_attrs(
        noise_pool="device"), "noise_pool = 'device' needs the variable 'bandwidth_device'"),
    *(
        (f"noise pool {value}", attribute("noise_pool", value), "noise_pool = .*: must be 'state' or 'device'")
        for value in ("mine", 1, [1, 2])
    ),
    ("unknown outcome", all_changed("outcome", lambda v: v + 9), "holds a value that is none of -1, 0, 1, 2, 3"),
    ("failure at rest", all_changed("outcome", lambda v: v * 0 + 1), r"outcome\[state=0, .* = 1 \(no_wall\), but"),
]  # fmt: skip


def without_a_file(name: str) -> bool:
    """Whether a case is one of many alike: the first of each kind is written to a file and read."""
    variable, _, kind = name.partition(" ")
    return variable in DESCRIBED[1:] and kind in ("of text", "infinite", "of another shape")


@pytest.mark.parametrize(("name", "change", "culprit"), BAD_OPTIONAL, ids=[row[0] for row in BAD_OPTIONAL])
@pytest.mark.filterwarnings("error")
def test_optional_variable_that_cannot_be_is_refused_by_name(  # noqa: PLR0917
    tmp_path: Path,
    described: CharacterisedDevice,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Change,
    culprit: str,
) -> None:
    changed, path = change(described.data.copy(deep=True)), tmp_path / "device.nc"
    if without_a_file(name):
        monkeypatch.setattr("barkhausen.device.file.read_netcdf", lambda path, what: changed)
    else:
        store(changed, path)
    line = refused(path)
    assert re.search(culprit, line), line


def test_an_interval_over_decades_is_left_out(described: CharacterisedDevice) -> None:
    data = described.data.copy(deep=True)
    data["sigma_cycle_interval"].loc[{"state": 0}] = [0.1e-9, 300e-9]
    data["sigma_cycle_interval"].loc[{"state": 1}] = [5e-9, 20e-9]
    found = spreads(data, described.moments[2], "sigma_cycle_interval")
    assert not found[0].known
    assert found[0].value == described.moments[2][0]
    assert (found[1].low, found[1].high) == (5e-9, 20e-9)
