"""Sweeps of small networks on small digits, and a quick cluster of threads to run them on."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

from barkhausen.core.progress import Silent
from barkhausen.sweep.engine import Counts, Sweeping
from barkhausen.sweep.execute import Call
from barkhausen.sweep.store import Store
from barkhausen.sweep.sweep_file import Sweep, load_sweep
from barkhausen.sweep.task import run_task

BASE = """
states = 3
epochs = 1
[dataset]
name = "digits"
[network]
hidden = [8]
[device]
preset = "gaussian"
[transfer]
chips = 2
"""

GRID = """
recipe = "base.toml"
[search]
kind = "grid"
[search.over]
"device.margin" = [0.3, 0.5]
seed = [0, 1]
"""


def sweep_of(folder: Path, text: str, *settings: str, base: str = BASE) -> Sweep:
    """Write base and sweep file, and read them."""
    folder.mkdir(exist_ok=True)
    (folder / "base.toml").write_text(base, encoding="utf-8")
    (folder / "sweep.toml").write_text(text, encoding="utf-8")
    return load_sweep(folder / "sweep.toml", settings)


@contextlib.contextmanager
def threads(workers: int = 1) -> Iterator[Client]:
    """A client of workers that are threads: there at once, and what they do is seen by the test."""
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=False,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run_in_threads(
    sweep: Sweep,
    directory: Path,
    *,
    workers: int = 1,
    call: Call = run_task,
    log: Callable[[str], None] = lambda line: None,
) -> Counts:
    """A whole sweep, its workers being threads."""
    return Sweeping(
        sweep, directory, None, open_cluster=lambda: threads(workers), progress=Silent(), log=log, call=call
    ).run()


def attempts(directory: Path) -> dict[str, tuple[int, int | None]]:
    """Attempts started of each task, and the number of the one that finished it."""
    found = {}
    for path in directory.glob("tasks/*/*"):
        result = path / "result.json"
        # A directory is there before its files.
        number = len(Store(directory).attempts(path.name))
        found[path.name] = number, json.loads(result.read_text())["attempts"] if result.exists() else None
    return found


def files(directory: Path) -> dict[str, Any]:
    """Content of the tables that are to be the same every time."""
    return {name: (directory / name).read_bytes() for name in ("table.parquet", "chips.parquet")}
