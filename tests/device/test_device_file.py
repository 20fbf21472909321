from __future__ import annotations

import errno
import gc
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from barkhausen.core.errors import InputError
from barkhausen.device import (
    FORMAT_VERSION,
    CharacterisedDevice,
    DeviceParameters,
    domain_wall_device,
    gaussian_device,
    read_device,
    write_device,
)
from barkhausen.device.fitted import fitted

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
Change = Callable[[xr.Dataset], xr.Dataset]


def store(data: xr.Dataset, path: Path) -> Path:
    """Write a data set whatever it holds, as another program would."""
    data.to_netcdf(path, engine="h5netcdf")
    return path


def refused(path: Path) -> str:
    """The one line about a file that is refused, without the path it must begin with."""
    with pytest.raises(InputError) as caught:
        read_device(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert len(line.splitlines()) == 1
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("states", [2, 5, 256])
def test_written_device_is_read_back_unchanged(tmp_path: Path, states: int) -> None:
    device = gaussian_device(states, devices=4, cycles=3)
    write_device(device, tmp_path / "device.nc")
    xr.testing.assert_identical(read_device(tmp_path / "device.nc").data, device.data)


@st.composite
def devices(draw: st.DrawFn) -> CharacterisedDevice:
    shape = draw(st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 4)))
    # Each state in its own stretch of the track, so that their means are in order and distinct.
    within = draw(arrays(np.float64, shape, elements=st.floats(0.1, 0.9)))
    positions = LENGTH * (np.arange(shape[0])[:, None, None] + within) / shape[0]
    missing = draw(arrays(np.bool_, shape))
    missing[:, 0, 0] = False
    return domain_wall_device(
        np.where(missing, NAN, positions),
        DeviceParameters(),
        source=draw(st.sampled_from(["micromagnetics", "measured", "gaussian"])),
        assumed=draw(st.lists(st.text(), max_size=3)),
        attributes=draw(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=3)),
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(device=devices())
def test_any_valid_device_survives_its_file(tmp_path: Path, device: CharacterisedDevice) -> None:
    write_device(device, tmp_path / "device.nc")
    found = read_device(tmp_path / "device.nc")
    xr.testing.assert_identical(found.data, device.data)
    assert found.assumed == device.assumed
    assert found.weight_range == device.weight_range


def test_file_follows_from_its_content(tmp_path: Path) -> None:
    for name in ("one.nc", "two.nc"):
        write_device(gaussian_device(3), tmp_path / name)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_units_are_words_and_not_dates(tmp_path: Path) -> None:
    data = gaussian_device(3).data.copy(deep=True)
    for unit in ("seconds", "days since 2000-01-01"):
        data["pulse_width"].attrs["units"] = unit
        found = read_device(store(data, tmp_path / "device.nc"))
        assert found.data["pulse_width"].values.tolist() == [1e-9] * 3


def test_whole_format_version_may_be_stored_as_a_float(tmp_path: Path) -> None:
    data = gaussian_device(3).data.assign_attrs(format_version=float(FORMAT_VERSION))
    assert read_device(store(data, tmp_path / "device.nc")).states == 3


def setting(name: str, index: Any, value: float) -> Change:
    def change(data: xr.Dataset) -> xr.Dataset:
        data[name].values[index] = value
        return data

    return change


def attribute(name: str, value: Any) -> Change:
    return lambda data: data.assign_attrs({name: value})


def replaced(name: str, dims: tuple[str, ...], values: Any) -> Change:
    return lambda data: data.drop_vars(name).assign({name: (dims, np.asarray(values))})


def dropped(name: str) -> Change:
    return lambda data: data.drop_vars(name)


def without_attribute(data: xr.Dataset) -> xr.Dataset:
    del data.attrs["format_version"]
    return data


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
    ("range by state", replaced("state_range", ("state",), [1.0] * 3), "variable 'state_range' has dimen"),
    ("one energy for all", replaced("energy", (), 1e-15), "variable 'energy' has dimensions"),
    ("infinite energy", setting("energy", (1, 1), math.inf), "variable 'energy' holds a value that is not finite"),
    ("negative energy", setting("energy", (0, 2), -1e-18), "variable 'energy' holds a negative energy"),
    ("no causes", dropped("cause"), "variable 'energy' has causes without names"),
    ("causes as numbers", lambda data: data.assign_coords(cause=[0, 1, 2]), "'cause' must hold a text for each cause"),
    ("a cause twice", lambda data: data.assign_coords(cause=["a", "b", "a"]), "'cause' names a cause of energy twice"),
    ("a cause with spaces", lambda data: data.assign_coords(cause=["a", "b", "c d"]), "'c d': must be a word of small"),
    ("no label", replaced("energy_label", ("cause",), ["a", "", "c"]), "'energy_label' must hold a text"),
    ("no technology", attribute("technology", ""), "technology = '': must be the name of a technology"),
    ("a list of technologies", attribute("technology", [1, 2]), "technology = .*: must be the name of a technology"),
    ("another kind", attribute("kind", "pulses"), "kind = 'pulses': this version of barkhausen reads 'states'"),
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
    positions = mean + 1e-8 * generator.standard_normal((3, 5, 4))
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
    assert found.failure_rate.tolist() == [0, 1 / 20, 0]


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


@pytest.mark.parametrize(("change", "culprit"), [row[1:] for row in BAD_OPTIONAL], ids=[row[0] for row in BAD_OPTIONAL])
@pytest.mark.filterwarnings("error")
def test_optional_variable_that_cannot_be_is_refused_by_name(
    tmp_path: Path, described: CharacterisedDevice, change: Change, culprit: str
) -> None:
    line = refused(store(change(described.data.copy(deep=True)), tmp_path / "device.nc"))
    assert re.search(culprit, line), line


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    data = gaussian_device(3).data.copy(deep=True)
    data["gate_voltage"].attrs["long_name"] = "gate: voltage"
    path = store(data, tmp_path / "device.nc")
    path.write_bytes(path.read_bytes().replace(b"gate: voltage", b"gate: \xffoltage"))
    assert refused(path) == "attribute 'long_name' is not UTF-8 text"


def test_means_are_checked_where_they_come_from(tmp_path: Path) -> None:
    data = gaussian_device(3).data.drop_vars(["state_mean", "sigma_device"])
    assert read_device(store(data, tmp_path / "device.nc")).states == 3
    data["state_value"].values[:] = 1e-7
    assert "states 0 and 1" in refused(store(data, tmp_path / "device.nc"))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a small measured device file, in which every byte counts."""
    positions = LENGTH * np.linspace(0.2, 0.8, 12).reshape(3, 2, 2)
    path = tmp_path_factory.mktemp("whole") / "device.nc"
    write_device(domain_wall_device(positions, DeviceParameters(), source="measured"), path)
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_truncated_file_is_refused(tmp_path: Path, content: bytes, share: float) -> None:
    path = tmp_path / "device.nc"
    path.write_bytes(content[: int(share * len(content))])
    assert refused(path).startswith("is not a readable NetCDF device file")


@pytest.mark.parametrize(
    "junk",
    [b"", b"\0" * 5000, bytes(np.random.default_rng(0).bytes(5000)), b"state,device,cycle\n", b"CDF\x01" + b"\0" * 28],
    ids=["empty", "zeros", "random", "text", "netCDF 3"],
)
def test_file_that_is_no_netcdf_4_is_refused(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "device.nc"
    path.write_bytes(junk)
    assert refused(path).startswith("is not a readable NetCDF device file")


def test_hdf5_file_without_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.nc"
    with h5py.File(path, "w") as file:
        file["position"] = np.zeros((3, 2, 2))
    refused(path)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == "no such device file"
    assert refused(tmp_path / "missing.nc") == "no such device file"
    assert refused(tmp_path / ("long" * 500)) == "cannot be read (File name too long)"


def test_damaged_file_is_a_valid_device_or_refused_in_one_line(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "device.nc"

    # Always the same examples: the HDF5 library itself never returns from a few damages of its heap, one in thousands.
    @settings(max_examples=60, derandomize=True)
    @given(
        strokes=st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4),
        end=st.just(len(content)) | st.integers(0, len(content)),
        flips=st.booleans(),
    )
    def check(strokes: list[tuple[int, int]], end: int, flips: bool) -> None:
        damaged = bytearray(content)
        for place, value in strokes:
            damaged[place] = damaged[place] ^ 1 << value % 8 if flips else value
        path.write_bytes(damaged[:end])
        try:
            device = read_device(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            assert len(str(error).splitlines()) == 1
        else:
            levels = device.distribution().levels
            assert levels[[0, -1]].tolist() == [-1, 1]
            assert all(math.isfinite(weight) for weight in device.weight_range)
            assert all(isinstance(line, str) for line in device.assumed)
            write_device(device, path)

    # What a library complains about when its objects are collected would go straight to stderr.
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    check()
    gc.collect()
    assert not complaints


def test_damage_where_the_library_would_complain_later_leaves_stderr_clean(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "device.nc"
    write_device(gaussian_device(3), path)
    damaged = bytearray(path.read_bytes())
    for place in range(48, 1200):
        damaged[place] ^= 0x55
    path.write_bytes(damaged)
    refused(path)
    gc.collect()
    assert capfd.readouterr().err == ""


def test_directories_on_the_way_are_made(tmp_path: Path) -> None:
    write_device(gaussian_device(2), tmp_path / "a" / "b" / "device.nc")
    assert read_device(tmp_path / "a" / "b" / "device.nc").states == 2


@pytest.mark.parametrize("place", ["directory", "file/device.nc", "l" * 300 + ".nc"])
def test_path_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=rf"^{re.escape(str(tmp_path / place))}: cannot be written \("):
        write_device(gaussian_device(2), tmp_path / place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]


def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "device.nc"
    write_device(gaussian_device(2), path)
    before = path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"device\.nc: cannot be written \(No space left on device\)"):
        write_device(gaussian_device(3), path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["device.nc"]
