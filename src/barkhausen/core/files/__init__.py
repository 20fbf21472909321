"""Files: atomic writing, reading with limits, and directories that one process at a time may write to."""

from barkhausen.core.files.writing import (
    LOCK,
    PARTIAL,
    atomic_path,
    atomic_write,
    check_directory,
    claimed_directory,
    clear_directory,
    open_lock,
    read_json,
    read_json_lines,
    remove_partial,
    take_lock,
    unwritable,
)

__all__ = [
    "LOCK",
    "PARTIAL",
    "atomic_path",
    "atomic_write",
    "check_directory",
    "claimed_directory",
    "clear_directory",
    "open_lock",
    "read_json",
    "read_json_lines",
    "remove_partial",
    "take_lock",
    "unwritable",
]
