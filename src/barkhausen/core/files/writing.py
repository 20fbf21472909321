"""Atomic files, and directories that one process at a time may write to."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import decoded, read_bytes, reason, shown

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"
"""Suffix of the name of a file that is not yet complete."""


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside the target; it takes the target's name if the block succeeds.

    A reader, or a run started after a power cut, sees the old file or the new one, never a part. The target of a
    symbolic link is replaced, not the link. What is no regular file, such as ``/dev/stdout`` or a pipe, is written to.

    Raises:
        InputError: The directory cannot be written, or the disk is full.
    """
    temporary: Path | None = None
    lock: IO[Any] | None = None
    try:
        target, written_to = _destination(target)
        if not written_to:
            target.parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.gettempdir()) if written_to else target.parent
        prefix = f".{target.name[:_LONGEST_PREFIX]}."
        _remove_left(directory, prefix)
        lock, temporary = _locked_temporary(directory, prefix)
        yield temporary
        if written_to:
            _write_to(target, temporary)
            return
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError) or not (isinstance(error, OSError) or "\0" in str(target)):
            raise
        raise unwritable(target, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if lock is not None:
            lock.close()


_LONGEST_PREFIX = 200


def _locked_temporary(directory: Path, prefix: str) -> tuple[IO[Any], Path]:
    """A new partial file, locked as long as it is open, so that it can be told from those of killed processes."""
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=PARTIAL, dir=directory)
        lock = os.fdopen(handle, "r+b")
        if take_lock(lock) and Path(name).exists():
            return lock, Path(name)
        # Another process took it for one that was left.
        lock.close()


def _remove_left(directory: Path, prefix: str) -> None:
    """Remove the partial files of one target that killed processes left."""
    if fcntl is None:
        return
    for path in directory.glob(f"{glob.escape(prefix)}*{PARTIAL}"):
        with contextlib.suppress(OSError), path.open("r+b") as file:
            if take_lock(file):
                path.unlink(missing_ok=True)


def _destination(target: Path) -> tuple[Path, bool]:
    """What stands behind symbolic links, and whether it must be written to rather than replaced."""
    for _ in range(_MOST_LINKS):
        if _OPEN_FILE.fullmatch(str(target)) or not target.is_symlink():
            break
        # By one link at a time: those of open files lead to no path.
        target = target.parent / target.readlink()
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target, False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return target, bool(_OPEN_FILE.fullmatch(str(target))) or not stat.S_ISREG(mode)


_MOST_LINKS = 40
_OPEN_FILE = re.compile(r"/(?:dev|proc/(?:self|thread-self|\d+))/fd/(\d+)")
"""Path of a file that this process has open already."""


def _write_to(target: Path, content: Path) -> None:
    opened = _OPEN_FILE.fullmatch(str(target))
    if opened is None:
        # Without O_NONBLOCK, opening a pipe that nobody reads would never return.
        handle = os.open(target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        os.set_blocking(handle, True)
    else:
        # Not opened again by its name, so that what has been printed stays before it.
        sys.stdout.flush()
        handle = os.dup(int(opened.group(1)))
    with content.open("rb") as source, os.fdopen(handle, "wb") as sink:
        shutil.copyfileobj(source, sink)


def atomic_write(target: Path, content: str | bytes) -> None:
    """Write a whole file atomically.

    Text that is not Unicode, as in a path of another encoding, is written as ``\\udcXX``.

    Raises:
        InputError: The directory cannot be written, or the disk is full.
    """
    with atomic_path(target) as temporary:
        temporary.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


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


def unwritable(target: Path, error: OSError | ValueError) -> InputError:
    """Error message of one line for an output that cannot be written."""
    return InputError(f"{shown(target)}: cannot be written ({reason(error)})")


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
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
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
    with open_lock(directory) as file:
        if not take_lock(file):
            raise InputError(f"{directory}: another process is at work in this directory")
        remove_partial(directory)
        yield


def open_lock(directory: Path) -> IO[Any]:
    """The lock file of a directory, which is made if need be. Nothing ever replaces or removes it.

    Raises:
        InputError: The directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # A link here could lead to a file that another program locks, and a pipe would never open.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        return os.fdopen(os.open(directory / LOCK, flags, 0o666), "r+b", buffering=0)
    except (OSError, ValueError) as error:
        raise unwritable(directory, error) from None


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


def read_json(path: str | Path) -> Any:
    """Read a JSON file that a run wrote.

    Raises:
        InputError: The file is missing or damaged.
    """
    path = Path(path)
    text = decoded(read_bytes(path), path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error})") from None
    except RecursionError:
        raise InputError(f"{path}: is damaged (nested too deeply)") from None


def read_json_lines(path: str | Path) -> list[Any]:
    """Read a file with a JSON value in each line.

    Raises:
        InputError: The file is missing or damaged.
    """
    path = Path(path)
    try:
        return [json.loads(line) for line in decoded(read_bytes(path), path).splitlines()]
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error})") from None
    except RecursionError:
        raise InputError(f"{path}: is damaged (nested too deeply)") from None
