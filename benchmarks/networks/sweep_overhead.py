"""Speed-up and overhead of a sweep on two cores.

1. The same runs one after another in one process, and as ``barkhausen sweep`` in worker processes, imports and the
   start of workers included. Target: at most 0.6 of the time with two workers.
2. Tasks that sleep: wall time x workers minus the sum of the task times, over that sum. Target: at most 3 % for tasks
   of a minute.

Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from barkhausen.core.progress import Silent
from barkhausen.sweep.cluster import local_cluster
from barkhausen.sweep.engine import Sweeping
from barkhausen.sweep.plan import Planner, Task
from barkhausen.sweep.points import points
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.sweep.task import Outcome, attempt, run_task

BASE = """
states = 5
epochs = {epochs}
[dataset]
name = "{dataset}"
[transfer]
chips = 2
"""

SWEEP = """
recipe = "base.toml"
[search]
kind = "grid"
[search.over]
seed = {seeds}
"""


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--sleep", type=float, default=60.0, help="Seconds that a sleeping task takes.")
    parser.add_argument("--sleepers", type=int, default=8, help="How many of them; 0 for none.")
    parser.add_argument("--one-after-another", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one_after_another is not None:
        one_after_another(given.one_after_another, given.data_dir)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "base.toml").write_text(BASE.format(epochs=given.epochs, dataset=given.dataset), encoding="utf-8")
        if given.runs:
            compare(folder, given.runs, given.workers, given.data_dir)
        if given.sleepers:
            sleep(folder, given.sleepers, given.workers, given.sleep)


def compare(folder: Path, runs: int, workers: int, data_dir: Path | None) -> None:
    """The same runs, one after another and as a sweep."""
    file = folder / "sweep.toml"
    file.write_text(SWEEP.format(seeds=list(range(runs))), encoding="utf-8")
    data = [] if data_dir is None else ["--data-dir", str(data_dir)]
    alone = timed([sys.executable, __file__, "--one-after-another", str(folder), *data])
    command = [sys.executable, "-m", "barkhausen", "sweep", str(file), "--workers", str(workers)]
    together = timed([*command, "--out", str(folder / "together"), *data])
    seconds = pd.read_parquet(folder / "together" / "timings.parquet")["seconds"]
    for address in pd.read_parquet(folder / "together" / "table.parquet")["task"]:
        of = [folder / where / "tasks" / address[:2] / address / "result.json" for where in ("alone", "together")]
        rows = [json.loads(path.read_text(encoding="utf-8"))["row"] for path in of]
        assert rows[0] == rows[1], f"{address}: another result in the sweep"
    print(f"{runs} runs one after another in one process: {alone:.1f} s ({alone / runs:.1f} s each)")
    print(f"as a sweep with {workers} workers:              {together:.1f} s (tasks {seconds.mean():.1f} s each)")
    print(f"ratio {together / alone:.2f} (wanted: at most 0.60 with 2 workers on 2 cores)")


def one_after_another(folder: Path, data_dir: Path | None) -> None:
    """Every task of the sweep in this process."""
    sweep = load_sweep(folder / "sweep.toml")
    planner = Planner(sweep)
    for point in points(sweep.file.search):
        run_task(folder / "alone", planner.task(point), data_dir)


def timed(command: list[str]) -> float:
    """Wall time in s of a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def sleeping(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
    """Takes as many milliseconds as its recipe has samples in a batch; locked and written down like any task."""

    def work() -> Outcome:
        time.sleep(task.resolved()["batch_size"] / 1000)
        return {"row": {}, "chips": []}

    return attempt(directory, task, work)


def sleep(folder: Path, tasks: int, workers: int, seconds: float) -> None:
    """Tasks that do nothing for a while."""
    file = folder / "sleep.toml"
    text = SWEEP.format(seeds=list(range(tasks))) + "[set]\n" + f"batch_size = {round(1000 * seconds)}\n"
    file.write_text(text, encoding="utf-8")
    out = folder / "slept"
    begun = time.perf_counter()
    Sweeping(
        load_sweep(file),
        out,
        None,
        open_cluster=lambda: local_cluster(workers, 1),
        progress=Silent(),
        log=print,
        call=sleeping,
    ).run()
    wall = time.perf_counter() - begun
    done = pd.read_parquet(out / "timings.parquet")
    asleep = done["seconds"].sum()
    over = wall * workers - asleep
    print(
        f"{tasks} tasks of {seconds:g} s, {workers} workers: {wall:.1f} s; {over / tasks:.2f} s of a worker beside each"
    )
    print(f"overhead {100 * over / asleep:.1f} % (start and end of the sweep and of its workers included)")
    if seconds != 60:
        print(f"the same seconds beside tasks of 60 s would be {100 * over / tasks / 60:.1f} %")
    print("(wanted: at most 3 % of tasks of 60 s)")


if __name__ == "__main__":
    main()
