from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import xarray as xr

from barkhausen.device import (
    gaussian_device,
    read_device,
)
from device_files import Change, attribute, dropped, refused, replaced, setting, store, without_attribute

LENGTH = 512e-9
NAN = math.nan


STATES = {
    "gate_voltage",
    "current_density",
    "pulse_width",
    "state_mean",
    "sigma_device",
    "sigma_cycle",
}
REQUIRED = ["state_value", "gate_voltage", "current_density", "pulse_width", "state_range"]


def many_states(data: xr.Dataset) -> xr.Dataset:
    return (
        data.drop_vars([*STATES, "energy"])
        .isel(state=[0] * 300)
        .assign({name: ("state", [1e-9] * 300) for name in STATES})
    )


def unseen_together(data: xr.Dataset) -> xr.Dataset:
    # Each of the two devices was seen in some states only.
    data["state_value"].values[0, 0] = NAN
    data["state_value"].values[1, 1] = NAN
    return data


BAD: list[tuple[str, Change, str]] = [
    *((f"no {name}", dropped(name), f"variable '{name}' is missing from the device file") for name in REQUIRED),
    ("no version", without_attribute, r"device file format None: this version of barkhausen reads 1"),
    *(
        (f"version {value}", attribute("format_version", value), r"device file format .*: this version .* reads 1")
        for value in (0, 3, 1.5, NAN, "1", "two", "", [1, 1])
    ),
    *(
        (f"source {value}", attribute("source", value), r"source = .*: must be one of micromagnetics, measured")
        for value in ("guess", "", 1, [1, 2], ["measured", "measured"])
    ),
    *(
        (f"distribution {value}", attribute("distribution", value), r"distribution = .*: must be 'gaussian' or")
        for value in ("normal", 0, [1, 2])
    ),
    *(
        (f"{name} {what}", attribute(name, value), f"attribute '{name}' is not {message}")
        for name, kind in (("assumed", "list"), ("parameters", "dict"), ("attributes", "dict"))
        for what, value, message in (
            ("not JSON", "{'single': 1", "JSON"),
            ("too deep", "[" * 50_000, "JSON"),
            ("half a character", '["\\ud800"]', "JSON"),
            ("of another kind", "3", f"a JSON {kind}"),
        )
    ),
    ("no cycle", lambda data: data.isel(cycle=0), r"variable 'state_value' has dimensions .*'state', 'device'\), must"),
    ("voltage by device", replaced("gate_voltage", ("device",), [0.0, 0.1]), "variable 'gate_voltage' has dimensions"),
    (
        "range far beyond the states",
        replaced("state_range", ("bound",), [-1e300, 1e300]),
        r"'state_range' is -1e\+300 to 1e\+300, more than 1e\+06 times the distance of the outermost states \(3\.",
    ),
    (
        "spread far beyond the states",
        setting("sigma_cycle", 1, 1e300),
        r"'sigma_cycle' holds 1e\+300, more than 1e\+06 times the distance",
    ),
    ("range by state", replaced("state_range", ("state",), [1.0] * 3), "variable 'state_range' has dimen"),
    ("one energy for all", replaced("energy", (), 1e-15), "variable 'energy' has dimensions"),
    ("infinite energy", setting("energy", (1, 1), math.inf), "variable 'energy' holds a value that is not finite"),
    ("negative energy", setting("energy", (0, 2), -1e-18), "variable 'energy' holds a negative energy"),
    ("no causes", dropped("cause"), "variable 'energy' has causes without names"),
    ("causes as numbers", lambda data: data.assign_coords(cause=[0, 1, 2]), "'cause' must hold a text for each cause"),
    ("a cause twice", lambda data: data.assign_coords(cause=["a", "b", "a"]), "'cause' names a cause of energy twice"),
    ("a cause with spaces", lambda data: data.assign_coords(cause=["a", "b", "c d"]), "'c d': must be a word of small"),
    (
        "a cause named as another energy",
        lambda data: data.assign_coords(cause=["a", "programming", "c"]),
        "'programming': is the name of another energy",
    ),
    ("no label", replaced("energy_label", ("cause",), ["a", "", "c"]), "'energy_label' must hold a text"),
    ("no technology", attribute("technology", ""), "technology = '': must be the name of a technology"),
    ("a list of technologies", attribute("technology", [1, 2]), "technology = .*: must be the name of a technology"),
    ("another kind", attribute("kind", "pulses"), "is a device moved by pulses .* is needed here"),
    ("unknown kind", attribute("kind", "pulse"), "kind = 'pulse': no such kind of device; did you mean 'pulses'"),
    ("another map", attribute("conductance_map", "cubic"), "conductance_map = 'cubic': must be 'linear' or 'identity'"),
    ("negative read", replaced("read_time", (), -1e-9), "variable 'read_time' holds a value that is not at least 0"),
    *(
        (f"{name} of text", replaced(name, ("state",), ["a", "b", "c"]), f"variable '{name}' is not numeric")
        for name in ("gate_voltage", "state_mean")
    ),
    ("truth values", replaced("gate_voltage", ("state",), [True, False, True]), "'gate_voltage' is not numeric but b"),
    *(
        (f"{name} {value}", setting(name, 1, value), f"variable '{name}' holds a value that is not finite")
        for name in sorted(STATES)
        for value in (NAN, math.inf)
    ),
    ("infinite conductance", replaced("conductance_high", (), math.inf), "'conductance_high' holds a value"),
    *(
        (f"negative {name}", setting(name, 0, -1e-12), f"variable '{name}' holds a negative sigma")
        for name in ("sigma_device", "sigma_cycle")
    ),
    *(
        (f"range to {value}", replaced("state_range", ("bound",), [0.0, value]), "is 0 to .*: must be rising")
        for value in (0.0, -1e-7)
    ),
    ("off to the left", setting("state_value", (1, 0, 2), -1e-9), r"state=1, device=0, cycle=2\] = -1e-09 m"),
    ("off to the right", setting("state_value", (2, 1, 0), 6e-7), r"cycle=0\] = 6e-07 m lies outside 0 to 5\.12e"),
    ("infinite position", setting("state_value", (0, 0, 0), math.inf), "'state_value' holds an infinite value"),
    ("mean off to the right", setting("state_mean", 2, 6e-7), "'state_mean' holds a value outside"),
    ("mean off to the left", setting("state_mean", 0, -1e-9), "'state_mean' holds a value outside"),
    ("unordered", lambda data: data.isel(state=[0, 2, 1]), "mean values of states 1 and 2 .* must be in order"),
    ("falling", lambda data: data.isel(state=[2, 1, 0]), "mean values of states 0 and 1 .* must be in order"),
    ("equal", lambda data: data.isel(state=[0, 1, 1]), "mean values of states 1 and 2 .* distinct"),
    ("all equal", lambda data: data.isel(state=[1, 1, 1]), "mean values of states 0 and 1 .* distinct"),
    ("one state", lambda data: data.isel(state=[0]), r"the device has 1 state\(s\); a synapse needs 2 to 256"),
    ("no state", lambda data: data.isel(state=[]), r"the device has 0 state\(s\); a synapse needs 2 to 256"),
    ("300 states", many_states, r"the device has 300 state\(s\); a synapse needs 2 to 256"),
    ("no device", lambda data: data.isel(device=[]), "state 0 has no value at all"),
    ("state never seen", setting("state_value", 1, NAN), "state 1 has no value at all"),
    ("no complete device", unseen_together, "no device was seen in every state"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "culprit"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.filterwarnings("error")
def test_file_that_no_device_can_have_is_refused_by_name(tmp_path: Path, change: Change, culprit: str) -> None:
    good = gaussian_device(3, devices=2, cycles=3).data.copy(deep=True)
    line = refused(store(change(good), tmp_path / "device.nc"))
    assert re.search(culprit, line), line


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    data = gaussian_device(3).data.copy(deep=True)
    data["gate_voltage"].attrs["long_name"] = "gate: voltage"
    path = store(data, tmp_path / "device.nc")
    path.write_bytes(path.read_bytes().replace(b"gate: voltage", b"gate: \xffoltage"))
    assert "'utf-8' codec can't decode byte 0xff" in refused(path)


def test_means_are_checked_where_they_come_from(tmp_path: Path) -> None:
    data = gaussian_device(3).data.drop_vars(["state_mean", "sigma_device"])
    assert read_device(store(data, tmp_path / "device.nc")).states == 3
    data["state_value"].values[:] = 1e-7
    assert "states 0 and 1" in refused(store(data, tmp_path / "device.nc"))
