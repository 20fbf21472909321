"""Reading IDX, the format of the MNIST files.

Two zero bytes, one byte for the type of the elements (0x08: unsigned byte), one for the number of dimensions;
the length of each dimension as a big-endian 32-bit integer; the elements, last dimension fastest. Y. LeCun,
C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from barkhausen.core.errors import InputError

UNSIGNED_BYTE = 0x08
"""The IDX code of the only element type the published data sets use."""


def parse_idx(content: bytes, dimensions: int, origin: str) -> UInt8[np.ndarray, "*shape"]:
    """Turn the content of an IDX file of unsigned bytes into a read-only array.

    Args:
        content: the whole file, unpacked.
        dimensions: how many dimensions the array must have: 3 for images, 1 for labels.
        origin: what error messages call the file.

    Raises:
        InputError: another type of file, element or number of dimensions; an empty dimension; more or fewer
            elements than the header declares.
    """
    if len(content) < 4:
        raise InputError(f"{origin}: has {len(content)} bytes, too few for an IDX file")
    expected = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if content[:4] != expected:
        raise InputError(f"{origin}: begins with the magic number 0x{content[:4].hex()}, not 0x{expected.hex()}")
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(f"{origin}: ends inside its header, after {len(content)} of {header} bytes")
    shape = tuple(int(length) for length in np.frombuffer(content, dtype=">u4", count=dimensions, offset=4))
    declared = " by ".join(str(length) for length in shape)
    if 0 in shape:
        raise InputError(f"{origin}: declares {declared} = 0 elements")
    # Python's integers, because four such lengths overflow a machine word in a damaged header.
    elements = math.prod(shape)
    if len(content) - header != elements:
        raise InputError(
            f"{origin}: declares {declared} = {elements} elements, but {len(content) - header} follow its header"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def read_idx(path: Path, dimensions: int, md5: str) -> UInt8[np.ndarray, "*shape"]:
    """Read an IDX file of unsigned bytes, gzip-compressed if its name ends in ``.gz``.

    Args:
        path: the file.
        dimensions: how many dimensions the array must have.
        md5: checksum of the file as it lies on the disk, in hexadecimal.

    Raises:
        InputError: the file cannot be read, is damaged, or is sound but not the one with this checksum.
            Damage is looked for first, because it tells the user more than a checksum.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    content = _unpacked(stored, str(path)) if path.suffix == ".gz" else stored
    array = parse_idx(content, dimensions, str(path))
    # The checksum guards against accidents, not attacks; some hardened builds forbid MD5 for the latter.
    found = hashlib.md5(stored, usedforsecurity=False).hexdigest()
    if found != md5:
        raise InputError(f"{path}: wrong checksum: md5 {found} where the published file has {md5}")
    return array


def _unpacked(stored: bytes, origin: str) -> bytes:
    try:
        return gzip.decompress(stored)
    except EOFError:
        raise InputError(f"{origin}: truncated: the gzip stream ends early, after {len(stored)} bytes") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{origin}: damaged gzip file ({error})") from None
