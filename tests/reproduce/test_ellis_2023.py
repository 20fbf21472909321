from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.errors import DataNotFoundError, InputError
from barkhausen.data import load_dataset
from barkhausen.experiment.export import export_onnx
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.report.runs.page import Beside, write_report
from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.papers.ellis_2023 import label_of
from barkhausen.reproduce.run import reproduce
from barkhausen.sweep.sweep_file import load_sweep


def test_networks_of_the_system_on_small_digits_have_a_page(tmp_path: Path) -> None:
    system = SYSTEMS["ellis-2023"]
    base = load_sweep(system.sweep).base
    summaries, directories = [], []
    for mode, reads in (("stochastic-read", 1), ("stochastic-read", 128), ("float", None)):
        rule = {} if reads is None else {"rule": {"reads": reads}}
        values = base | rule | {"mode": mode, "epochs": 3, "seed": 0, "threads": 1}
        values["dataset"] = {**base["dataset"], "name": "digits"}
        directories.append(tmp_path / f"{mode}-{reads}")
        summaries.append(Run(recipe_from(values, "test"), directories[-1]).execute())
    assert [label_of(summary) for summary in summaries] == [
        "ellis-2023, N = 1", "ellis-2023, N = 128", "float perceptron",
    ]  # fmt: skip
    quantities = {reading.quantity: reading for reading in system.readings(summaries)}
    assert quantities["accuracy less the float perceptron's"].verdict.startswith(("holds", "fails"))
    page = tmp_path / "page.html"
    beside = Beside(system.name, system.title, system.status, system.paper, (), [], (), "", system.panels(summaries))
    write_report(directories, page, beside=beside)
    text = page.read_text(encoding="utf-8")
    for heading in ("Probability of passing", "Trained probabilities", "Accuracy against the number of reads"):
        assert f">{heading}</h2>" in text
    assert "4.63168" in text
    with pytest.raises(InputError, match="linear1: drawn anew at every read"):
        export_onnx(load_trained(directories[0]).model, tmp_path / "network.onnx", (16,))


@pytest.mark.slow
def test_a_quick_look_at_the_whole_system(tmp_path: Path) -> None:
    try:
        load_dataset("mnist", allow_download=False)
    except DataNotFoundError as error:
        pytest.skip(str(error))
    summaries = reproduce(tmp_path / "out", "ellis-2023", quick=True)
    best = max(s["test_accuracy"] for s in summaries if s["mode"] == "stochastic-read")
    assert best > 0.8
