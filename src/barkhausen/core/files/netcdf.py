"""NetCDF 4 files, read without the HDF5 library, which never returns from some damaged files."""

from __future__ import annotations

import io
import math
import warnings
from functools import lru_cache
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes
from barkhausen.core.limits import check_memory

STEPS = 1_000_000
"""Pieces that a file may be read in, more than any whole file of the size that is read has."""


class _Bounded(io.BytesIO):
    """Content of a file that can be read in a limited number of pieces: damaged links may lead in a circle."""

    left = STEPS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("its parts refer to each other in a circle")
        return super().read(size)


class _File(h5netcdf.File):  # type: ignore[misc]
    """File whose destructor does not complain where the constructor has failed."""

    _writable = False


def read_netcdf(path: str | Path, *, decode_times: bool = False, what: str = "file") -> xr.Dataset:
    """Read a whole NetCDF 4 file into memory.

    Args:
        path: File.
        decode_times: Whether numbers with a unit of time become dates and durations.
        what: Kind of the file, for messages.

    Raises:
        InputError: The file is missing, no regular file, no NetCDF 4, damaged, or too large.
    """
    path = Path(path)
    content = read_bytes(path, binary=True, missing=f"no such {what}")
    try:
        with warnings.catch_warnings():
            # What cannot be understood is an error below, or no part of what we read.
            warnings.simplefilter("ignore")
            if len(content) > KEPT_BYTES:
                return _parsed(content, str(path), decode_times)
            # A sweep or a notebook reads the same few device files again and again. The copy is the caller's to change.
            return _kept(content, str(path), decode_times).copy(deep=True)
    except InputError:
        raise
    # The libraries raise many kinds of errors on damaged files; all of them mean the same to the user.
    except Exception as error:
        first = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"{path}: is not a readable NetCDF {what} ({first})") from None


KEPT_BYTES = 1 << 20
"""Files up to this size are parsed once and kept, the last sixteen of them."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PLACE_OF_END = {0: 40, 1: 44, 2: 28, 3: 28}
"""Place of the address of the end, by the version of the superblock (HDF5 File Format Specification, II.A)."""


def _check_length(content: bytes) -> None:
    """Refuse a file that is no HDF5 file or was cut short."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("it is no HDF5 file")
    place = _PLACE_OF_END.get(content[8]) if len(content) > 8 else None
    if place is None or len(content) < place + 8:
        raise ValueError("its beginning is damaged")
    end = int.from_bytes(content[place : place + 8], "little")
    if end > len(content):
        raise ValueError(f"it is cut short: {len(content)} of {end} bytes")


@lru_cache(maxsize=16)
def _kept(content: bytes, origin: str, decode_times: bool) -> xr.Dataset:
    return _parsed(content, origin, decode_times)


def _parsed(content: bytes, origin: str, decode_times: bool) -> xr.Dataset:
    _check_length(content)
    with (
        _File(_Bounded(content), "r", backend="pyfive") as file,
        xr.open_dataset(H5NetCDFStore(file), decode_times=decode_times) as lazy,
    ):
        # Before anything is read: a damaged shape may ask for any amount.
        needed = sum(math.prod(map(int, item.shape)) * max(item.dtype.itemsize, 8) for item in lazy.variables.values())
        check_memory(2 * needed + len(content), origin)
        data = lazy.load()
    # Text has fixed length, as xarray gives it where the HDF5 library reads it.
    for name, variable in data.variables.items():
        if variable.dtype == object:
            values = np.array([str(value) for value in variable.values.flat]).reshape(variable.shape)
            data[name] = (variable.dims, values, variable.attrs)
    return data
