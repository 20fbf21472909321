"""Loading of the compiled kernel and choice of its variant."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from barkhausen.micromagnetics.compiled.layout import ProblemArguments, RunArguments, fingerprint

FORCE_VARIABLE = "BARKHAUSEN_KERNEL"
"""Environment variable that names the variant to use instead of the best the processor runs."""

LIBRARY = Path(__file__).with_name("_kernel.so")


@dataclass(frozen=True)
class Library:
    """The loaded library and the names of its variants, best first."""

    handle: ctypes.CDLL
    variants: tuple[str, ...]
    runs_here: tuple[bool, ...]


@cache
def _load() -> Library | str:
    """The library, or in one line why there is none."""
    if not LIBRARY.exists():
        return "the compiled kernel was not built (no C++ compiler at installation?)"
    try:
        handle = ctypes.CDLL(str(LIBRARY))
        handle.barkhausen_layout.restype = ctypes.c_int64
        if handle.barkhausen_layout() != fingerprint():
            return "the compiled kernel belongs to another version of this package: reinstall it"
        handle.barkhausen_variant.restype = ctypes.c_char_p
        handle.barkhausen_workspace_bytes.restype = ctypes.c_int64
        handle.barkhausen_workspace_bytes.argtypes = [ctypes.POINTER(ProblemArguments), ctypes.c_int]
        handle.barkhausen_run.restype = None
        handle.barkhausen_run.argtypes = [ctypes.POINTER(ProblemArguments), ctypes.POINTER(RunArguments), ctypes.c_int]
    except (OSError, AttributeError) as error:
        return f"the compiled kernel does not load: {' '.join(str(error).split())}"
    names: list[str] = []
    while (name := handle.barkhausen_variant(len(names))) is not None:
        names.append(name.decode())
    return Library(handle, tuple(names), tuple(bool(handle.barkhausen_runs_here(n)) for n in range(len(names))))


def available() -> bool:
    """Whether the compiled kernel can be used."""
    return not isinstance(_load(), str)


def unavailable_reason() -> str | None:
    """Reason of one line why the compiled kernel cannot be used, or None if it can."""
    loaded = _load()
    return loaded if isinstance(loaded, str) else None


def library() -> Library:
    """The loaded library; ValueError without one."""
    loaded = _load()
    if isinstance(loaded, str):
        raise ValueError(loaded)
    return loaded


def supported_variants() -> tuple[str, ...]:
    """The variants this processor runs, best first."""
    loaded = library()
    return tuple(name for name, here in zip(loaded.variants, loaded.runs_here, strict=True) if here)


def variant() -> str:
    """The variant in use; ValueError if the environment asks for one that cannot run here."""
    here = supported_variants()
    wanted = os.environ.get(FORCE_VARIABLE, "")
    if wanted and wanted not in here:
        raise ValueError(f"{FORCE_VARIABLE}={wanted}: this processor runs {', '.join(here)}")
    return wanted or here[0]


def variant_number() -> int:
    """The library's number of the variant in use."""
    return library().variants.index(variant())
