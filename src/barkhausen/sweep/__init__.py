"""Many runs from one file: planned, run, and put into one long-format table."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barkhausen.sweep.engine import Counts, run_sweep
    from barkhausen.sweep.sweep_file import Sweep, load_sweep

__all__ = ["Counts", "Sweep", "load_sweep", "run_sweep"]

_HOMES = {"Counts": "engine", "run_sweep": "engine", "Sweep": "sweep_file", "load_sweep": "sweep_file"}


def __getattr__(name: str) -> Any:
    # Planning does not need dask, which takes its second to import.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
