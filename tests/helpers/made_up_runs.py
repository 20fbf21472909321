"""Directories of runs that never ran: small, with known numbers, and quick to spoil."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAYERS = ("first", "second")
INITIAL = {"first": 2000, "second": 400}
EPOCHS, SAMPLES = 3, 1000


def bell(level: float, number: float) -> list[int]:
    """Counts in 120 bins on [-1.6, 1.6] of a Gaussian with sigma 0.15."""
    weights = [-1.6 + 3.2 * (place + 0.5) / 120 for place in range(120)]
    return [round(number * 0.07 * math.exp(-0.5 * ((weight - level) / 0.15) ** 2)) for weight in weights]


def summary_of(mode: str, states: int | None, seed: int, accuracy: float, transferred: float) -> dict[str, Any]:
    """A summary as a run writes it."""
    programming: dict[str, Any] = {"initial_events": 0, "training_events": 0, "attempts": 0, "failed": 0}
    programming |= {"by_layer": {}, "by_state": {}}
    energy = dict.fromkeys(("programming", "per_inference", "sot", "gate", "read"), 0.0)
    device: dict[str, Any] = {"source": "none", "file": None}
    chips = {"count": 1, "mean": accuracy, "std": 0.0}
    if mode != "float":
        assert states is not None
        trained = 900 * (mode == "in-situ")
        attempts = 2400 + trained
        each = {"events": attempts / states, "attempts": attempts / states, "failed": 5 / states}
        programming = {
            "initial_events": 2400,
            "training_events": trained,
            "attempts": attempts,
            "failed": 5,
            "by_layer": {
                name: {"synapses": INITIAL[name], "initial_events": INITIAL[name], "training_events": trained // 2}
                for name in LAYERS
            },
            "by_state": {str(state): dict(each) for state in range(states)},
        }
        # Prices of 6, 1 and 3 fJ an attempt.
        total = 10e-15 * attempts
        energy = {"programming": total, "per_inference": total / (EPOCHS * SAMPLES)}
        energy |= {"sot": 0.6 * total, "gate": 0.1 * total, "read": 0.3 * total}
        device = {"source": "gaussian", "file": None, "margin": 0.3, "max_attempts": 1, "sigma": 0.15}
    summary = {
        "schema": 1,
        "mode": mode,
        "states": states,
        "seed": seed,
        "epochs": EPOCHS,
        "steps": 10 * EPOCHS,
        "dataset": {"name": "mnist", "source": "a cupboard", "train_samples": SAMPLES, "test_samples": 200},
        "device": device,
        "test_accuracy": accuracy,
        "validation_accuracy": None,
        "train_accuracy": 0.995,
        "chips": chips,
        "programming": programming,
        "energy": {f"{key}_joule": value for key, value in energy.items()},
        "recipe": {
            "mode": mode,
            "seed": seed,
            "epochs": EPOCHS,
            "network": {"hidden": [8, 4]},
            "optimizer": {"latent_rate": 0.01},
        },
        "wall_seconds": 12.0,
        "assumed": ["topology is ours"] if mode == "float" else ["margin is ours", "read after each attempt"],
        "notes": [],
        "software": {"barkhausen": "0.1.0", "torch": "2.9.9", "threads": 2},
    }
    summary["dataset"]["validation_samples"] = 0
    if mode == "in-situ":
        summary["fresh_chip_copy"] = {"count": 10, "mean": transferred, "std": 0.004, "max_attempts": 5}
    if mode == "ex-situ":
        summary["chips"] = {"count": 10, "mean": accuracy, "std": 0.002}
        summary["precursor_accuracy"] = accuracy + 0.001
    return summary


def write_run(
    root: Path,
    mode: str = "in-situ",
    states: int | None = 5,
    seed: int = 0,
    *,
    accuracy: float = 0.98,
    transferred: float = 0.9,
    change: Callable[[dict[str, Any]], object] = lambda summary: None,
    name: str = "",
) -> Path:
    """Write the directory of a finished run, its summary changed as a test wants it."""
    directory = root / (name or f"{mode}-{states}-seed{seed}")
    directory.mkdir(parents=True)
    summary = summary_of(mode, None if mode == "float" else states, seed, accuracy, transferred)
    change(summary)
    (directory / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    lines = []
    for epoch in range(1, EPOCHS + 1):
        line = {"epoch": epoch, "train_loss": 1 / epoch, "train_accuracy": 0.9, "test_accuracy": 0.9 + 0.02 * epoch}
        if mode == "in-situ":
            # 100, 200 and 150 new events in each layer.
            added = (100, 300, 450)[epoch - 1]
            layers = summary["programming"]["by_layer"]
            line["events_by_layer"] = {key: item["initial_events"] + added for key, item in layers.items()}
        lines.append(json.dumps(line))
    (directory / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if mode != "float":
        assert states is not None
        levels = [-1 + 2 * state / (states - 1) for state in range(states)]
        panel = [bell(level, 2400 / states) for level in levels]
        histograms = {"range": [-1.6, 1.6], "levels": levels, "before": panel, "after": panel}
        histograms["meaning"] = ["freshly programmed", "much later"]
        (directory / "histograms.json").write_text(json.dumps(histograms), encoding="utf-8")
    return directory
