"""The job ``train``: a network trained, and measured on data that it did not learn from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys
from barkhausen.experiment.defaults import latent_rate_of, margin_of, with_defaults
from barkhausen.experiment.initial import checkpoint_of
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
from barkhausen.experiment.work.base import Order, file_digest
from barkhausen.experiment.work.train import train
from barkhausen.learning.margin import warn_of_wide

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
    if file is not None and recipe.device.file is not None:
        resolved["device"] = {**resolved["device"], "file": str(file.resolve())}
    return Planned(
        decides=decides,
        values=resolved,
        device=None if file is None else planning.digest(file),
        threads=recipe.threads or planning.threads,
        shown=_shown(recipe),
    )


def datasets_of(values: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The data set of a resolved recipe, with its number of validation samples."""
    return [(values["dataset"]["name"], values["dataset"]["validation_samples"])]


def _recipe(planning: Planning, values: dict[str, Any]) -> Recipe:
    """As :func:`.recipe_from`, which reads the device file of each; here once for each that is like another."""
    values = renamed_keys(values, RECIPE_KEYS)
    recipe = validated(Recipe, values, planning.origin)
    given = recipe.states if "states" in recipe.model_fields_set else None
    choice, rule = recipe.device, recipe.learning_rule
    like = ("device", recipe.mode, choice.file, choice.preset, choice.sigma, choice.margin is None, given)
    known = planning.once(like, lambda: recipe_from(values, planning.origin))
    recipe = recipe.model_copy(update={"states": known.states})
    margin = choice.margin
    if margin is not None and rule.programs_while_training:
        planning.once(("wide", margin, *like), lambda: warn_of_wide(margin, build_device(recipe)))
    recipe = with_defaults(recipe, margin_of(known, None), latent_rate_of(recipe))
    if recipe.network.factory is None:
        return recipe
    # The source of the network is a part of what decides the numbers.
    named = ("source", recipe.network.factory, recipe.network.factory_sha256)
    digest = planning.once(named, lambda: pinned(recipe).network.factory_sha256)
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
    device = choice.file if choice.file is not None else f"{choice.preset}-{recipe.states}"
    return {
        "mode": recipe.mode,
        "states": recipe.states if on_devices else None,
        "seed": recipe.seed,
        "dataset": recipe.dataset.name,
        "device": device if on_devices else "none",
    }


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
                per="per inference",
                higher_is_better=False,
            ),
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
        causes_title="Programming energy per inference",
        cause_axis="programming energy (pJ per inference)",
        shown=("accuracy", "picojoule_per_inference"),
        trade_off=("picojoule_per_inference", "accuracy"),
    ),
)
