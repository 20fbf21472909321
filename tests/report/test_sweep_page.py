"""The page about a sweep: its numbers are those of the tables, its words follow from them, no failure is hidden."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_report import HOSTILE, Loads, plot_specs, words

from barkhausen.core.errors import InputError
from barkhausen.device.file import write_device
from barkhausen.experiment.jobs import JOBS
from barkhausen.report.sweep.figures import Group, against_plot, pareto_front
from barkhausen.report.sweep.page import groups_of, value_text, write_sweep_report
from barkhausen.report.sweep.quantities import quantities_of
from made_up_characterisation import made_up
from made_up_sweep_pages import ERROR, write_sweep

MARGINS = {"device.margin": [0.2, 0.4, 0.6], "seed": [0, 1, 2]}

ACCURACY, PROGRAMMING = quantities_of(JOBS["train"])


@pytest.fixture(autouse=True)
def _without_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")


def page_of(root: Path, kind: str, over: dict[str, Any], **changes: Any) -> str:
    write_sweep(root, kind, over, **changes)
    write_sweep_report(root)
    return (root / "report.html").read_text(encoding="utf-8")


def names_of(spec: dict[str, Any]) -> list[str]:
    return [trace["name"] for trace in spec["data"]]


def test_page_says_what_was_found(tmp_path: Path) -> None:
    page = page_of(tmp_path, "train", MARGINS, name="Margins", chips=4)
    text = words(page)
    assert "<h1>Margins</h1>" in page
    assert (
        "9 tasks were planned, each a network trained and measured on data that it did not learn from: 9 finished."
        in text
    )
    assert "Varied were device.margin and seed . A figure is the mean of 3 seeds." in text
    assert "device.margin 3 0.2, 0.4, 0.6 seed 3 0, 1, 2" in text
    # 96 % + 3 % of the margin + 0.1 % a seed + 0.4 % of every other task.
    assert "The highest mean accuracy is 98.03 % (95 % interval" in text
    assert "n = 3 seeds, with margin 0.6; the lowest is 96.97 %" not in text
    assert "the lowest is 96.83 %" in text
    assert "3 of 3 groups are on the Pareto front of accuracy against programming energy" in text
    assert "It runs from 0.09000 pJ with 96.83 % (margin 0.2) to 0.1700 pJ with 98.03 % (margin 0.6)" in text
    assert "is a little flattered by the choice" in text
    assert "chips of one seed by 0.26 points" in text
    assert "the published 13 pJ and 96.67 %" in text
    assert "code version 0.5.0" in text
    assert "margin is ours read after each attempt" in text
    assert "[search.over]" in text
    assert "failed" not in text


def test_page_loads_nothing_and_is_well_formed(tmp_path: Path) -> None:
    page = page_of(tmp_path, "train", MARGINS, failed=[1])
    seen = Loads()
    seen.feed(page)
    assert seen.fetched == []
    assert (seen.unscoped, seen.unlabelled) == (0, 0)
    assert all(after - before <= 1 for before, after in zip(seen.headings, seen.headings[1:], strict=False))
    assert page.count("<figure") == len(re.findall(r"<summary>Data of figure \d+</summary>", page)) == 4
    assert str(tmp_path) not in page


def test_failures_and_what_was_not_run_are_told_and_left_out(tmp_path: Path) -> None:
    text = words(page_of(tmp_path, "train", MARGINS, failed=[0, 1, 8], planned=[5]))
    assert "9 tasks were planned" in text
    assert "5 finished, 3 failed , 1 has not been run" in text
    assert f"{ERROR} – 3 tasks, first at margin 0.2, seed 0" in text
    assert "Traceback (most recent call last)" in text
    # Of the first margin one seed is left, which has no interval.
    assert "0.2 96.80 – 0.09000 – 1 2 " in text
    assert "A figure is the mean of 1 to 2 seeds." in text


def test_a_sweep_of_which_nothing_worked_says_so(tmp_path: Path) -> None:
    text = words(page_of(tmp_path, "train", MARGINS, failed=range(9), error=HOSTILE))
    assert "Nothing to show yet: no task has finished." in text
    assert "9 failed" in text
    assert HOSTILE not in (tmp_path / "report.html").read_text()
    assert plot_specs((tmp_path / "report.html").read_text()) == []


def test_one_task_has_a_page_without_comparisons(tmp_path: Path) -> None:
    text = words(page_of(tmp_path, "train", {"epochs": [3]}))
    assert "1 task was planned" in text
    assert "The mean accuracy is" in text
    assert "highest" not in text
    assert "Pareto front" not in text


def test_second_axis_is_told_by_colour_and_words_by_category(tmp_path: Path) -> None:
    over = {"device.margin": [0.2, 0.4], "device.preset": ["racetrack-5", "notched-5"], "seed": [0, 1]}
    against = plot_specs(page_of(tmp_path / "two", "train", over))[0]
    assert names_of(against) == ["preset racetrack-5", "preset notched-5"]
    assert len({trace["line"]["color"] for trace in against["data"]}) == 2
    assert [len(trace["error_y"]["array"]) for trace in against["data"]] == [2, 2]
    by_name = plot_specs(page_of(tmp_path / "names", "train", {"network.hidden": [[256, 64], [64]], "seed": [0, 1]}))[0]
    assert by_name["layout"]["yaxis"]["categoryarray"] == ["hidden 256-64", "hidden 64"]


def test_points_drawn_at_random_are_not_joined(tmp_path: Path) -> None:
    over = {"device.margin": [0.1 * k for k in range(9)], "optimizer.latent_rate": [0.001, 0.002]}
    write_sweep(tmp_path, "train", over)
    frame = pd.read_parquet(tmp_path / "table.parquet")
    frame["optimizer.latent_rate"] = [0.001 * (k + 1) for k in range(len(frame))]
    frame.to_parquet(tmp_path / "table.parquet")
    write_sweep_report(tmp_path)
    by_margin, by_rate = plot_specs((tmp_path / "report.html").read_text())[:2]
    assert {by_margin["layout"]["xaxis"]["title"]["text"], by_rate["layout"]["xaxis"]["title"]["text"]} == set(over)
    assert [trace["mode"] for spec in (by_margin, by_rate) for trace in spec["data"]] == ["markers", "markers"]


def test_inferences_show_accuracy_on_the_chip_and_energy_by_cause(tmp_path: Path) -> None:
    page = page_of(tmp_path, "infer", {"chip.adc.bits": [4, 6, 8], "seed": [0, 1]})
    against, trade_off, _, causes = plot_specs(page)
    assert names_of(against) == ["accuracy without the chip", "accuracy"]
    assert against["data"][1]["y"] == pytest.approx([96.15, 97.55625, 97.9078125])
    assert names_of(trade_off)[0] == "Pareto front"
    assert names_of(causes) == ["adc", "dac", "device read", "buffer"]
    assert causes["data"][0]["x"] == pytest.approx([100, 400, 1600])
    assert causes["layout"]["barmode"] == "stack"
    assert "published" not in words(page)


def test_characterisations_show_how_well_states_are_told_apart(tmp_path: Path) -> None:
    page = page_of(tmp_path, "characterize", {"notch.depth": [0.1, 0.5, 1.0]})
    titles = [spec["layout"]["yaxis"]["title"]["text"] for spec in plot_specs(page)[:3]]
    assert titles == ["information (bits)", "worst overlap of two states", "smallest gap (% of the range)"]
    assert plot_specs(page)[1]["data"][0]["y"] == pytest.approx([0.39, 0.35, 0.3])
    assert names_of(plot_specs(page)[-1]) == ["SOT pulses", "gate", "verify read"]
    assert "With one task a group there is no interval" in words(page)


def test_assumptions_of_characterised_devices_are_told(tmp_path: Path) -> None:
    write_sweep(tmp_path, "characterize", {"notch.depth": [0.1, 0.5]})
    device = made_up(2, 2, 2).device
    assert device.assumed
    write_device(device, tmp_path / pd.read_parquet(tmp_path / "table.parquet")["device_file"].iloc[0])
    write_sweep_report(tmp_path)
    text = words((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert " ".join(device.assumed[0].split()) in text


def test_validation_is_not_passed_off_as_test(tmp_path: Path) -> None:
    text = words(page_of(tmp_path, "train", MARGINS, measured_on="validation"))
    assert "Validation, not test: these accuracies are measured on validation samples" in text
    assert "flattered" not in text


def test_other_data_are_not_set_beside_the_published_point(tmp_path: Path) -> None:
    always = {"mode": "in-situ", "states": 5, "seed": 0, "dataset": "digits", "device": "racetrack-5"}
    page = page_of(tmp_path, "train", MARGINS, always=always)
    assert "13 pJ" not in words(page)
    assert all("published" not in name for spec in plot_specs(page) for name in names_of(spec))


def group(label: str, cost: float, gain: float, **values: Any) -> Group:
    row = {"picojoule_per_inference_mean": cost, "accuracy_mean": gain}
    row |= {
        f"{column}_{end}": math.nan for column in ("picojoule_per_inference", "accuracy") for end in ("low", "high")
    }
    return Group(values, label, row | {"accuracy_n": 1, "picojoule_per_inference_n": 1})


def test_pareto_front_is_what_no_other_beats() -> None:
    points = {"a": (1, 0.9), "b": (2, 0.8), "c": (2, 0.95), "d": (3, 0.95), "e": (4, 0.99), "f": (math.nan, 1.0)}
    groups = [group(name, *point) for name, point in points.items()]
    assert [found.label for found in pareto_front(groups, PROGRAMMING, ACCURACY)] == ["a", "c", "e"]


def test_axis_over_decades_is_logarithmic() -> None:
    groups = [group("", 1.0, 0.9, rate=rate) for rate in (1e-4, 1e-3, 1e-2)]
    spec = against_plot(groups, ACCURACY, "rate", lambda found: "")
    assert spec["layout"]["xaxis"]["type"] == "log"
    spec = against_plot(groups[:2], ACCURACY, "rate", lambda found: "")
    assert spec["layout"]["xaxis"].get("type") != "log"


def test_labels_tell_groups_apart() -> None:
    frame = pd.DataFrame({"device.margin": [0.2, 0.4], "transfer.margin": [0.1, 0.2], "epochs": [3, 3]})
    assert [found.label for found in groups_of(frame, list(frame.columns))] == [
        "device.margin 0.2, transfer.margin 0.1",
        "device.margin 0.4, transfer.margin 0.2",
    ]
    assert [value_text(value) for value in ("[256, 64]", -0.5, True, None, "a", 10)] == [
        "256-64", "−0.5", "true", "–", "a", "10",
    ]  # fmt: skip


def test_no_table_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        write_sweep_report(tmp_path)
