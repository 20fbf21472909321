"""Device files: the common NetCDF format of simulated, measured and textbook devices.

A file is of one kind (:mod:`.kinds`). In files of devices that are reset and programmed the dimensions are ``state``,
``device`` (one roughness realisation is one physical device) and ``cycle`` (one programming event). Required are
``state_value`` [state, device, cycle], ``state_range`` [bound] and the attributes ``format_version``, ``technology``,
``kind`` and ``source``. All other contents are optional; ``docs/device-file.md`` describes them.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Protocol

import h5netcdf
import xarray as xr
from xarray.backends import H5NetCDFStore

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.files.netcdf import read_netcdf
from barkhausen.device.characterised import FORMAT_VERSION, CharacterisedDevice
from barkhausen.device.kinds import DEVICE_KINDS, STATES, DeviceKind, check_kind, kind_of

__all__ = ["FORMAT_VERSION", "read_any_device", "read_device", "read_device_of_kind", "write_device"]

DEVICE_KINDS.register(
    STATES, DeviceKind(STATES, "a device that is reset and programmed to one of its states", CharacterisedDevice, True)
)


class Labelled(Protocol):
    """A device of any kind: a value around one data set."""

    @property
    def data(self) -> xr.Dataset:
        """Content of the device file."""


def write_device(device: Labelled, path: str | Path) -> None:
    """Write a device file (NetCDF 4) of any kind, atomically.

    Raises:
        InputError: The path cannot be written.
    """
    path = Path(path)
    # In memory first: on a full disk the HDF5 library writes long error traces to stderr or crashes.
    content = io.BytesIO()
    try:
        with h5netcdf.File(content, "w") as file:
            device.data.dump_to_store(H5NetCDFStore(file))
    # Names, types and sizes that a file was given by hand, and that the library would not write.
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"{path}: this device cannot be written as NetCDF ({first})") from None
    atomic_write(path, content.getvalue())


def read_device(path: str | Path) -> CharacterisedDevice:
    """Read and validate the device file of a device that is reset and programmed.

    Raises:
        InputError: The file is missing, is not NetCDF, has another format version, is of another kind, or holds values
            that are impossible for a device. The message names the file and the variable.
    """
    device: CharacterisedDevice = read_device_of_kind(path, STATES)
    return device


def read_any_device(path: str | Path) -> Any:
    """Read and validate a device file of any kind (:data:`.DEVICE_KINDS`).

    Raises:
        InputError: As :func:`read_device`.
    """
    return read_device_of_kind(path, None)


def read_device_of_kind(path: str | Path, kind: str | None) -> Any:
    """Read and validate a device file.

    Args:
        path: File.
        kind: Kind that is needed. None: any kind.

    Raises:
        InputError: As :func:`read_device`.
    """
    path = Path(path)
    # A device file holds no dates, but xarray would decode a pulse width in "seconds" as one.
    data = read_netcdf(path, what="device file")
    try:
        _text_attributes(data)
        _json_attributes(data)
        if kind is not None:
            check_kind(data, kind)
        return kind_of(data).opened(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    # Values that cannot belong together lead numpy, xarray and pydantic to errors of their own.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"{path}: holds variables that do not fit each other ({first})") from None


def _text_attributes(data: xr.Dataset) -> None:
    """Refuse text that is not UTF-8 and could not be printed or written; it is read with surrogates."""
    for attributes in (data.attrs, *(variable.attrs for variable in data.variables.values())):
        for name, value in attributes.items():
            try:
                f"{name}{value if isinstance(value, str) else ''}".encode()
            except UnicodeEncodeError:
                raise InputError(f"attribute {name!a} is not UTF-8 text") from None


def _json_attributes(data: xr.Dataset) -> None:
    for name, kind in (("assumed", list), ("parameters", dict), ("attributes", dict)):
        if name in data.attrs:
            try:
                value = json.loads(str(data.attrs[name]))
                json.dumps(value, ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                raise InputError(f"attribute '{name}' is not JSON") from None
            if not isinstance(value, kind):
                raise InputError(f"attribute '{name}' is not a JSON {kind.__name__}")
