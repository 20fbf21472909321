"""Where the energy of a trained sample and of an inference goes, on the page about runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_report import page_of, plot_specs, words

from barkhausen.core.errors import InputError
from barkhausen.report.runs.page import write_report
from made_up_accounts import nanojoule, with_account
from made_up_runs import write_run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("runs")
    first = nanojoule(ADC=50.0, gradient=100.0, latent_weights=29.0, sot=1.0, clock=20.0)
    second = nanojoule(ADC=70.0, gradient=100.0, latent_weights=9.0, sot=1.0, clock=40.0)
    runs = [
        write_run(root, seed=0, change=with_account(sample=first)),
        write_run(root, seed=1, change=with_account(sample=second)),
        write_run(root, "ex-situ", change=with_account(sample=nanojoule(weights=500.0, gradient=500.0))),
        write_run(root, "float"),
    ]
    return page_of(runs, root)


def test_bars_of_a_trained_sample_are_means_over_seeds_beside_float32_logic(page: str) -> None:
    spec = next(spec for spec in plot_specs(page) if "nJ per trained sample" in json.dumps(spec["layout"]))
    bars = {trace["name"]: trace["x"] for trace in spec["data"] if trace["type"] == "bar"}
    places = spec["data"][0]["y"]
    assert places == ["in-situ, 5 states", "ex-situ, 5 states", "float32 logic"]
    assert bars["ADC"] == pytest.approx([60, 0, 0])
    assert bars["latent weights"] == pytest.approx([19, 0, 0])
    assert bars["clock (estimate)"] == pytest.approx([30, 0, 0])
    assert bars["gradient"] == pytest.approx([100, 500, 500])
    # Programming is less than a hundredth of its bar.
    assert bars["smaller ones together"] == pytest.approx([1, 0, 0])
    assert [sum(row) for row in zip(*bars.values(), strict=True)] == pytest.approx([210, 1000, 1000])
    totals = next(trace["text"] for trace in spec["data"] if trace["type"] == "scatter")
    assert totals == [" 210.0 nJ", " 1.000 µJ", " 1.000 µJ"]


def test_the_table_has_the_whole_first_and_every_part(page: str) -> None:
    text = words(page)
    assert "Where the energy of a trained sample goes" in text
    assert "cause in-situ, 5 states ex-situ, 5 states float32 logic whole (nJ) 210.0 1 000 1 000" in text
    assert "float32 logic: times as much 4.76 1.00 1.00" in text
    assert "int8 logic with the same low precision (nJ) 300.0 300.0 –" in text
    assert "int8 logic: times as much 1.43 0.300 –" in text
    assert "programming: SOT pulses (nJ) 1.000 – –" in text
    assert "Not counted: power supplies; pads; everything off the chip; half-select currents" in text
    assert "Ex situ, the precursor is trained in float32 logic," in text


def test_float32_logic_does_not_flatten_the_bars_of_an_inference(page: str) -> None:
    spec = next(spec for spec in plot_specs(page) if "nJ per inference" in json.dumps(spec["layout"]))
    assert spec["data"][0]["y"] == ["in-situ, 5 states", "ex-situ, 5 states"]
    text = words(page)
    assert "Where the energy of one inference goes" in text
    assert "Float32 logic (9.000 µJ) is left out of the plot, which it would flatten." in text
    assert "whole (nJ) 10.00 10.00 9 000" in text
    assert "float32 logic: times as much 900 900 1.00" in text


def test_per_inference_is_said_of_inference_and_of_the_published_figure_alone(page: str) -> None:
    text = words(page)
    assert "programming, pJ per sample and epoch" in text
    assert "whole, nJ per trained sample whole, nJ per inference on the chip" in text
    for place in range(len(text)):
        if text.startswith("per inference", place):
            assert any(word in text[place - 60 : place + 60] for word in ("whole", "published", "Energy per inference"))
    axes = json.dumps([spec["layout"].get("xaxis") for spec in plot_specs(page)])
    assert "pJ per inference" not in axes
    assert "pJ per trained sample and epoch" in axes


def test_three_readings_of_programming_energy_stand_beside_the_published_figure(page: str) -> None:
    # 33 pJ over 1000 samples in 3 epochs, 1000 samples, and 200 test images.
    head = "per trained sample and epoch (pJ) per training sample (pJ) per test inference (pJ) published (pJ)"
    assert f"{head} in-situ, 5 states 0.01100 0.03300 0.1650 13" in words(page)


def test_kinds_without_an_account_are_left_out(tmp_path: Path) -> None:
    old = [write_run(tmp_path), write_run(tmp_path, "ex-situ")]
    text = words(page_of(old, tmp_path))
    assert "Where the energy" not in text
    assert "whole" not in text.partition("Programming energy")[0]
    new = write_run(tmp_path, states=3, change=with_account(int8=False))
    text = words(page_of([*old, new], tmp_path))
    assert "cause in-situ, 3 states float32 logic whole (nJ) 200.0 1 000" in text
    assert "int8" not in text


def test_networks_of_different_sizes_have_their_own_float32_logic(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, states=states, change=with_account(logic=logic)) for states, logic in ((5, 1e3), (3, 2e3))
    ]
    text = words(page_of(runs, tmp_path))
    assert "float32 logic (in-situ, 5 states) float32 logic (in-situ, 3 states) whole (nJ)" in text


def test_a_damaged_account_is_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path, change=lambda summary: summary.update(account={"step": {}}))
    with pytest.raises(InputError, match=r"summary.json: is damaged \(KeyError") as caught:
        write_report([run], tmp_path / "report.html")
    assert "\n" not in str(caught.value)
