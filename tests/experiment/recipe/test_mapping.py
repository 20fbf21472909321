"""Networks with quantised weights on many chips: a task of a sweep, and the system made of such tasks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.papers.kingra_2022.system import kinds_of
from barkhausen.reproduce.systems import Measured
from barkhausen.sweep.plan import Planner, Task
from barkhausen.sweep.store import Store
from barkhausen.sweep.sweep_file import Sweep, load_sweep
from barkhausen.sweep.task import run_task

SYSTEM = SYSTEMS["kingra-2022"]
TWO = "two-reads"


def sweep() -> Sweep:
    settings = ["epochs=20", "dataset.name=digits", "batch_size=50", "mapping.chips=6", "mapping.samples=120"]
    return load_sweep(SYSTEM.sweep, [f"set.{line}" for line in settings])


def point(values: str, device: str, scheme: str, spread: float, seed: int = 0) -> dict[str, Any]:
    return {
        "network.hidden": [24], "rule.values": values, "mapping.device": device, "chip.tile.scheme": scheme,
        "mapping.spread": spread, "seed": seed,
    }  # fmt: skip


def finished(directory: Path, task: Task) -> Measured:
    """Run a task and what it needs, here."""
    for part in (task.needs, task):
        assert part is not None
        outcome = run_task(directory, part, None)
        assert outcome["status"] == "finished", outcome
    result = Store(directory).result(task.key)
    assert result is not None
    return Measured(task.settings, task.shown, result["row"], tuple(result["chips"]))


POINTS = [
    *(point("binary", "oxram-2", TWO, spread, seed) for spread in (0.0, 4.0) for seed in (0, 1)),
    *(point("binary", "oxram-2", "differential-pair", 1.0, seed) for seed in (0, 1)),
    *(point("binary", "oxram-2", TWO, 1.0, seed) for seed in (0, 1)),
    point("ternary", "oxram-3-even", TWO, 1.0),
    point("ternary", "oxram-3", TWO, 1.0),
    point("ternary", "oxram-3", "differential-pair", 1.0),
    *({"network.hidden": [24], "mode": "float", "seed": seed} for seed in (0, 1)),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[Measured]:
    directory, planner = tmp_path_factory.mktemp("mapped"), Planner(sweep())
    return [finished(directory, planner.task(settings)) for settings in POINTS]


def test_chips_lose_what_spread_and_middle_level_take(measured: list[Measured]) -> None:
    ideal, *_ = of = [each.row for each in measured]
    assert ideal["software_accuracy"] > 0.8
    # The same training stands behind all of them.
    assert len({row["software_accuracy"] for row, at in zip(of, POINTS, strict=True)
                if (at.get("rule.values"), at["seed"]) == ("binary", 0)}) == 1  # fmt: skip
    assert abs(ideal["change_points"]) < 2
    assert len(measured[0].chips) == 6 and len(set(measured[0].chips)) == 1
    wide, some = of[2], of[6]
    assert len(set(measured[2].chips)) > 1
    assert wide["change_points"] < some["change_points"] - 2
    even, geometric, pairs = of[8:11]
    # A middle state of weight -0.67 where the network has 0; the middle devices of a pair cancel.
    assert geometric["change_points"] < even["change_points"] - 2
    assert pairs["change_points"] > geometric["change_points"] + 2
    assert (ideal["memory_saved"], even["memory_saved"]) == (32, 16)
    biases = 24 + 10 + 2
    weights = 64 * 24 + 24 * 10
    assert ideal["whole_memory_saved"] == pytest.approx(32 * (weights + biases) / (weights + 32 * biases))


def test_two_reads_cost_twice_the_time_and_half_the_devices_of_pairs(measured: list[Measured]) -> None:
    two, pair = measured[6].row, measured[4].row
    assert two["latency_nanoseconds"] == pytest.approx(2 * pair["latency_nanoseconds"])
    assert two["adc_picojoule"] == pytest.approx(2 * pair["adc_picojoule"])
    assert pair["programming_nanojoule"] == pytest.approx(2 * two["programming_nanojoule"], rel=1e-3)
    # 10 pJ a device, and a verify read that hardly counts.
    assert two["programming_nanojoule"] == pytest.approx(10e-3 * (64 * 24 + 24 * 10), rel=1e-2)


def test_the_page_and_table_say_what_was_measured(measured: list[Measured]) -> None:
    assert SYSTEM.conclude is not None
    found = SYSTEM.conclude(measured)
    assert len(found.table) == len(kinds_of(measured)) == 8
    assert all(set(row) == set(found.table[0]) for row in found.table)
    text = [dataclasses.astuple(reading) for reading in found.readings]
    against = [row for row in text if row[1] == "on chips against software"]
    assert {row[3] for row in against} == {"+0.2 points", "−2 to −5 points"}
    assert any("(" in row[2] for row in against)
    assert ("BNN", "float32 memory over ours") in {row[:2] for row in text}
    assert [panel.title for panel in found.panels] == [
        "Accuracy against the spread of the devices",
        "Two reads against a pair and a reference column",
        "What the middle resistance decides",
    ]
    for panel in found.panels:
        assert all(len(row) == len(panel.head) for row in panel.rows)


def test_what_cannot_be_mapped_is_refused_before_anything_runs() -> None:
    planner = Planner(sweep())
    good = point("binary", "oxram-2", TWO, 1.0)
    for change, message in (
        ({"mapping.device": "oxram-4"}, "must be oxram-2"),
        ({"mapping.chips": 0}, r"mapping\.chips = 0: input should be greater than or equal to 1"),
        ({"mapping.spread": -1.0}, r"mapping\.spread = -1\.0: input should be greater than or equal to 0"),
        ({"mapping.spraed": 1.0}, r"unknown key 'mapping\.spraed'; did you mean 'mapping\.spread'"),
        ({"mode": "in-situ", "rule.values": None}, "in-situ"),
        ({"rule.middle": 0.1}, "belongs to values = 'ternary'"),
        ({"chip.tile.scheme": "three-reads"}, r"chip: tile\.scheme = 'three-reads': no such read scheme"),
    ):
        settings = {key: value for key, value in {**good, **change}.items() if value is not None}
        with pytest.raises(InputError, match=message):
            planner.task(settings)
