"""The page about a network on a chip: its numbers are those of the summary, and what is missing is left out."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_report import HOSTILE, Loads, plot_specs, words

from barkhausen.core.errors import InputError
from barkhausen.report.chip.page import breakdowns_of, si, write_chip_report
from barkhausen.report.energy_causes import SMALLER, in_order, look_of, small_ones_together
from made_up_chip import summary_of_chip


@pytest.fixture(autouse=True)
def _without_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")


def page_of(summary: dict[str, Any], root: Path) -> str:
    # As it is read back from the file that `barkhausen infer` writes.
    write_chip_report(json.loads(json.dumps(summary)), root / "chip.html")
    return (root / "chip.html").read_text(encoding="utf-8")


def test_page_says_what_the_summary_holds(tmp_path: Path) -> None:
    summary = summary_of_chip()
    page = page_of(summary, tmp_path)
    text = words(page)
    assert "The network of run “in-situ-5-seed0”" in text
    assert "It classifies 97.91 % of the held-out samples correctly on the chip, and 98.28 %" in text
    assert "the chip loses 0.37 percentage points" in text
    total, logic = summary["total_joule"], summary["float32_total_joule"]
    assert f"energy of one inference on the chip {1e9 * total:.3g} nJ".rstrip("0") in text
    assert f"({logic / total:.3g} times the chip’s)" in text
    assert summary["dominant"] in text
    assert summary["training"]["dominant"] in text
    assert "latency of one inference: reads and conversions 33.3 ns" in text
    assert "adc step 1.01e-14 J no 3.1 mW / 1.2 GS/s" in text
    assert "wire capacitance 1e-16 F assumed" in text
    assert "device.friction = 0.1 (default)" in text
    assert "[tile]" in text


def test_every_cause_is_in_a_plot_and_shares_add_up(tmp_path: Path) -> None:
    summary = summary_of_chip()
    chip, logic, causes, area = plot_specs(page_of(summary, tmp_path))
    for spec in (chip, logic):
        bars = [trace["x"] for trace in spec["data"] if trace["type"] == "bar"]
        assert [sum(row) for row in zip(*bars, strict=True)] == pytest.approx([100, 100], abs=0.05)
    marks = {trace["name"]: dict(zip(trace["y"], trace["x"], strict=True)) for trace in causes["data"]}
    assert set(marks) == {
        f"{what}, {where}" for what in ("inference", "trained sample") for where in ("chip", "float32 logic")
    }
    for what, part in (("inference", summary), ("trained sample", summary["training"])):
        told = marks[f"{what}, chip"]
        for cause, joule in part["energy_joule"].items():
            assert told.get(cause, 0.0) == pytest.approx(1e12 * joule)
        assert told["all of it"] == pytest.approx(1e12 * part["total_joule"])
        assert marks[f"{what}, float32 logic"]["all of it"] == pytest.approx(1e12 * part["float32_total_joule"])
    assert sum(area["data"][0]["x"]) == pytest.approx(1e6 * sum(summary["area_square_metre"].values()))


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    summary = summary_of_chip(training=False)
    for key in ("run", "chip", "constants", "disturbed_by", "fine_tuning", "interval_seconds", "walls_moved_by_reads"):
        summary.pop(key, None)
    text = words(page_of(summary, tmp_path))
    assert "A trained network was mapped onto crossbar tiles" in text
    assert "trained sample" not in text
    assert "Constants with their sources" not in text
    assert "moved by" not in text


def test_fine_tuning_and_disturbing_reads_are_told(tmp_path: Path) -> None:
    summary = summary_of_chip()
    summary["fine_tuning"] = {"epochs": 1, "accuracy": 0.981, "programming_joule": 2e-9, "training_samples": 100}
    summary["disturbed_by"] = {"inferences": 1e6, "share_of_walls_moved": 0.012}
    text = words(page_of(summary, tmp_path))
    assert (
        "After 1 epoch of training on the chip it classifies 98.10 % correctly, 0.19 percentage points more "
        "than before, at a programming energy of 2.00 nJ." in text
    )
    assert "the reads of 1 000 000 inferences had changed the state of 1.20 % of the devices" in text
    assert "does not include this disturbance" not in text


@pytest.mark.parametrize(
    ("accuracy", "sentence"), [(0.99, "0.72 percentage points better"), (0.9828, "the chip loses no accuracy")]
)
def test_a_chip_that_costs_nothing_is_not_said_to(tmp_path: Path, accuracy: float, sentence: str) -> None:
    assert sentence in words(page_of(summary_of_chip(accuracy=accuracy), tmp_path))


def test_page_loads_nothing_and_hostile_words_stay_words(tmp_path: Path) -> None:
    summary = summary_of_chip()
    summary["run"], summary["assumed"] = HOSTILE, [HOSTILE]
    summary["energy_joule"][HOSTILE] = 1e-9
    page = page_of(summary, tmp_path)
    seen = Loads()
    seen.feed(page)
    assert seen.fetched == []
    assert (seen.unscoped, seen.unlabelled) == (0, 0)
    assert "<script>alert" not in page
    assert page.count("<figure") == len(re.findall(r"<summary>Data of figure \d+</summary>", page)) == 3


def test_a_summary_of_another_version_is_one_clear_line(tmp_path: Path) -> None:
    summary = summary_of_chip()
    del summary["energy_joule"], summary["accuracy"]
    with pytest.raises(InputError, match="lacks accuracy, energy_joule; it is of another version"):
        write_chip_report(summary, tmp_path / "chip.html")


def test_units_and_ranks() -> None:
    assert [si(value, "J").replace("\u00a0", " ") for value in (0.0, 3.3e-8, 1.5e-6, 2e-18)] == [
        "0 J", "33.0 nJ", "1.50 µJ", "2.00 aJ",
    ]  # fmt: skip
    ranked = breakdowns_of(summary_of_chip())[0].ranked
    assert [share for _, _, share in ranked] == sorted((share for _, _, share in ranked), reverse=True)
    assert sum(share for _, _, share in ranked) == pytest.approx(1)


def test_every_cause_has_a_look_of_its_own_and_its_kind_is_seen(tmp_path: Path) -> None:
    summary = summary_of_chip()
    for part in (summary["training"], {"energy_joule": summary["training"]["float32_joule"]}):
        looks = {name: look_of(name) for name in part["energy_joule"]}
        assert len({(look["color"], look["pattern"]["shape"]) for look in looks.values()}) == len(looks)
    shapes = {name: look["pattern"]["shape"] for name, look in looks.items()}
    training = ("gradient", "gradient sums", "gradient operands", "latent weights", "optimiser memory", "update")
    assert {shapes[name] for name in training} == {look_of("verify")["pattern"]["shape"]} == {"/"}
    assert {shapes[name] for name in ("network", "leakage", "clock")} == {"."}
    assert {look_of(name)["pattern"]["shape"] for name in ("programming", "sot", "a cause of another technology")} == {
        "x"
    }
    assert shapes["multiply-add"] == shapes["normalise"] == ""
    page = page_of(summary, tmp_path)
    bars = [trace["name"] for trace in plot_specs(page)[0]["data"] if trace["type"] == "bar"]
    assert bars == [*in_order(bars[:-1]), SMALLER]
    assert bars.index("ADC") < bars.index("gradient") < bars.index("latent weights") < bars.index("clock")
    text = words(page)
    assert "Dotted: estimates (network, leakage, clock), not sums of single operations" in text
    assert "clock (estimate)" in text
    assert "Not counted in any energy: power supplies; pads; everything off the chip; half-select currents" in text


def test_a_summary_without_estimates_says_that_they_are_missing(tmp_path: Path) -> None:
    summary = summary_of_chip()
    for part in (summary, summary["training"]):
        for table, name in itertools.product(("energy_joule", "float32_joule"), ("network", "leakage", "clock")):
            del part[table][name]
    text = words(page_of(summary, tmp_path))
    assert "Neither energy nor area includes leakage, clocks, control and the network between tiles." in text
    assert "estimate" not in text.partition("Constants and assumptions")[0]


def test_causes_small_in_every_bar_are_added_up() -> None:
    rows = small_ones_together([{"ADC": 90.0, "gate": 1.0, "clock": 9.0}, {"ADC": 98.0, "new": 2.0}], 0.02)
    assert rows == {"ADC": [90.0, 98.0], "new": [0.0, 2.0], "clock": [9.0, 0.0], SMALLER: [1.0, 0.0]}
