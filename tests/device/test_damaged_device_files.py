from __future__ import annotations

import gc
import math
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from barkhausen.core.errors import InputError
from barkhausen.core.files.netcdf import read_netcdf
from barkhausen.core.limits import MEMORY_VARIABLE
from barkhausen.device import (
    DeviceParameters,
    domain_wall_device,
    gaussian_device,
    read_device,
    write_device,
)
from barkhausen.device.presets import SHIPPED
from device_files import refused

LENGTH = 512e-9
NAN = math.nan


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
    assert refused(tmp_path) == "is a directory, not a file"
    assert refused(tmp_path / "missing.nc") == "no such device file"
    with pytest.raises(InputError, match=r"^\S+…\S+: cannot be read \(File name too long\)$") as caught:
        read_device(tmp_path / ("long" * 500))
    assert len(str(caught.value)) < 300


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


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "damaged").glob("*.nc")), ids=lambda path: path.stem)
def test_file_in_which_the_hdf5_library_never_returns_is_refused(path: Path) -> None:
    assert refused(path).startswith("is not a readable NetCDF device file")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.nc")), ids=lambda path: path.stem)
def test_values_are_those_that_the_hdf5_library_reads(path: Path) -> None:
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as lazy:
        theirs = lazy.load()
    ours = read_netcdf(path)
    assert ours.identical(theirs)
    for name, variable in theirs.variables.items():
        assert ours[name].dtype == variable.dtype
        assert ours[name].values.tobytes() == variable.values.tobytes()
        assert {key: type(value) for key, value in ours[name].attrs.items()} == {
            key: type(value) for key, value in variable.attrs.items()
        }


def test_shape_that_asks_for_more_memory_than_is_allowed_is_refused(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "device.nc"
    path.write_bytes(content)
    monkeypatch.setenv(MEMORY_VARIABLE, "300 kB")
    read_device(path)
    monkeypatch.setenv(MEMORY_VARIABLE, "10 kB")
    assert "the most that is read unasked is" in refused(path)
