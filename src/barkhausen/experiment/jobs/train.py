"""The job ``train``: a network trained, and measured on data that it did not learn from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys
from barkhausen.experiment.jobs.registry import (
    JOBS,
    Column,
    Job,
    Planned,
    Planning,
    Settings,
    fraction,
)
from barkhausen.experiment.network_code import pinned
from barkhausen.experiment.recipe import Recipe, build_device, device_file, recipe_from, replace_device
from barkhausen.experiment.recipe.defaults import latent_rate_of, margin_of, with_defaults
from barkhausen.experiment.recipe.pulsed_device import USUAL_PULSED
from barkhausen.experiment.score import ACCURACY, Score
from barkhausen.experiment.starting.initial import checkpoint_of
from barkhausen.experiment.starting.teacher import decides_teacher
from barkhausen.experiment.tasks.registry import TASKS
from barkhausen.experiment.work.base import Order, file_digest
from barkhausen.experiment.work.rows import UNCERTAINTY_COLUMNS
from barkhausen.experiment.work.train import train
from barkhausen.learning.margin import warn_of_wide
from barkhausen.learning.rules.registry import PULSES
from barkhausen.learning.spiking.operations import CAUSES
from barkhausen.learning.uncertainty.measured import FIGURES, HIGHER_IS_BETTER

NETWORK_COLUMNS = ("mode", "states", "seed", "dataset", "device")
"""Columns that tables of networks have whether or not they were swept."""


def plan_training(planning: Planning, settings: Settings) -> Planned:
    """A training: the resolved recipe decides it, with the content of the device file."""
    values = planning.placed(settings, replaced(planning.base, settings))
    if "threads" not in settings:
        values["threads"] = planning.threads
    recipe = _recipe(planning, values)
    file = device_file(recipe)
    resolved = recipe.model_dump(exclude_none=True)
    # The content of a device file decides, not where it lies; a float network has none.
    resolved["device"].pop("file", None)
    decides = dict(resolved) if recipe.learning_rule.on_devices else _that_counts(resolved)
    source = resolved.pop("init_from", None)
    if source is not None:
        # The content of the checkpoint decides, not where it lies.
        weights = checkpoint_of(Path(source))
        decides = {**decides, "init_from": planning.digest(weights)}
        resolved["init_from"] = str(weights.resolve())
    if recipe.loss.teacher is not None:
        teacher = Path(recipe.loss.teacher).resolve()
        decides["loss"] = {**resolved["loss"], "teacher": [planning.digest(path) for path in decides_teacher(teacher)]}
        resolved["loss"] = {**resolved["loss"], "teacher": str(teacher)}
    if file is not None and recipe.device.file is not None:
        resolved["device"] = {**resolved["device"], "file": str(file.resolve())}
    return Planned(
        decides=decides,
        values=resolved,
        device=None if file is None else planning.digest(file),
        threads=recipe.threads or planning.threads,
        shown=_shown(recipe),
    )


def datasets_of(values: Mapping[str, Any]) -> list[tuple[str, int, Mapping[str, Any]]]:
    """The data set of a resolved recipe, with its number of validation samples and its options."""
    dataset = values["dataset"]
    return [(dataset["name"], dataset["validation_samples"], dataset.get("options", {}))]


def _recipe(planning: Planning, values: dict[str, Any]) -> Recipe:
    """As :func:`.recipe_from`, which reads the device file of each; here once for each that is like another."""
    values = renamed_keys(values, RECIPE_KEYS)
    recipe = validated(Recipe, values, planning.origin)
    given = recipe.states if "states" in recipe.model_fields_set else None
    choice, rule = recipe.device, recipe.learning_rule
    named = (choice.file, choice.preset, choice.sigma, choice.pulsed, choice.pulse_spread, repr(choice.cell))
    like = ("device", recipe.mode, *named, choice.margin is None, given)
    known = planning.once(like, lambda: recipe_from(values, planning.origin))
    recipe = recipe.model_copy(update={"states": known.states})
    margin = choice.margin
    if margin is not None and rule.programs_while_training:
        planning.once(("wide", margin, *like), lambda: warn_of_wide(margin, build_device(recipe)))
    recipe = with_defaults(recipe, margin_of(known, None), latent_rate_of(recipe))
    if recipe.network.factory is None:
        return recipe
    # The source of the network is a part of what decides the numbers.
    source = ("source", recipe.network.factory, recipe.network.factory_sha256)
    digest = planning.once(source, lambda: pinned(recipe).network.factory_sha256)
    network = recipe.network.model_copy(update={"factory_sha256": digest})
    return recipe.model_copy(update={"network": network})


def replaced(base: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The base recipe without what settings replace, as with ``barkhausen train --set``."""
    values: dict[str, Any] = copy.deepcopy(dict(base))
    replace_device(values, settings)
    return values


def _that_counts(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the numbers of a network without devices: the keys of devices do not."""
    values = {key: value for key, value in resolved.items() if key not in ("states", "device", "faults", "transfer")}
    values["optimizer"] = {key: value for key, value in values["optimizer"].items() if key != "latent_rate"}
    return values


def _shown(recipe: Recipe) -> dict[str, Any]:
    on_devices = recipe.learning_rule.on_devices
    choice = recipe.device
    named = f"{choice.preset}-{recipe.states}"
    if recipe.learning_rule.devices == PULSES:
        named = choice.pulsed or USUAL_PULSED
    device = named if choice.file is None else choice.file
    return {
        "mode": recipe.mode,
        "states": recipe.states if on_devices else None,
        "seed": recipe.seed,
        "dataset": recipe.dataset.name,
        "device": device if on_devices else "none",
    }


def score_columns() -> list[dict[str, tuple[Column, ...]]]:
    """Columns of every score but the accuracy that networks are judged by, in place of those of the accuracy."""
    found: dict[str, dict[str, tuple[Column, ...]]] = {}
    for entry in TASKS.values():
        score, *others = entry.scores
        if score == ACCURACY:
            continue
        found[score.name] = {
            ACCURACY.name: (_column(score), *map(_column, others)),
            ACCURACY.train_column: (_column(score, score.train_column, f"{score.label} on training samples"),),
            ACCURACY.chip_column: (_column(score, score.chip_column, f"spread of the {score.label} between chips"),),
            ACCURACY.unseen_column: (_column(score, score.unseen_column, f"{score.label} on unseen chips"),),
        }
    return list(found.values())


def _column(score: Score, name: str | None = None, label: str | None = None) -> Column:
    return Column(
        name or score.name,
        label or score.label,
        unit=score.unit,
        scale=score.scale,
        decimals=score.decimals,
        higher_is_better=None if name == score.chip_column else score.higher_is_better,
    )


def uncertainty_columns() -> tuple[Column, ...]:
    """Columns of the figures of uncertainty, where they were measured."""
    others = [
        Column(UNCERTAINTY_COLUMNS[name], label, higher_is_better=HIGHER_IS_BETTER[name])
        for name, label in FIGURES.items()
        if name != "accuracy"
    ]
    accuracy = fraction(UNCERTAINTY_COLUMNS["accuracy"], "accuracy of the predictive mean")
    return (Column("members", "members of the predictive mean", dtype="Int64"), accuracy, *others)


def neuron_columns() -> tuple[Column, ...]:
    """Columns of spikes and of the energy of neurons by cause, of spiking networks."""
    energies = {
        "neuron": "energy of neurons",
        **{f"neuron_{cause}": f"neurons: {text}" for cause, text in CAUSES.items()},
    }
    return (
        Column("spikes_per_inference", "spikes of an inference", higher_is_better=False),
        *(
            Column(f"{name}_picojoule_per_inference", label, unit="pJ", per="per inference", higher_is_better=False)
            for name, label in energies.items()
        ),
    )


def check_device(order: Order) -> None:
    """Refuse a device file that is no longer the one planned with."""
    file = order.values["device"].get("file")
    if file is not None and (not Path(file).is_file() or file_digest(Path(file)) != order.device):
        raise InputError(f"{file}: has changed or gone since the sweep was planned; start the same command again")


JOBS.register(
    "train",
    Job(
        what="a network trained and measured on data that it did not learn from",
        columns=(
            fraction("accuracy", "accuracy"),
            Column("measured_on", dtype="string"),
            fraction("train_accuracy", "training accuracy"),
            Column("chip_std", "spread between chips", unit="%", scale=100.0, decimals=2),
            Column("chips", dtype="Int64"),
            fraction("unseen_chips", "accuracy on unseen chips"),
            Column("events_per_sample", "programming events per sample"),
            Column("training_events_per_sample", "programming events per sample, initial ones apart"),
            Column("attempts_per_sample", "programming attempts per sample"),
            Column(
                "picojoule_per_inference",
                "programming energy",
                unit="pJ",
                per="per sample and epoch",
                higher_is_better=False,
            ),
            Column(
                "nanojoule_per_trained_sample", "whole energy of a trained sample", unit="nJ", higher_is_better=False
            ),
            Column("nanojoule_per_chip_inference", "whole energy of an inference", unit="nJ", higher_is_better=False),
        ),
        needed=(*NETWORK_COLUMNS, "accuracy", "picojoule_per_inference"),
        summarised=("accuracy", "picojoule_per_inference"),
        plan=plan_training,
        work=train,
        check=check_device,
        datasets=datasets_of,
        cause_place="picojoule_per_inference",
        causes=("sot", "gate", "read"),
        cause_labels={"sot": "SOT pulses", "read": "verify read"},
        causes_title="Programming energy per trained sample and epoch",
        cause_axis="programming energy (pJ per trained sample and epoch)",
        shown=("accuracy", "picojoule_per_inference"),
        trade_off=("picojoule_per_inference", "accuracy"),
        scores=score_columns,
        optional=(*neuron_columns(), *uncertainty_columns()),
    ),
)
