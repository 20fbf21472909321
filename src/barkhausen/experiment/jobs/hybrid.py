"""The job ``hybrid``: a network trained off-chip, transferred to devices, and trained there further.

The recipe of the sweep file is that of the precursor. The settings of a point are those of the training on the chip;
those of data, network and seed are the precursor's too, so that all points with the same ones share one precursor.
"""

from __future__ import annotations

import dataclasses

from barkhausen.core.errors import InputError
from barkhausen.experiment.jobs.registry import JOBS, Planned, Planning, Settings, fraction
from barkhausen.experiment.jobs.train import plan_training
from barkhausen.experiment.work.hybrid import hybrid

SHARED = ("seed", "threads", "accelerator", "dataset.", "network.")
"""Settings that the precursor has too."""


def plan_hybrid(planning: Planning, settings: Settings) -> Planned:
    """A hybrid training: its precursor decides it, with what is done on the chip."""
    if "mode" not in settings:
        raise InputError(f"{planning.origin}: a hybrid training needs a mode in each point, that of the chip")
    if "init_from" in settings:
        raise InputError(f"{planning.origin}: init_from: is the precursor's; leave it out")
    mine = plan_training(planning, settings)
    precursor = {key: value for key, value in settings.items() if key.startswith(SHARED)}
    return dataclasses.replace(mine, needs=("train", precursor))


TRAIN = JOBS["train"]

JOBS.register(
    "hybrid",
    dataclasses.replace(
        TRAIN,
        what="a network trained off-chip, transferred to devices, and trained there further",
        columns=(fraction("start_accuracy", "accuracy after the transfer"), *TRAIN.columns),
        plan=plan_hybrid,
        work=hybrid,
        shown=("accuracy", "start_accuracy", "picojoule_per_inference"),
    ),
)
