"""Networks on devices whose states crowd at one end of the conductance range, as those of many resistive memories."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from barkhausen.device import ResistiveParameters, write_device
from barkhausen.device.resistive.technology import resistive_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run

STATES, LOW, HIGH = 8, 1e-6, 5e-5
SPACINGS = {"even": np.linspace(LOW, HIGH, STATES), "crowded": np.geomspace(LOW, HIGH, STATES)}
SMALL = {"dataset": {"name": "digits"}, "network": {"hidden": [32, 16]}, "epochs": 6, "transfer": {"chips": 2}}


def device_file(path: Path, means: np.ndarray) -> Path:
    """States at these means in S, all with a spread of 1 % of the range."""
    noise = np.random.default_rng(0)
    offsets, cycles = noise.standard_normal((STATES, 12, 1)), noise.standard_normal((STATES, 12, 6))
    values = means[:, None, None] + (HIGH - LOW) * (0.006 * offsets + 0.008 * cycles)
    write_device(resistive_device(np.abs(values), ResistiveParameters(), source="measured"), path)
    return path


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ"])
def test_crowded_states_cost_accuracy_and_stay_finite(tmp_path: Path, mode: str) -> None:
    accuracy: dict[str, list[float]] = {name: [] for name in SPACINGS}
    for name, means in SPACINGS.items():
        device = {"file": str(device_file(tmp_path / f"{name}.nc", means)), "margin": 0.1}
        for seed in (0, 1):
            run = tmp_path / f"{name}-{seed}"
            summary = Run(recipe_from(SMALL | {"mode": mode, "seed": seed, "device": device}, "test"), run).execute()
            accuracy[name].append(summary["test_accuracy"])
            epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
            numbers = [value for epoch in epochs for value in epoch.values() if isinstance(value, float)]
            assert numbers
            assert all(map(math.isfinite, numbers))
    even, crowded = (sum(accuracy[name]) / 2 for name in ("even", "crowded"))
    # Even though half of the eight states lie within a tenth of the range, the network learns.
    assert 0.75 < crowded < even - 0.01
