"""Locks of files that die with the process that holds them."""

from __future__ import annotations

from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def take_lock(file: IO[Any]) -> bool:
    """Take the lock of an open file, which is held until it is closed; False where another process holds it.

    Without locks (Windows, some file systems) it is always taken: two processes there are the user's to avoid.
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
