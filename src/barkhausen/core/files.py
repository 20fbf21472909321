"""Atomic files, and directories that one process at a time may write to."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from barkhausen.core.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"
"""Suffix of the name of a file that is not yet complete."""


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path in the target's directory; it takes the target's name if the block succeeds.

    A reader, or a run started after a power cut, sees the old file or the new one, never a part.

    Raises:
        InputError: The directory cannot be written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=PARTIAL, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def atomic_write(target: Path, content: str | bytes) -> None:
    """Write a whole file atomically.

    Raises:
        InputError: The directory cannot be written, or the disk is full.
    """
    with atomic_path(target) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def remove_partial(directory: Path) -> None:
    """Remove the partial files that killed writers left in a directory, and nothing else.

    Raises:
        InputError: The directory cannot be written.
    """
    try:
        for path in directory.glob(f".*{PARTIAL}"):
            path.unlink()
    except OSError as error:
        raise unwritable(directory, error) from None


def unwritable(target: Path, error: OSError) -> InputError:
    """Error message of one line for an output that cannot be written."""
    return InputError(f"{target}: cannot be written ({error.strerror or error})")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def take_lock(file: IO[Any]) -> bool:
    """Take the lock of an open file, which is held until it is closed; False where another process holds it.

    Always True where there are no locks (Windows, some file systems); there the user must avoid a second process.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


LOCK = ".lock"
"""Name of the file whose lock belongs to the process at work in the directory."""


def check_directory(directory: Path, marker: str, what: str) -> bool:
    """Whether a directory holds ``what`` already; one that holds something else is refused.

    Files that begin with a dot do not count: a killed process may have left them.

    Args:
        directory: Directory, which need not exist.
        marker: Name of a file that a directory of ``what`` holds from the start.
        what: Description for messages, such as ``"a run"``.

    Raises:
        InputError: The path is used for something else, is no directory, or cannot be read.
    """
    try:
        if (directory / marker).exists():
            return True
        if directory.exists() and (
            not directory.is_dir() or any(not path.name.startswith(".") for path in directory.iterdir())
        ):
            raise InputError(f"{directory}: exists and is not the directory of {what}")
    except OSError as error:
        raise unwritable(directory, error) from None
    return False


@contextlib.contextmanager
def claimed_directory(directory: Path, marker: str, what: str) -> Iterator[None]:
    """Directory locked by this process while the block runs; partial files of killed writers are removed.

    Args:
        directory, marker, what: Arguments of :func:`check_directory`.

    Raises:
        InputError: The directory is used for something else, another process is at work there, or it cannot be written.
    """
    check_directory(directory, marker, what)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / LOCK).open("a+b")
    except OSError as error:
        raise unwritable(directory, error) from None
    with file:
        if not take_lock(file):
            raise InputError(f"{directory}: another process is at work in this directory")
        remove_partial(directory)
        yield


def clear_directory(directory: Path) -> None:
    """Remove everything in a claimed directory but its lock.

    Raises:
        InputError: The directory cannot be written.
    """
    try:
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()
    except OSError as error:
        raise unwritable(directory, error) from None


def read_json(path: Path) -> Any:
    """Read a JSON file that a run wrote.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error})") from None
