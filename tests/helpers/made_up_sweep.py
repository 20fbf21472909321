"""Directories of sweeps that never ran: tables with known numbers, and quick to spoil."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEXTS = ("task", "kind", "status", "error", "mode", "dataset", "device", "measured_on")
WHOLE = ("states", "seed", "chips")
MODES = ("in-situ", "ex-situ", "float")
MARGINS = (0.4, 0.6)
SEEDS = (0, 1, 2)
CHIPS = 4


def accuracy_of(mode: str, margin: float, seed: int) -> float:
    """What a network reaches: its seed and its mode add up, and a float network has no margin."""
    return 0.97 + 0.002 * seed + {"in-situ": -0.01 * margin, "ex-situ": 0.001, "float": 0.003}[mode]


def rows_of(
    modes: Sequence[str] = MODES, margins: Sequence[float] = MARGINS, seeds: Sequence[int] = SEEDS
) -> list[dict[str, Any]]:
    """Rows of a grid over mode, margin and seed, as a sweep's plan orders them."""
    rows = []
    for mode, margin, seed in itertools.product(modes, margins, seeds):
        address = hashlib.sha256(f"{mode} {margin} {seed}".encode()).hexdigest()[:24]
        energy = None if mode == "float" else 0.1 * margin + 0.01 * seed
        rows.append(
            {"task": address, "kind": "train", "status": "finished", "error": None, "mode": mode}
            | {"device.margin": margin, "network.hidden": "[128, 64]" if margin == margins[0] else "[32]"}
            | {"seed": seed, "states": None if mode == "float" else 5, "dataset": "mnist"}
            | {"device": "none" if mode == "float" else "racetrack-5"}
            | {"accuracy": accuracy_of(mode, margin, seed), "measured_on": "test", "train_accuracy": 0.99}
            | {"chip_std": 0.0, "chips": 1, "unseen_chips": None, "events_per_sample": 1.0}
            | {"training_events_per_sample": 0.6}
            | {"attempts_per_sample": 1.0, "picojoule_per_inference": energy, "sot_picojoule": energy}
            | {"gate_picojoule": 0.0, "read_picojoule": 0.0}
        )
    return rows


def chips_of(rows: Sequence[dict[str, Any]], seed: int = 0) -> pd.DataFrame:
    """Chips of the ex-situ rows, which are changed to their mean and spread."""
    generator = np.random.default_rng(seed)
    chips = []
    for row in rows:
        if row["mode"] == "ex-situ":
            values = row["accuracy"] + 0.001 * generator.standard_normal(CHIPS)
            row |= {"accuracy": float(values.mean()), "chip_std": float(values.std(ddof=1)), "chips": CHIPS}
            chips += [(row["task"], chip, value) for chip, value in enumerate(values.tolist())]
    frame = pd.DataFrame(chips, columns=["task", "chip", "accuracy"])
    return frame.astype({"task": "string", "chip": "Int64", "accuracy": "float64"})


def table_of(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows with the types of a sweep's table."""
    frame = pd.DataFrame(rows)
    types = {
        name: "string" if name in TEXTS or name == "network.hidden" else "Int64" if name in WHOLE else "float64"
        for name in frame.columns
    }
    return frame.astype(types)


def fail(row: dict[str, Any], error: str | None = "ValueError: it broke") -> None:
    """As if the task of this row had failed."""
    results = ("accuracy", "train_accuracy", "chip_std", "chips", "events_per_sample", "attempts_per_sample")
    results += ("training_events_per_sample",)
    energies = ("picojoule_per_inference", "sot_picojoule", "gate_picojoule", "read_picojoule")
    row |= {"status": "failed", "error": error, "measured_on": None} | dict.fromkeys((*results, *energies))


def write_sweep(
    directory: Path,
    *,
    change: Callable[[list[dict[str, Any]]], object] = lambda rows: None,
    **grid: Any,
) -> Path:
    """Write the directory of a sweep, its rows changed as a test wants them."""
    rows = rows_of(**grid)
    chips = chips_of(rows)
    change(rows)
    directory.mkdir(parents=True)
    (directory / "sweep.toml").write_text('task = "train"\n', encoding="utf-8")
    table_of(rows).to_parquet(directory / "table.parquet", index=False)
    chips.to_parquet(directory / "chips.parquet", index=False)
    return directory
