from __future__ import annotations

import errno
import math
import re
from pathlib import Path

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
from device_files import store

LENGTH = 512e-9
NAN = math.nan


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


def test_directories_on_the_way_are_made(tmp_path: Path) -> None:
    write_device(gaussian_device(2), tmp_path / "a" / "b" / "device.nc")
    assert read_device(tmp_path / "a" / "b" / "device.nc").states == 2


@pytest.mark.parametrize("place", ["directory", "file/device.nc", "l" * 300 + ".nc"])
def test_path_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=rf"^{re.escape(str(tmp_path / place)[:120])}.*: cannot be written \("):
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
