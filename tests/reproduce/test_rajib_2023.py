from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.errors import DataNotFoundError
from barkhausen.data import load_dataset
from barkhausen.data.base import Dataset
from barkhausen.device import CategoricalDevice, preset
from barkhausen.device.skyrmion.transitions import ALL, COLLAPSE, NUCLEATE
from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce import run as module
from barkhausen.reproduce.papers.rajib_2023.memory import parameters_of, transitions, with_retries, worst
from barkhausen.reproduce.run import reproduce

SMOKE = {
    "set.epochs": 1,
    "set.transfer.chips": 1,
    "search.repeat.seed": [0],
    "set.network.channels": [4],
    "set.network.hidden": [8],
}


def no_mnist(name: str, data_dir: Path | None = None) -> Dataset:
    if name == "mnist":
        raise DataNotFoundError("mnist: looked everywhere")
    return load_dataset(name, data_dir)


def test_the_page_tells_of_the_memory_and_its_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_dataset", no_mnist)
    monkeypatch.setitem(SYSTEMS, "rajib-2023", dataclasses.replace(SYSTEMS["rajib-2023"], quick=SMOKE))
    reproduce(tmp_path / "out", "rajib-2023", quick=True)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What the pulses make of each texture" in page and "2305.09950" in page and "NOT MNIST" in page
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        rows = {row["mode"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"in-situ", "level-change", "ex-situ", "float"}
    for mode in ("in-situ", "level-change"):
        row = rows[mode]
        assert float(row["gate_picojoule"]) > 0
        total = float(row["gate_picojoule"]) + float(row["read_picojoule"])
        assert total == pytest.approx(float(row["picojoule_per_inference"]))
    readings = json.loads((tmp_path / "out" / "summary.json").read_text())["readings"]
    least = next(item for item in readings if item["quantity"].startswith("least likely transition"))
    assert least["published"] == "99%" and least["verdict"].startswith(("reached", "not reached"))


def test_figures_of_the_shipped_memory_follow_from_its_counts() -> None:
    device = preset("skyrmion-3")
    assert isinstance(device, CategoricalDevice)
    parameters = parameters_of(device)
    found = list(transitions(device.counts, parameters))
    assert len(found) == 12 and sum(item.holds for item in found) == 4
    least = worst(found)
    low, high = least.interval
    assert low < least.share < high or least.share == 1
    dearest = max(found, key=lambda item: item.energy)
    nucleate, collapse = (sum(parameters.pulse_energy(p).values()) for p in
                          (parameters.writing.nucleate, parameters.writing.collapse))  # fmt: skip
    assert dearest.energy == pytest.approx(nucleate + 2 * collapse) and dearest.pulses == 3
    # Mirror images have the same events.
    np.testing.assert_array_equal(device.counts[NUCLEATE, 0, :4], device.counts[NUCLEATE, 1, [1, 0, 3, 2]])
    # One attempt is the blind sequence itself; with more attempts success can only grow.
    row = device.categories.index("core_up")
    once, joule, made = with_retries(device, "core_up", 0, 1)
    assert once == pytest.approx(device.counts[COLLAPSE, row, 1] / device.counts[COLLAPSE, row].sum())
    assert joule == pytest.approx(collapse + 2 * device.read_energy) and made == 1
    assert with_retries(device, "core_up", 2, 5)[0] >= with_retries(device, "core_up", 2, 1)[0]
    assert with_retries(device, "core_up", 1, 3) == (1.0, device.read_energy, 0.0)
    assert device.policy[row, 2] == ALL
