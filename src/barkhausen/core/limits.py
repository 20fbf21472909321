"""Limit of the memory that one command takes without being asked to."""

from __future__ import annotations

import os
import re

from barkhausen.core.errors import InputError

MEMORY_VARIABLE = "BARKHAUSEN_MEMORY"
"""Environment variable with the memory that a command may take, such as ``16 GB``."""

UNASKED = 2e9
"""Bytes that a command may take where the variable is not set."""

_UNITS = {
    "": 1.0,
    "B": 1.0,
    "KB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KIB": 2.0**10,
    "MIB": 2.0**20,
    "GIB": 2.0**30,
}


def memory_allowed() -> float:
    """Bytes that this process may take for one input.

    Raises:
        InputError: The variable is no amount of memory.
    """
    text = os.environ.get(MEMORY_VARIABLE, "").strip()
    if not text:
        return UNASKED
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?(?:[eE]\d{1,2})?)\s*([A-Za-z]*)", text)
    if match is None or match.group(2).upper() not in _UNITS:
        raise InputError(f"{MEMORY_VARIABLE} = {text!r}: must be an amount of memory, such as 16 GB")
    return float(match.group(1)) * _UNITS[match.group(2).upper()]


def check_memory(needed: float, what: str) -> None:
    """Refuse what would take more memory than is allowed.

    Args:
        needed: Estimate in bytes.
        what: Description for the message: keys with their values.

    Raises:
        InputError: The estimate is above the limit. The message gives it, and how to allow it.
    """
    allowed = memory_allowed()
    if not needed <= allowed:
        raise InputError(
            f"{what}: would take about {in_words(needed)} of memory, more than the {in_words(allowed)} that are taken "
            f"unasked; set {MEMORY_VARIABLE} to allow it ({MEMORY_VARIABLE}='{_generous(needed)}')"
        )


def in_words(size: float) -> str:
    """A number of bytes with a unit, such as ``12.6 TB``."""
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.0f} bytes"


def _generous(needed: float) -> str:
    return f"{max(1.2 * needed / 1e9, 3):.3g} GB" if needed < 1e15 else f"{1.2 * needed / 1e9:.0e} GB"
