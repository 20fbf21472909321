"""The job ``map``: a network with quantised weights, mapped to many chips of a resistive device."""

from __future__ import annotations

import json
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.device import declared_file, declared_names
from barkhausen.experiment.chip.mapping import MAPPING, Mapping, device_of
from barkhausen.experiment.jobs.infer import CHIP, assumed_of_chip, chip_of
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings, fraction
from barkhausen.experiment.jobs.train import NETWORK_COLUMNS, datasets_of, plan_training
from barkhausen.experiment.work.map_chips import map_chips

PARAMETERS = "device_parameters"
"""Content of the parameter file of the device among the values of a task."""


def plan_mapping(planning: Planning, settings: Settings) -> Planned:
    """A mapping: its training decides it, with the chip, the device and the number of chips."""
    of_chip = {key: value for key, value in settings.items() if key.startswith(f"{CHIP}.")}
    of_mapping = {key: value for key, value in settings.items() if key.startswith(f"{MAPPING}.")}
    of_recipe = {key: value for key, value in settings.items() if key not in {*of_chip, *of_mapping}}
    name = json.dumps(of_recipe, sort_keys=True, default=list)
    training = planning.once(("training", name), lambda: plan_training(planning, of_recipe))
    if training.shown["states"] is not None:
        mode = training.shown["mode"]
        raise InputError(f"{planning.origin}: mode = {mode!r}: has devices of its own (task = 'infer' evaluates those)")
    how = planning.table(MAPPING, Mapping, of_mapping)
    parameters, device = _device(planning, how)
    given = {
        CHIP: chip_of(planning, of_chip),
        # The content of the parameter file counts, not its place.
        MAPPING: {**how.model_dump(), "device": Path(how.device).name},
        PARAMETERS: parameters,
    }
    quantised = training.values["mode"] == "quantised"
    return Planned(
        decides=given,
        values={**training.values, **given},
        threads=training.threads,
        shown={**training.shown, "states": device.states, "device": Path(how.device).stem}
        if quantised
        else training.shown,
        needs=("train", of_recipe),
    )


def _device(planning: Planning, how: Mapping) -> tuple[dict[str, Any], Any]:
    """Parameters of the device, and the device itself."""
    file = declared_file(how.device) if how.device in declared_names() else Path(how.device)
    if file.suffix != ".toml":
        raise InputError(
            f"{planning.origin}: mapping.device = {how.device!r}: must be {', '.join(declared_names())}, or a "
            "parameter file (.toml) that declares states"
        )
    parameters = planning.once(("parameters", str(file)), lambda: read_toml(file))
    return parameters, planning.once(("declared", str(file), how.spread), lambda: device_of(parameters, how.spread))


def assumed_of_mapping(values: MappingOf[str, Any]) -> list[str]:
    """What the chip and the device of a task assume."""
    how = Mapping.model_validate(values[MAPPING])
    return [*assumed_of_chip(values), *device_of(values[PARAMETERS], how.spread).assumed]


JOBS.register(
    "map",
    Job(
        what="a network with quantised weights on many chips of fresh devices",
        tables=(MAPPING,),
        columns=(
            fraction("accuracy", "accuracy"),
            Column("measured_on", dtype="string"),
            fraction("software_accuracy", "accuracy in software"),
            Column("change_points", "change against software", unit="points", decimals=2, higher_is_better=True),
            Column("chip_std", "spread between chips", unit="%", scale=100.0, decimals=2),
            Column("chips", dtype="Int64"),
            Column("memory_saved", "memory of weights in float32 over ours", decimals=1, higher_is_better=True),
            Column("whole_memory_saved", "the same with biases", decimals=1, higher_is_better=True),
            Column("programming_nanojoule", "programming energy of a chip", unit="nJ", higher_is_better=False),
            Column(
                "system_picojoule",
                "energy of the system",
                unit="pJ",
                per="per inference",
                higher_is_better=False,
            ),
            Column("float32_nanojoule", "energy of float32 logic", unit="nJ", per="per inference"),
            Column("latency_nanoseconds", "latency", unit="ns", higher_is_better=False),
            Column("area_square_millimetre", "area", unit="mm²", higher_is_better=False),
        ),
        needed=(*NETWORK_COLUMNS, "accuracy", "software_accuracy"),
        summarised=("accuracy", "change_points"),
        plan=plan_mapping,
        work=map_chips,
        chip=True,
        datasets=datasets_of,
        assumed=assumed_of_mapping,
        cause_place="system_picojoule",
        causes=(
            "device_read",
            "wires",
            "dac",
            "adc",
            "accumulate",
            "common_input",
            "normalise",
            "buffer",
            "programming",
        ),
        causes_title="Energy of the whole system for one inference",
        cause_axis="energy of the system (pJ per inference)",
        shown=("accuracy", "change_points", "software_accuracy", "system_picojoule", "latency_nanoseconds"),
        trade_off=("system_picojoule", "accuracy"),
        beside=("software_accuracy", "the same networks in software"),
    ),
)
