"""Results of runs and sweeps as long-format tables: read, summarised, written."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barkhausen.results.arrays import to_xarray
    from barkhausen.results.finished import FinishedRun, load_run
    from barkhausen.results.read import load_chips, load_table

__all__ = ["FinishedRun", "load_chips", "load_run", "load_table", "to_xarray"]

_HOMES = {
    "FinishedRun": "finished",
    "load_chips": "read",
    "load_run": "finished",
    "load_table": "read",
    "to_xarray": "arrays",
}


def __getattr__(name: str) -> Any:
    # pandas takes its second to import.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
