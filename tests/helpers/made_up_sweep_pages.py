"""Directories of sweeps that were never run: the tables of the engine with known numbers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

ASSUMED = ["margin is ours", "read after each attempt"]
ERROR = "InputError: device.margin = 9: must be below 1"

RESULTS: dict[str, tuple[str, ...]] = {
    "train": (
        "accuracy",
        "measured_on",
        "train_accuracy",
        "chip_std",
        "chips",
        "unseen_chips",
        "events_per_sample",
        "attempts_per_sample",
        "picojoule_per_inference",
        "sot_picojoule",
        "gate_picojoule",
        "read_picojoule",
    ),
    "infer": (
        "ideal_accuracy",
        "accuracy",
        "system_picojoule",
        "latency_nanoseconds",
        "adc_picojoule",
        "dac_picojoule",
        "device_read_picojoule",
        "buffer_picojoule",
    ),
    "characterize": (
        "device_file",
        "states",
        "information_bits",
        "smallest_gap",
        "worst_overlap",
        "mean_sigma_device",
        "mean_sigma_cycle",
        "sot_femtojoule",
        "gate_femtojoule",
        "read_femtojoule",
    ),
}
TEXTS = {"task", "kind", "status", "error", "mode", "dataset", "device", "measured_on", "device_file"}
WHOLE = {"states", "seed", "chips"}
ALWAYS = {"mode": "in-situ", "states": 5, "seed": 0, "dataset": "mnist", "device": "racetrack-5"}


def write_sweep(
    directory: Path,
    kind: str,
    over: Mapping[str, Sequence[Any]],
    *,
    failed: Sequence[int] = (),
    planned: Sequence[int] = (),
    error: str = ERROR,
    chips: int = 0,
    name: str = "",
    always: Mapping[str, Any] = ALWAYS,
    measured_on: str = "test",
) -> Path:
    """Write a sweep over a grid; the numbers follow from the first key of each task and its seed.

    Args:
        directory: of the sweep.
        kind: of its tasks.
        over: values of each swept key.
        failed: places of tasks that failed.
        planned: places of tasks that were not run.
        error: of the failed ones.
        chips: single chips of each task of training.
        name: of the sweep.
        always: what is not swept of mode, states, seed, data set and device.
        measured_on: what accuracies are of.
    """
    generator = np.random.default_rng(3)
    rows, single = [], []
    for place, values in enumerate(itertools.product(*over.values())):
        settings = dict(zip(over, values, strict=True))
        task = f"{place:024x}"
        status = "failed" if place in failed else "planned" if place in planned else "finished"
        cells = {key: json.dumps(value) if isinstance(value, list) else value for key, value in settings.items()}
        row: dict[str, Any] = {"task": task, "kind": kind, "status": status}
        row |= {"error": error if status == "failed" else None, **cells}
        row |= {key: cells.get(key, value) for key, value in always.items()} if kind != "characterize" else {}
        home = directory / "tasks" / task[:2] / task
        (home / "work").mkdir(parents=True, exist_ok=True)
        (home / "task.json").write_text(json.dumps({"kind": kind, "settings": settings, "code_version": "0.5.0"}))
        if status == "failed":
            (home / "failure.json").write_text(json.dumps({"traceback": f"Traceback (most recent call last)\n{error}"}))
        if status == "finished":
            found = results_of(kind, place, settings, measured_on, generator)
            row |= {key: value for key, value in found.items() if key not in row}
            (home / "work" / "summary.json").write_text(json.dumps({"assumed": ASSUMED, "software": {"torch": "2.9"}}))
            if kind == "train":
                values_of = found["accuracy"] + 0.002 * (np.arange(chips) - (chips - 1) / 2)
                single += [(task, chip, float(value)) for chip, value in enumerate(values_of)]
        rows.append(row)
    columns = ["task", "kind", "status", "error", *over]
    columns += [key for key in always if kind != "characterize" and key not in over]
    columns += [key for key in RESULTS[kind] if key not in columns]
    frame = pd.DataFrame(rows, columns=columns)
    for column in columns:
        if column in TEXTS:
            frame[column] = frame[column].astype("string")
        elif column in WHOLE:
            frame[column] = frame[column].astype("Int64")
        elif column in RESULTS[kind]:
            frame[column] = frame[column].astype("float64")
    frame.to_parquet(directory / "table.parquet")
    chip_table = pd.DataFrame(single, columns=["task", "chip", "accuracy"]).astype({"task": "string", "chip": "Int64"})
    chip_table.to_parquet(directory / "chips.parquet")
    sweep: dict[str, Any] = {"task": kind, "search": {"kind": "grid", "over": dict(over)}}
    if name:
        sweep["name"] = name
    (directory / "sweep.toml").write_text(tomli_w.dumps(sweep))
    return directory


def results_of(
    kind: str, place: int, settings: Mapping[str, Any], measured_on: str, generator: np.random.Generator
) -> dict[str, Any]:
    """What one task found."""
    first = next(iter(settings.values()))
    seed = int(settings.get("seed", 0))
    level = float(first) if isinstance(first, (int, float)) else 0.5
    if kind == "train":
        energy = 0.05 + 0.2 * level
        return {
            "accuracy": 0.96 + 0.03 * level + 0.001 * seed + 0.004 * (place % 2),
            "measured_on": measured_on,
            "train_accuracy": 0.99,
            "chip_std": 0.002,
            "chips": 1,
            "events_per_sample": 3.0,
            "attempts_per_sample": 3.5,
            "picojoule_per_inference": energy,
            "sot_picojoule": 0.6 * energy,
            "gate_picojoule": 0.1 * energy,
            "read_picojoule": 0.3 * energy,
        }
    if kind == "infer":
        adc = 100.0 * 2.0 ** (level - 4)
        return {
            "ideal_accuracy": 0.98 + 0.0005 * seed,
            "accuracy": 0.98 - 0.3 / 2**level + 0.0005 * seed,
            "system_picojoule": adc + 900.0,
            "latency_nanoseconds": 120.0,
            "adc_picojoule": adc,
            "dac_picojoule": 600.0,
            "device_read_picojoule": 100.0,
            "buffer_picojoule": 200.0,
        }
    return {
        "device_file": f"tasks/{place:024x}.nc",
        "states": 5,
        "information_bits": 1.2 + 0.3 * level + 0.01 * float(generator.normal()),
        "smallest_gap": 0.1 + 0.02 * level,
        "worst_overlap": 0.4 - 0.1 * level,
        "mean_sigma_device": 0.08,
        "mean_sigma_cycle": 0.05,
        "sot_femtojoule": 30.0 * (1 + level),
        "gate_femtojoule": 4.0,
        "read_femtojoule": 15.0,
    }
