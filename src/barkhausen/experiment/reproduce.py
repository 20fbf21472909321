"""The main job: 2-, 3- and 5-state synapses, in situ and ex situ, beside the float twin and the paper."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from barkhausen.atomic import atomic_write
from barkhausen.errors import DataNotFoundError
from barkhausen.experiment.dataset import Dataset
from barkhausen.experiment.datasets import load_dataset
from barkhausen.experiment.progress import Progress, Silent
from barkhausen.experiment.recipe import DatasetRecipe, Mode, Recipe, TransferRecipe
from barkhausen.experiment.report import write_report
from barkhausen.experiment.run import Run
from barkhausen.experiment.table import markdown_table, result_table

STATES = (5, 3, 2)
SEEDS = (0, 1, 2)


def reproduce(
    out: Path,
    *,
    quick: bool = False,
    data_dir: Path | None = None,
    seeds: tuple[int, ...] = SEEDS,
    progress: Progress | None = None,
    log: Callable[[str], None] = lambda line: None,
    overwrite: bool = False,
) -> list[dict[str, Any]]:
    """Run everything, or what is still missing; write ``table.csv``, ``table.md``, ``summary.json``, ``report.html``.

    Args:
        out: directory of all runs; each has its own below it. An interrupted job goes on where it was.
        quick: two epochs, three chips and one seed, to see it work.
        data_dir: root of the data sets, where the user names one.
        seeds: one run of each kind for each.
        progress: where progress is shown.
        log: receives a line for each thing worth saying.
        overwrite: throw away what the directories hold.

    Returns:
        The summaries of all runs.

    Raises:
        InputError: data named by the user cannot be used, or ``out`` cannot be written.
    """
    dataset, notes = _demo_data(data_dir)
    for note in notes:
        log(note)
    kinds: list[tuple[Mode, int]] = [("float", 5)]
    kinds += [(mode, states) for states in STATES for mode in ("in-situ", "ex-situ")]
    summaries, directories = [], []
    for seed in seeds[:1] if quick else seeds:
        for mode, states in kinds:
            recipe = Recipe(mode=mode, states=states, seed=seed, dataset=DatasetRecipe(name=dataset.name))
            if quick:
                recipe = recipe.model_copy(update={"epochs": 2, "transfer": TransferRecipe(chips=3)})
            name = f"float-seed{seed}" if mode == "float" else f"{mode}-{states}-seed{seed}"
            run = Run(
                recipe,
                out / name,
                dataset=dataset,
                overwrite=overwrite,
                progress=progress or Silent(),
                notes=notes,
            )
            summary = run.execute()
            log(f"{name}: {100 * summary['test_accuracy']:.2f} % in {summary['wall_seconds']:.0f} s")
            summaries.append(summary)
            directories.append(out / name)
    atomic_write(out / "summary.json", json.dumps(summaries, indent=1, allow_nan=False) + "\n")
    rows = result_table(summaries)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    atomic_write(out / "table.csv", text.getvalue())
    atomic_write(out / "table.md", markdown_table(rows))
    write_report(directories, out / "report.html")
    return summaries


def _demo_data(data_dir: Path | None) -> tuple[Dataset, tuple[str, ...]]:
    """MNIST; the bundled digits only where MNIST is neither here nor to be had, and then with a note."""
    try:
        return load_dataset("mnist", data_dir), ()
    except DataNotFoundError as error:
        note = (
            "MNIST was not found and could not be downloaded: these are scikit-learn's bundled 8x8 digits, "
            f"NOT MNIST, and not comparable with the published figures ({error})"
        )
        return load_dataset("digits"), (note,)
