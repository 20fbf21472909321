"""Uncertainty of runs: measured at their end where the recipe asks for it, or of finished ones, also as an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.half_precision import lowered_products
from barkhausen.core.seeds import stream
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning.uncertainty import Predictive, Uncertainty, measure_uncertainty, member_outputs
from barkhausen.learning.uncertainty.measured import BINS
from barkhausen.learning.uncertainty.members import Member, member_named
from barkhausen.learning.uncertainty.resampling import RESAMPLES

if TYPE_CHECKING:
    from barkhausen.experiment.training import Training

OUTPUTS = "outputs.safetensors"
"""File of a run with the outputs of all members on the held-out samples, and the labels."""

MOST_KEPT = 10_000_000
"""Numbers of outputs up to which they are kept: 40 MB."""

MEMBERS = 20
"""Members where none are asked for."""


def measure_and_keep(training: Training, directory: Path) -> dict[str, Any]:
    """Measure the uncertainty that the recipe asks for; keep the outputs of the members in the directory of the run.

    Raises:
        InputError: The task has no classes, or the network has no such members.
    """
    outputs, what = training.member_outputs()
    labels, how = training.task.test_labels, training.recipe.evaluation
    kept = outputs.numel() <= MOST_KEPT
    if kept:
        save_checkpoint(directory / OUTPUTS, {"outputs": outputs.cpu().contiguous(), "labels": labels.cpu()})
    found = measure_uncertainty(
        outputs, labels, bins=how.uncertainty_bins, seed=training.recipe.seed % 2**32, what=what
    )
    return {**found.summary(), "outputs": OUTPUTS if kept else None}


def kept_outputs(directory: str | Path) -> tuple[Tensor, Tensor]:
    """Outputs of the members of a run, by member, sample and class, and the labels of the samples.

    Raises:
        InputError: The run did not measure its uncertainty, or kept no outputs.
    """
    path = Path(directory) / OUTPUTS
    if not path.is_file():
        raise InputError(f"{directory}: has no {OUTPUTS}; train with evaluation.uncertainty, the number of members")
    held = load_checkpoint(path)
    return held["outputs"], held["labels"]


@dataclass(frozen=True, eq=False)
class RunUncertainty:
    """Uncertainty of finished runs.

    Attributes:
        runs: Directory and uncertainty of each.
        ensemble: Uncertainty of all members of all runs together; None for a single run.
        dataset: Name of their data set.
        measured_on: ``test``, or ``validation`` for runs that did not touch the test part.
    """

    runs: Sequence[tuple[Path, Uncertainty]]
    ensemble: Uncertainty | None
    dataset: str
    measured_on: str

    @property
    def named(self) -> dict[str, Uncertainty]:
        """Uncertainties by name; the ensemble last."""
        found = {str(directory): each for directory, each in self.runs}
        return found if self.ensemble is None else {**found, f"ensemble of {len(self.runs)} runs": self.ensemble}

    def summary(self) -> dict[str, Any]:
        """Everything but the probabilities, as JSON."""
        return {
            "dataset": self.dataset,
            "measured_on": self.measured_on,
            "networks": {name: each.summary() for name, each in self.named.items()},
        }


def uncertainty_of_runs(
    directories: Sequence[str | Path],
    members: int = MEMBERS,
    *,
    over: str = "auto",
    bins: int = BINS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    data_dir: str | Path | None = None,
) -> RunUncertainty:
    """Measure the uncertainty of finished runs of any learning rule, and of the ensemble of several.

    Args:
        directories: Directories of the runs, all of one data set.
        members: Number of passes or chips of each.
        over: What the members are.
        bins: Bins of confidence of the calibration error.
        resamples: Resamples of the bootstrap over samples.
        seed: Seed of the bootstrap. Passes and chips are those of the runs.
        data_dir: Root of the data sets.

    Raises:
        InputError: There is no run, one is not finished or has no classes, or they have different held-out samples.
    """
    chosen = member_named(over)
    paths = list(dict.fromkeys(map(Path, directories)))
    if not paths:
        raise InputError("no runs: name the directory of at least one finished run")
    found: list[tuple[Path, Uncertainty]] = []
    truth, dataset, measured_on = torch.empty(0), "", ""
    for path in paths:
        outputs, labels, what, name, part = _outputs_of(path, members, chosen, data_dir)
        if found and (name != dataset or part != measured_on or not torch.equal(labels, truth)):
            raise InputError(f"{path}: has other held-out samples than {paths[0]}; an ensemble needs the same ones")
        truth, dataset, measured_on = labels, name, part
        measured = measure_uncertainty(outputs, labels, bins=bins, resamples=resamples, seed=seed, what=what)
        found.append((path, measured))
    ensemble = None
    if len(paths) > 1:
        together = Predictive(np.concatenate([each.predictive.probabilities for _, each in found]))
        what = f"members of {len(paths)} runs"
        ensemble = measure_uncertainty(together, truth, bins=bins, resamples=resamples, seed=seed, what=what)
    return RunUncertainty(found, ensemble, dataset, measured_on)


def _outputs_of(
    directory: Path, members: int, over: Member, data_dir: str | Path | None
) -> tuple[Tensor, Tensor, str, str, str]:
    """Outputs and labels of a run, what its members are, its data set, and the part that it is measured on."""
    trained = load_trained(directory, data_dir=data_dir)
    recipe = trained.recipe
    dataset = recipe.dataset.load(None if data_dir is None else Path(data_dir))
    where = torch.device(recipe.accelerator)
    if where.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{directory}: was trained on CUDA, and torch finds no CUDA device here")
    task = task_of(recipe, dataset, where)
    with lowered_products(recipe.autocast, where):
        outputs, what = member_outputs(
            trained.model.to(where),
            task.test_inputs,
            members,
            over=over,
            streams=lambda name: stream(recipe.seed, name, where),
            max_attempts=recipe.transfer.max_attempts,
        )
    part = "validation" if recipe.dataset.validation_samples else "test"
    return task.logits(outputs.float()).cpu(), task.test_labels.cpu(), what, dataset.name, part
