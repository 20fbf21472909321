"""Real processes that are killed at random moments: the table is the same in the end, and nothing was done twice."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import forked
from small_sweep import BASE, attempts, files, run_in_threads, sweep_of

pytestmark = pytest.mark.usefixtures("one_thread")

LONG_ENOUGH = 600.0
"""Seconds after which something hangs; never waited for otherwise."""

WORKER = re.compile("spawn_main|^dask worker")
"""Command line of a worker. Where setproctitle is installed, Dask gives a running one a title of its own."""

GRID = """
recipe = "base.toml"
[set]
epochs = 8
[search]
kind = "grid"
[search.over]
seed = [0, 1, 2, 3, 4]
"""


class Victim:
    """``barkhausen sweep`` in a session of its own."""

    def __init__(self, folder: Path, out: Path, workers: int = 2) -> None:
        self.out = out
        self.process = forked.start(
            "sweep", folder / "sweep.toml", "--workers", workers, "--out", out, first="import os; os.setsid()",
            environment=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def wait(self) -> int:
        """Its exit code."""
        return self.process.result(LONG_ENOUGH).returncode

    @property
    def errors(self) -> str:
        """What it has written to stderr so far."""
        return self.process.errors

    def workers(self) -> list[psutil.Process]:
        """Its worker processes that are alive."""
        try:
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if WORKER.search(" ".join(child.cmdline()))]
        except psutil.NoSuchProcess:
            return []

    def started(self) -> int:
        """How many attempts have been started, by this command and those before."""
        return sum(started for started, _ in attempts(self.out).values())

    def wait_for_another(self) -> bool:
        """Wait until something more has been started, or the command has ended; whether it still runs."""
        before = self.started()
        return self.wait_for(lambda: self.started() > before and bool(self.workers()))

    def wait_for(self, what: Callable[[], bool]) -> bool:
        """Wait until something is so, or the command has ended; whether it still runs."""
        until = time.monotonic() + LONG_ENOUGH
        while self.process.poll() is None and not what():
            assert time.monotonic() < until, self.errors
            time.sleep(0.02)
        return self.process.poll() is None


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=LONG_ENOUGH)
    return not alive


def nothing_was_done_twice(out: Path, tasks: int) -> None:
    found = attempts(out)
    assert len(found) == tasks
    # The attempt that finished a task was the last one.
    assert all(finished == started for started, finished in found.values())


def disturbed(folder: Path, out: Path, kills: int, seed: int, workers: int = 2) -> None:
    """A sweep to its end, with so many kills of a worker or of the command soon after something new was started."""
    chance = random.Random(seed)
    victim = Victim(folder, out, workers)
    try:
        for number in range(kills):
            if not victim.wait_for_another():
                break
            time.sleep(chance.uniform(0, 0.5))
            at_work = victim.workers()
            if number % 2 == 0 and at_work:
                chance.choice(at_work).kill()
                continue
            victim.process.send_signal(signal.SIGKILL)
            victim.wait()
            assert gone(at_work), "workers outlived their client"
            victim = Victim(folder, out, workers)
        assert victim.wait() == 0, victim.errors
    finally:
        if victim.process.poll() is None:
            os.killpg(victim.process.pid, signal.SIGKILL)
        victim.wait()


def test_a_sweep_whose_processes_are_killed_ends_with_the_same_table(tmp_path: Path) -> None:
    sweep, out = sweep_of(tmp_path, GRID), tmp_path / "out"
    run_in_threads(sweep, tmp_path / "undisturbed")
    # One worker after another; `make validate` kills one of two.
    disturbed(tmp_path, out, kills=2, seed=1, workers=1)
    assert files(out) == files(tmp_path / "undisturbed")
    nothing_was_done_twice(out, 5)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_signal_stops_the_workers_too_and_the_table_says_how_far_it_came(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    sweep_of(tmp_path, GRID, base=BASE.replace("epochs = 1", ""))
    text = (tmp_path / "sweep.toml").read_text().replace("epochs = 8", "epochs = 100000")
    (tmp_path / "sweep.toml").write_text(text)
    victim = Victim(tmp_path, tmp_path / "out", workers=1)
    try:
        assert victim.wait_for(lambda: victim.started() > 0)
        workers = victim.workers()
        assert workers
        victim.process.send_signal(number)
        assert victim.wait() == code
        assert gone(workers)
    finally:
        if victim.process.poll() is None:
            os.killpg(victim.process.pid, signal.SIGKILL)
        victim.wait()
    errors = victim.errors
    assert "Traceback" not in errors
    assert ("interrupted" if number == signal.SIGINT else "terminated; the same command resumes") in errors
    assert (tmp_path / "out" / "table.parquet").exists()


@pytest.mark.parametrize(
    "seconds", [0.0, pytest.param(0.4, marks=pytest.mark.slow), pytest.param(1.5, marks=pytest.mark.slow)]
)
def test_ctrl_c_while_workers_start_is_clean(seconds: float, tmp_path: Path) -> None:
    sweep_of(tmp_path, GRID)
    victim = Victim(tmp_path, tmp_path / "out", workers=1)
    try:
        assert victim.wait_for(lambda: bool(victim.workers()))
        workers = victim.workers()
        time.sleep(seconds)
        # A terminal sends it to all processes of the command.
        os.killpg(victim.process.pid, signal.SIGINT)
        assert victim.wait() == 130
        assert gone(workers)
    finally:
        if victim.process.poll() is None:
            os.killpg(victim.process.pid, signal.SIGKILL)
        victim.wait()
    errors = victim.errors
    assert "Traceback" not in errors, errors
    assert "interrupted" in errors


@pytest.mark.slow
def test_killed_reproduction_leaves_no_worker(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "barkhausen",
        "reproduce",
        "--quick",
        "--workers",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        until = time.monotonic() + LONG_ENOUGH
        while len(workers := psutil.Process(process.pid).children(recursive=True)) < 2:
            time.sleep(0.1)
            assert time.monotonic() < until
    finally:
        process.kill()
        process.wait()
    assert gone(workers)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_many_kills_change_nothing_either(seed: int, tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID.replace("[0, 1, 2, 3, 4]", str(list(range(24)))))
    out = tmp_path / "out"
    run_in_threads(sweep, tmp_path / "undisturbed")
    disturbed(tmp_path, out, kills=12, seed=seed)
    assert files(out) == files(tmp_path / "undisturbed")
    nothing_was_done_twice(out, 24)
