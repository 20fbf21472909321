"""The main job: 2-, 3- and 5-state synapses, in situ and ex situ, beside the float twin and the paper."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from barkhausen.core.errors import DataNotFoundError
from barkhausen.core.files import atomic_write
from barkhausen.core.progress import Progress, Silent
from barkhausen.data import load_dataset
from barkhausen.experiment.recipe import DatasetRecipe, Recipe, TransferRecipe
from barkhausen.experiment.run import Run
from barkhausen.report.runs.page import write_report
from barkhausen.results.table import markdown_table, result_table

STATES = (5, 3, 2)
SEEDS = (0, 1, 2)
MOST_WORKERS = 8


def reproduce(
    out: Path,
    *,
    quick: bool = False,
    data_dir: Path | None = None,
    seeds: tuple[int, ...] = SEEDS,
    workers: int | None = None,
    progress: Progress | None = None,
    log: Callable[[str], None] = lambda line: None,
    overwrite: bool = False,
) -> list[dict[str, Any]]:
    """Run everything, or what is still missing; write ``table.csv``, ``table.md``, ``summary.json``, ``report.html``.

    The runs share out the cores, one process and one thread each: faster than one run on all cores, and the
    results do not depend on how many there are.

    Args:
        out: directory of all runs; each has its own below it. An interrupted job goes on where it was.
        quick: two epochs, three chips and one seed, to see it work.
        data_dir: root of the data sets, where the user names one.
        seeds: one run of each kind for each.
        workers: processes; by default one a core, at most eight.
        progress: where progress is shown.
        log: receives a line for each thing worth saying.
        overwrite: throw away what the directories hold.

    Returns:
        The summaries of all runs.

    Raises:
        InputError: data named by the user cannot be used, or ``out`` cannot be written.
    """
    name, notes = _demo_data(data_dir)
    for note in notes:
        log(note)
    runs = [
        Run(recipe, out / directory, data_dir=data_dir, overwrite=overwrite, notes=notes)
        for directory, recipe in _recipes(name, seeds[:1] if quick else seeds, quick=quick)
    ]
    summaries = _execute(runs, workers or min(MOST_WORKERS, _cores()), progress or Silent(), log)
    atomic_write(out / "summary.json", json.dumps(summaries, indent=1, allow_nan=False) + "\n")
    rows = result_table(summaries)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    atomic_write(out / "table.csv", text.getvalue())
    atomic_write(out / "table.md", markdown_table(rows))
    write_report([run.directory for run in runs], out / "report.html")
    return summaries


def _recipes(dataset: str, seeds: tuple[int, ...], *, quick: bool) -> Iterator[tuple[str, Recipe]]:
    """Name and recipe of every run; the cheapest come last, so that no core idles for long at the end."""
    changes: dict[str, Any] = {"epochs": 2, "transfer": TransferRecipe(chips=3)} if quick else {}
    kinds: list[tuple[str, int]] = [(mode, states) for states in STATES for mode in ("in-situ", "ex-situ")]
    for seed in seeds:
        for mode, states in [*kinds, ("float", STATES[0])]:
            recipe = Recipe(
                mode=mode, states=states, seed=seed, threads=1, dataset=DatasetRecipe(name=dataset), **changes
            )
            yield (f"float-seed{seed}" if mode == "float" else f"{mode}-{states}-seed{seed}"), recipe


def _execute(runs: list[Run], workers: int, progress: Progress, log: Callable[[str], None]) -> list[dict[str, Any]]:
    """Execute runs in ``workers`` processes; what is finished stays finished whatever happens to the others."""
    # Forking a process that has used torch's threads is not safe.
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool,
        progress.task(f"{len(runs)} runs in {workers} processes", total=len(runs)) as advance,
    ):
        tasks = {pool.submit(run.execute): run for run in runs}
        try:
            for task in as_completed(tasks):
                summary = task.result()
                log(
                    f"{tasks[task].directory.name}: {100 * summary['test_accuracy']:.2f} % "
                    f"in {summary['wall_seconds']:.0f} s"
                )
                advance(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    return [task.result() for task in tasks]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _demo_data(data_dir: Path | None) -> tuple[str, tuple[str, ...]]:
    """MNIST; the bundled digits only where MNIST is neither here nor to be had, and then with a note."""
    try:
        load_dataset("mnist", data_dir)
    except DataNotFoundError as error:
        note = (
            "MNIST was not found and could not be downloaded: these are scikit-learn's bundled 8x8 digits, "
            f"NOT MNIST, and not comparable with the published figures ({error})"
        )
        return "digits", (note,)
    return "mnist", ()
