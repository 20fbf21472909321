"""The job ``retention``: a trained network left alone, its accuracy after waiting, and the power that keeps it."""

from __future__ import annotations

import json

from barkhausen.core.errors import InputError
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings, fraction
from barkhausen.experiment.jobs.train import NETWORK_COLUMNS, datasets_of, plan_training
from barkhausen.experiment.retention.settings import RetentionSettings
from barkhausen.experiment.work.retention import retention

RETENTION = "retention"
"""Table of the analysis among the settings and values of a task."""


def plan_retention(planning: Planning, settings: Settings) -> Planned:
    """A network left alone: its training decides it, with times, temperatures, draws and refresh."""
    own = {key: value for key, value in settings.items() if key.startswith(f"{RETENTION}.")}
    of_recipe = {key: value for key, value in settings.items() if key not in own}
    name = json.dumps(of_recipe, sort_keys=True, default=list)
    training = planning.once(("training", name), lambda: plan_training(planning, of_recipe))
    if training.shown["states"] is None:
        mode = training.shown["mode"]
        raise InputError(f"{planning.origin}: mode = {mode!r}: has no devices that could lose their states")
    how = planning.table(RETENTION, RetentionSettings, own)
    given = {RETENTION: how.model_dump(mode="json", exclude_none=True)}
    return Planned(
        # The key of the training stands for its recipe and its device file.
        decides=given,
        values={**training.values, **given},
        device=training.device,
        threads=training.threads,
        shown=training.shown,
        needs=("train", of_recipe),
    )


JOBS.register(
    "retention",
    Job(
        what="a trained network left alone for some time at several temperatures",
        tables=(RETENTION,),
        columns=(
            Column("retention_file", dtype="string"),
            fraction("accuracy", "accuracy after ten years at 300 K"),
            fraction("day_358_kelvin", "accuracy after a day at 358 K"),
            fraction("fresh_accuracy", "accuracy before waiting"),
            Column("loss_points", "loss in ten years at 300 K", unit="points", decimals=2, higher_is_better=False),
            Column("hot_loss_points", "loss in a day at 358 K", unit="points", decimals=2, higher_is_better=False),
            Column(
                "worst_retention_seconds",
                "retention time of the worst state",
                unit="s",
                per="at 300 K, exceeded by 90 % of the devices",
                higher_is_better=True,
            ),
            Column(
                "refresh_nanowatt",
                "power of refreshing",
                unit="nW",
                per="at the lowest temperature",
                higher_is_better=False,
            ),
        ),
        needed=(*NETWORK_COLUMNS, "accuracy", "fresh_accuracy"),
        summarised=("accuracy", "day_358_kelvin"),
        plan=plan_retention,
        work=retention,
        datasets=datasets_of,
        shown=(
            "accuracy",
            "day_358_kelvin",
            "fresh_accuracy",
            "loss_points",
            "hot_loss_points",
            "worst_retention_seconds",
            "refresh_nanowatt",
        ),
        beside=("fresh_accuracy", "the same networks before waiting"),
    ),
)
