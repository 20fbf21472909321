"""Failures of the machine rather than of the input or the package: a full disk, no more memory, a closed pipe."""

from __future__ import annotations

import os
import sys

MEMORY_MESSAGES = ("can't allocate memory", "out of memory", "not enough memory", "std::bad_alloc")
"""Parts of the messages of torch and other libraries where no memory is left."""


def failure_in_words(error: BaseException) -> str | None:
    """One line about a failure of the machine; empty for a reader that went away, None for any other error."""
    if isinstance(error, BrokenPipeError):
        # Or Python would complain once more when it flushes stdout at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ""
    if isinstance(error, OSError) and error.errno is not None:
        name = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{name}{error.strerror or error}"
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(part in str(error) for part in MEMORY_MESSAGES)
    ):
        return "there is not enough memory on this machine"
    return None
