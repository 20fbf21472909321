"""Devices of a certain kind by name: shipped with the package, or a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes
from barkhausen.device.file import read_device_of_kind
from barkhausen.device.kinds import DEVICE_KINDS
from barkhausen.device.technology import SHIPPED, refuse_only_parameters


def file_of_kind(name: str | Path, kind: str) -> Path:
    """Path of a device file that is named or shipped.

    Args:
        name: Path of a device file, or name of a shipped device of the kind.
        kind: Name of the kind.

    Raises:
        InputError: There is neither.
    """
    shipped = DEVICE_KINDS.named(kind).shipped
    if str(name) in shipped:
        return SHIPPED / f"{name}.nc"
    path = Path(name)
    if not path.is_file():
        refuse_only_parameters(str(name))
        raise InputError(
            f"{name}: no such device file, and no shipped device of kind {kind!r}; shipped are {', '.join(shipped)}"
        )
    return path


def device_of_kind(name: str | Path, kind: str) -> Any:
    """The device of a file, or the shipped device of that name; the arguments are those of :func:`file_of_kind`.

    Raises:
        InputError: There is no such device, or it is of another kind.
    """
    return read_device_of_kind(file_of_kind(name, kind), kind)


def checked_digest(name: str, file: Path, given: str | None) -> str:
    """SHA-256 digest of a device file, which a resolved recipe keeps.

    Args:
        name: Device as the recipe names it.
        file: Its file.
        given: Digest that the recipe has. None: that of the file.

    Raises:
        ValueError: The file has another digest.
    """
    found = hashlib.sha256(read_bytes(file, binary=True)).hexdigest()
    if given not in (None, found):
        raise ValueError(f"device = {name!r} is not the file that the digest names")
    return found
