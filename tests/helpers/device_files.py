"""Device files as another program would write them, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import (
    read_device,
)

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
