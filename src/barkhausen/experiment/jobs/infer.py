"""The job ``infer``: a trained network on a chip with converters, wires and noise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from barkhausen.core.config import StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings, fraction
from barkhausen.experiment.jobs.train import NETWORK_COLUMNS, datasets_of, plan_training
from barkhausen.experiment.work.infer import infer
from barkhausen.synapse.crossbar.chip import Chip, chip_from

CHIP, INFERENCE = "chip", "inference"
"""Tables of the chip's keys, and of what is done with it, among the settings and values of an inference."""


class Inference(StrictParameters):
    """What is done with a network on a chip; see :func:`.infer_on_chip`."""

    model_config = ConfigDict(allow_inf_nan=False)

    fine_tuning_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs of training on the chip."""
    inferences: Annotated[float, Field(ge=0)] = 0.0
    """Inferences whose reads disturb the devices before anything is measured."""
    number: Annotated[int, Field(ge=0)] | None = None
    """Number of the chip of unseen devices. Default: the devices of the training, or chip 0 without such."""


def plan_inference(planning: Planning, settings: Settings) -> Planned:
    """An inference: its training decides it, with the chip and what is done there."""
    of_chip = {key: value for key, value in settings.items() if key.startswith(f"{CHIP}.")}
    of_inference = {key: value for key, value in settings.items() if key.startswith(f"{INFERENCE}.")}
    of_recipe = {key: value for key, value in settings.items() if key not in {*of_chip, *of_inference}}
    name = json.dumps(of_recipe, sort_keys=True, default=list)
    training = planning.once(("training", name), lambda: plan_training(planning, of_recipe))
    if training.device is None and training.shown["states"] is None:
        mode = training.shown["mode"]
        raise InputError(f"{planning.origin}: mode = {mode!r}: has no devices to put on a chip (task = 'infer')")
    chip = chip_of(planning, of_chip)
    how = planning.table(INFERENCE, Inference, of_inference)
    given = {CHIP: chip, INFERENCE: how.model_dump(exclude_none=True)}
    return Planned(
        # The key of the training stands for its recipe and its device file.
        decides=given,
        values={**training.values, **given},
        device=training.device,
        threads=training.threads,
        shown=training.shown,
        needs=("train", of_recipe),
    )


def chip_of(planning: Planning, settings: Settings) -> dict[str, Any]:
    """The chip of a sweep with settings in their places, as values."""
    own = {name.removeprefix(f"{CHIP}."): value for name, value in settings.items()}

    def load() -> dict[str, Any]:
        return chip_from(planning.placed(own, planning.chip), f"{planning.origin}: {CHIP}").model_dump()

    return planning.once(("chip", json.dumps(own, sort_keys=True, default=list)), load)


def assumed_of_chip(values: Mapping[str, Any]) -> list[str]:
    """What the chip of a task assumes."""
    return Chip.model_validate(values[CHIP]).assumed()


JOBS.register(
    "infer",
    Job(
        what="a trained network on a chip with converters, wires and noise",
        tables=(INFERENCE,),
        columns=(
            fraction("ideal_accuracy", "accuracy without the chip"),
            fraction("accuracy", "accuracy"),
            fraction("tuned_accuracy", "accuracy trained on the chip"),
            Column(
                "system_picojoule",
                "energy of the system",
                unit="pJ",
                per="per inference",
                higher_is_better=False,
            ),
            Column("training_picojoule", "energy of a trained sample", unit="pJ", higher_is_better=False),
            Column("latency_nanoseconds", "latency", unit="ns", higher_is_better=False),
        ),
        needed=(*NETWORK_COLUMNS, "accuracy", "system_picojoule"),
        summarised=("accuracy", "system_picojoule"),
        plan=plan_inference,
        work=infer,
        chip=True,
        datasets=datasets_of,
        assumed=assumed_of_chip,
        cause_place="system_picojoule",
        causes=("device_read", "wires", "dac", "adc", "accumulate", "normalise", "buffer", "programming"),
        causes_title="Energy of the whole system for one inference",
        cause_axis="energy of the system (pJ per inference)",
        shown=("accuracy", "tuned_accuracy", "ideal_accuracy", "system_picojoule", "latency_nanoseconds"),
        trade_off=("system_picojoule", "accuracy"),
        beside=("ideal_accuracy", "the same networks without wires, converters and noise"),
    ),
)
