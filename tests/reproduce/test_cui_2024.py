"""The page of the domain-wall neurons, on small images."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from barkhausen.core.errors import DataNotFoundError
from barkhausen.data import load_dataset
from barkhausen.reproduce.papers.cui_2024.figures import PUBLISHED
from barkhausen.reproduce.run import reproduce
from barkhausen.reproduce.systems import SYSTEMS
from barkhausen.results.published import figures_of

SMOKE = {
    "set.dataset.name": "digits",
    "set.network.options.steps": 20,
    "set.network.hidden": [16],
    "set.epochs": 2,
    "search.repeat.seed": [0],
}


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_each_neuron_stands_beside_its_published_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SYSTEMS, "cui-2024", dataclasses.replace(SYSTEMS["cui-2024"], quick=SMOKE))
    summaries = reproduce(tmp_path, "cui-2024", quick=True, workers=1)
    assert {run["recipe"]["network"]["options"]["cell"] for run in summaries} == {"lif", "if", "domain-wall"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Learning curves", "DW-MTJ with noise, published", "79.07", "with 20 instead of 400 steps"):
        assert words in page
    table = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 5 and "DW-MTJ, reset to the start, gradient in m, 20 steps" in "".join(table)


def test_published_curves_end_at_the_published_figures() -> None:
    figures = {figure.quantity: figure.value for figure in figures_of("cui-2024")}
    for neuron, curve in PUBLISHED.items():
        assert len(curve) == 10
        assert curve[-1] == pytest.approx(100 * figures[f"accuracy of {neuron}"])


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_neurons_and_synapses_of_devices_stand_beside_digital_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = dataclasses.replace(SYSTEMS["cui-2024-devices"], quick=SMOKE | {"set.transfer.chips": 1})
    monkeypatch.setitem(SYSTEMS, "cui-2024-devices", entry)
    summaries = reproduce(tmp_path, "cui-2024-devices", quick=True, workers=1)
    assert {run["mode"] for run in summaries} == {"in-situ", "float"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "neurons of neuron-track, in-situ, 5 states, 20 steps" in page


@pytest.mark.slow
def test_the_short_version_learns(tmp_path: Path) -> None:
    try:
        load_dataset("fashion-mnist", allow_download=False)
    except DataNotFoundError as error:
        pytest.skip(str(error))
    for summary in reproduce(tmp_path, "cui-2024", quick=True):
        assert summary["test_accuracy"] > 0.3
