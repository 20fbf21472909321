"""The skyrmion reservoir: a short run of its system with a macrospin, and what its page and tables hold."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.run import reproduce

SMALL = {
    "search.over.method": ["macrospin", "echo-state", "persistence"],
    "set.series.training": 200,
    "set.series.validation": 30,
    "set.series.validation_steps": 20,
    "set.series.test": 40,
    "set.series.steps": 20,
    "set.series.origins": 2,
    "set.read_out.taps": [4],
    "set.read_out.penalties": [1e-6, 1e-4, 1e-2],
    "set.capacity.bits": 40,
}


def test_a_short_run_puts_the_methods_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS["misba-2023-reservoir"]
    monkeypatch.setitem(SYSTEMS, "misba-2023-reservoir", dataclasses.replace(system, quick={**system.quick, **SMALL}))
    reproduce(tmp_path / "out", "misba-2023-reservoir", quick=True, workers=1)
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"macrospin, 0 K", "echo-state network, 4 steps read", "persistence"}
    assert float(rows["echo-state network, 4 steps read"]["nrmse"]) < 0.4 < float(rows["persistence"]["nrmse"])
    assert float(rows["macrospin, 0 K"]["nrmse"]) < 0.5
    assert float(rows["macrospin, 0 K"]["intact"]) == 1.0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    (task,) = [each for each in summary["tasks"] if each["shown"]["mode"] == "macrospin"]
    causes = ("gate", "reads", "dac", "adc", "multiply_add", "weights", "normalise", "buffer")
    total = sum(task["row"][f"{cause}_femtojoule"] for cause in causes)
    assert total == pytest.approx(task["row"]["forecast_femtojoule"])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for words in ("2304.03343", "Capacities", "Inputs and nodes", "the ratio is one of accountings", "C V2, C ="):
        assert words in page
