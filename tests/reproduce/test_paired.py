"""The effect of a choice, seed by seed, against the interval of Student's t."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from barkhausen.reproduce.paired import effect


def run(seed: int, kind: str, value: float, *, error: bool) -> dict[str, Any]:
    accuracies = {f"{part}_accuracy": None if error else value for part in ("test", "validation", "train")}
    score = {
        "name": "rmse", "label": "RMSE", "unit": "m", "scale": 1.0, "decimals": None, "higher_is_better": False,
        "test": value, "validation": None, "train": value,
    }  # fmt: skip
    return {"seed": seed, "mode": kind, **accuracies, **({"score": score} if error else {})}


@pytest.mark.parametrize("error", [False, True])
def test_gain_and_interval_are_those_of_paired_differences(error: bool) -> None:
    generator = np.random.default_rng(1)
    # What differs between seeds is much larger than the effect.
    base = generator.uniform(0.3, 0.7, 10)
    change = 0.02 + 0.01 * generator.standard_normal(10)
    better = base - change if error else base + change
    runs = [run(seed, "with", value, error=error) for seed, value in enumerate(better)]
    runs += [run(seed, "without", value, error=error) for seed, value in enumerate(base)]
    runs.append(run(99, "with", 0.5, error=error))
    found = effect(runs, "runs", lambda s: s["mode"] == "with", lambda s: s["mode"] == "without")
    assert found is not None
    assert found.test.pairs == 10
    assert found.test.difference == pytest.approx(change.mean())
    low, high = stats.t.interval(0.95, 9, change.mean(), stats.sem(change))
    assert (found.test.interval.low, found.test.interval.high) == pytest.approx((low, high))
    assert found.verdict == "better"
    reading = found.reading("patches", "better")
    factor, digits = (1, ".3g") if error else (100, ".2f")
    assert reading.ours.startswith(f"{factor * change.mean():+{digits}} {'m' if error else 'points'} (95 % interval +")
    opposite = effect(runs, "runs", lambda s: s["mode"] == "without", lambda s: s["mode"] == "with")
    assert opposite is not None
    assert opposite.verdict == "worse"
    assert effect(runs, "runs", lambda s: s["mode"] == "with", lambda s: False) is None
