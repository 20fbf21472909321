"""A scheduler and workers that were there before: what a cluster has."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from barkhausen.core.errors import InputError
from barkhausen.sweep.engine import run_sweep
from small_sweep import GRID, attempts, files, run_in_threads, sweep_of

pytestmark = pytest.mark.usefixtures("one_thread")

LONG_ENOUGH = 600.0
"""Seconds after which something hangs; never waited for otherwise."""


@contextlib.contextmanager
def started(module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def address_in(path: Path) -> str:
    until = time.monotonic() + LONG_ENOUGH
    while True:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return str(json.loads(path.read_text())["address"])
        assert time.monotonic() < until, "no scheduler"
        time.sleep(0.05)


def test_workers_of_a_scheduler_give_the_same_table_and_outlive_the_sweep(tmp_path: Path) -> None:
    sweep, out = sweep_of(tmp_path, GRID), tmp_path / "out"
    run_in_threads(sweep, tmp_path / "here")
    file = str(tmp_path / "scheduler.json")
    scheduler = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    worker = ("--scheduler-file", file, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory")
    with (
        started("dask_scheduler", "--scheduler-file", file, *scheduler),
        started("dask_worker", *worker, str(tmp_path / "one")) as one,
        started("dask_worker", *worker, str(tmp_path / "two")) as two,
    ):
        counts = run_sweep(sweep, out, scheduler=address_in(Path(file)))
        assert (one.poll(), two.poll()) == (None, None)
    assert (counts.finished, counts.failed) == (4, 0)
    assert files(out) == files(tmp_path / "here")
    assert set(attempts(out).values()) == {(1, 1)}


def test_a_scheduler_that_is_not_there_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barkhausen.sweep.cluster.CONNECT_SECONDS", 1)
    for address, why in (
        ("tcp://127.0.0.1:9", "cannot be reached"),
        ("nonsense://here:9", "cannot be reached"),
        ("here", "must be an address such as tcp://host:8786"),
    ):
        with pytest.raises(InputError, match=f"--scheduler {address}: {why}"):
            run_sweep(sweep_of(tmp_path, GRID), tmp_path / "out", scheduler=address)
