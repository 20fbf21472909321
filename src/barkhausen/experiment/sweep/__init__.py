"""Many runs from one file: planned, run, put into one tidy table, summarised and reported."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barkhausen.experiment.sweep.arrays import to_xarray
    from barkhausen.experiment.sweep.engine import Counts, run_sweep
    from barkhausen.experiment.sweep.read import load_chips, load_table
    from barkhausen.experiment.sweep.sweep_file import Sweep, load_sweep

__all__ = ["Counts", "Sweep", "load_chips", "load_sweep", "load_table", "run_sweep", "to_xarray"]

_HOMES = {
    "Counts": "engine",
    "run_sweep": "engine",
    "Sweep": "sweep_file",
    "load_sweep": "sweep_file",
    "load_chips": "read",
    "load_table": "read",
    "to_xarray": "arrays",
}


def __getattr__(name: str) -> Any:
    # Reading a table does not need dask, and planning does not need pandas; each takes its second to import.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
