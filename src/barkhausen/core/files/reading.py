"""Files that a user hands in, read with limits on their kind, their size and the time that they take."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import select
import stat
import time
import zlib
from pathlib import Path

from barkhausen.core.errors import InputError
from barkhausen.core.limits import in_words, memory_allowed

PIPE_SECONDS = 10.0
"""Time in s that a pipe may take to deliver its content."""

SHARE_OF_TEXT = 1 / 16
"""Largest text file as a share of the memory allowed: parsed, text takes about ten times its size."""

SHARE_OF_BINARY = 1 / 4
"""Largest binary file as a share of the memory allowed."""


def read_bytes(path: str | Path, *, binary: bool = False, missing: str = "no such file") -> bytes:
    """Read a whole file that a user named: a regular file, or a pipe such as ``/dev/stdin``.

    Args:
        path: File.
        binary: Whether it is read into arrays, and so may be larger than text.
        missing: Message for a file that is not there.

    Raises:
        InputError: The file is missing, unreadable, neither a regular file nor a pipe, too large, or a pipe that does
            not deliver in time.
    """
    path = Path(path)
    most = int(memory_allowed() * (SHARE_OF_BINARY if binary else SHARE_OF_TEXT))
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: {missing}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)}: cannot be read ({reason(error)})") from None
    try:
        about = os.fstat(handle)
        if stat.S_ISFIFO(about.st_mode):
            return _read_pipe(handle, path, most)
        if not stat.S_ISREG(about.st_mode):
            kind = "directory" if stat.S_ISDIR(about.st_mode) else "device"
            raise InputError(f"{path}: is a {kind}, not a file")
        if about.st_size > most:
            raise InputError(_too_large(path, f"has {in_words(about.st_size)}", most))
        return _read_all(handle, path, most, about.st_size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from None
    finally:
        os.close(handle)


def decoded(content: bytes, path: Path) -> str:
    """Text of a UTF-8 file, with or without a byte-order mark.

    Raises:
        InputError: It is not UTF-8.
    """
    try:
        # As from a text file: all kinds of line ends are one.
        return io.IncrementalNewlineDecoder(None, translate=True).decode(content.decode("utf-8-sig"), final=True)
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None


def check_file(path: Path) -> None:
    """Refuse what is no regular file, for a library that opens the path itself.

    Raises:
        InputError: The file is missing, unreadable, no regular file, or larger than the memory allowed.
    """
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)}: cannot be read ({reason(error)})") from None
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"{path}: is a {'directory' if stat.S_ISDIR(about.st_mode) else 'device'}, not a file")
    most = int(memory_allowed())
    if about.st_size > most:
        raise InputError(_too_large(path, f"has {in_words(about.st_size)}", most))


def is_file(path: Path) -> bool:
    """Whether a regular file lies at a path; False, not an error, where there can be none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def unpacked(stored: bytes, origin: str, most: int | None = None) -> bytes:
    """Content of a gzip file, of a limited size.

    Args:
        stored: The packed file.
        origin: Its name in messages.
        most: Largest size of the content in bytes. Default: a share of the memory allowed.

    Raises:
        InputError: The file is truncated, damaged, or unpacks to more.
    """
    most = int(memory_allowed() * SHARE_OF_BINARY) if most is None else most
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(stored)) as file:
            content = file.read(most + 1)
    except EOFError:
        raise InputError(f"{origin}: truncated: the gzip stream ends early, after {len(stored)} bytes") from None
    except (OSError, zlib.error) as error:
        raise InputError(f"{origin}: damaged gzip file ({error})") from None
    if len(content) > most:
        raise InputError(_too_large(origin, f"unpacks {in_words(len(stored))} to more than that", most))
    return content


def unpacked_xz(stored: bytes, origin: str, most: int) -> bytes:
    """Content of an xz file, of a limited size.

    Args:
        stored: The packed file.
        origin: Its name in messages.
        most: Largest size of the content in bytes.

    Raises:
        InputError: The file is truncated, damaged, or unpacks to more.
    """
    try:
        decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        content = decompressor.decompress(stored, most + 1)
    except lzma.LZMAError as error:
        raise InputError(f"{origin}: damaged xz file ({error})") from None
    if len(content) > most:
        raise InputError(_too_large(origin, f"unpacks {in_words(len(stored))} to more than that", most))
    if not decompressor.eof:
        raise InputError(f"{origin}: truncated: the xz stream ends early, after {len(stored)} bytes")
    return content


def reason(error: OSError | ValueError) -> str:
    """What is wrong with a path, in a few words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def shown(path: Path | str) -> str:
    """A path as it can be printed; a NUL, which a path cannot hold, as ``\\0``."""
    return str(path).replace("\0", "\\0")


def _read_all(handle: int, path: Path, most: int, expected: int) -> bytes:
    """All of a regular file; one below /proc says that it is empty, and one that is written to may have grown."""
    parts, size = [], 0
    while part := os.read(handle, max(expected + 1 - size, 1 << 16)):
        parts.append(part)
        size += len(part)
        if size > most:
            raise InputError(_too_large(path, "delivers more", most))
    return b"".join(parts)


def _read_pipe(handle: int, path: Path, most: int) -> bytes:
    until = time.monotonic() + PIPE_SECONDS
    parts: list[bytes] = []
    size = 0
    while True:
        ready, _, _ = select.select([handle], [], [], max(until - time.monotonic(), 0))
        if not ready:
            raise InputError(f"{path}: is a pipe that has delivered no end within {PIPE_SECONDS:g} s")
        part = os.read(handle, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > most:
            raise InputError(_too_large(path, "delivers more", most))


def _too_large(path: Path | str, what: str, most: int) -> str:
    return f"{path}: {what}; the most that is read unasked is {in_words(most)} (BARKHAUSEN_MEMORY raises it)"
