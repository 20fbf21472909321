"""The skyrmion reservoir: a short run of its system with a macrospin, and what its page and tables hold."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.papers.misba_2023_reservoir.system import conclude
from barkhausen.reproduce.run import reproduce
from barkhausen.reproduce.systems import Measured

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


def made(method: str, femtojoule: float, **settings: object) -> Measured:
    shown = {"mode": method, "seed": 0, "dataset": "mackey-glass"}
    row = {"nrmse": 0.5, "horizon": 9.0, "forecast_femtojoule": femtojoule}
    return Measured({"method": method, **settings}, shown, row)


def test_the_ratio_of_energies_is_that_of_the_sequence_to_sequence_network() -> None:
    found = conclude(
        [
            made("skyrmion", 10.0),
            made("skyrmion", 20.0, **{"options.temperature": 300.0, "options.copies": 16}),
            made("lstm", 100.0),
            made("seq2seq", 200.0),
            made("seq2seq", 1e9, **{"series.mode": "direct", "series.steps": 24}),
        ]
    )
    ratios = {(item.kind, item.quantity): item for item in found.readings if "over ours" in item.quantity}
    assert len(ratios) == 4
    cold, hot = "skyrmion in a disc, 0 K", "skyrmion in a disc, 300 K, mean of 16"
    decoder = "mackey-glass: energy of the sequence-to-sequence LSTM over ours, a ratio of accountings"
    first, second = ratios[cold, decoder], ratios[hot, decoder]
    assert (first.ours, first.published, first.verdict) == ("20", "at least 16", "reached")
    assert (second.ours, second.verdict) == ("10", "not reached")
    assert [row["method"] for row in found.table][:2] == [cold, hot]
