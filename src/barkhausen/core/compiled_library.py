"""Functions of a compiled library beside a module, which may not have been built."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

POINTER: Any = ctypes.c_void_p
INTEGER: Any = ctypes.c_int64
REAL: Any = ctypes.c_float

Signature = tuple[Sequence[Any], Any]
"""Types of the arguments of a function, and the type of its result."""


class CompiledLibrary:
    """A library that is loaded when it is first used.

    Args:
        path: File of the library.
        functions: Signature of each function by name.
    """

    def __init__(self, path: Path, functions: Mapping[str, Signature]) -> None:
        self.path, self.functions = path, dict(functions)

    def __call__(self) -> ctypes.CDLL | None:
        """The library; None where it was not built, or is of an earlier version that lacks a function."""
        return self._handle

    @cached_property
    def _handle(self) -> ctypes.CDLL | None:
        try:
            handle = ctypes.CDLL(str(self.path))
            for name, (arguments, result) in self.functions.items():
                function = getattr(handle, name)
                function.argtypes, function.restype = list(arguments), result
        except (OSError, AttributeError):
            return None
        return handle
