from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from barkhausen.cli.app import app
from barkhausen.core.errors import InputError
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.uncertainty import kept_outputs, uncertainty_of_runs
from barkhausen.experiment.work.rows import training_row
from barkhausen.report.runs.page import write_report


def run(out: Path, mode: str, members: int = 3, **more: Any) -> dict[str, Any]:
    values = {
        "mode": mode,
        "epochs": 1,
        "threads": 1,
        "dataset": {"name": "digits"},
        "network": {"hidden": []},
        "transfer": {"chips": 2},
        "evaluation": {"uncertainty": members} if members else {},
        **({"device": {"preset": "gaussian", "sigma": 0.3}} if mode == "ex-situ" else {}),
        **({"rule": {"reads": 4}} if mode == "stochastic-read" else {}),
        **more,
    }
    return Run(recipe_from(values, "test"), out).execute()


@pytest.mark.parametrize(("mode", "what"), [("ex-situ", "chips"), ("stochastic-read", "passes"), ("float", "network")])
def test_a_run_and_the_command_on_it_measure_the_same(mode: str, what: str, tmp_path: Path) -> None:
    dataset = {"name": "digits"}
    if mode == "stochastic-read":
        dataset["threshold"] = 0.5
    found = run(tmp_path / "a", mode, dataset=dataset)["uncertainty"]
    again = uncertainty_of_runs([tmp_path / "a"], 3).summary()["networks"][str(tmp_path / "a")]
    assert found["what"] == what
    assert found.pop("outputs") == "outputs.safetensors"
    assert again == found
    outputs, labels = kept_outputs(tmp_path / "a")
    assert outputs.shape == (1 if what == "network" else 3, len(labels), 10)
    if what != "network":
        assert not torch.equal(outputs[0], outputs[1])
        assert found["figures"]["mutual_information"][0] > 0


def test_the_accuracy_of_an_ex_situ_run_is_that_of_its_first_chips(tmp_path: Path) -> None:
    summary = run(tmp_path / "a", "ex-situ", 2)
    outputs, labels = kept_outputs(tmp_path / "a")
    single = [(chip.argmax(dim=1) == labels).double().mean().item() for chip in outputs]
    assert single == summary["chips"]["values"]
    without = run(tmp_path / "b", "ex-situ", 0)
    assert without["chips"] == summary["chips"]


def test_runs_without_the_key_have_neither_text_nor_columns_of_it(tmp_path: Path) -> None:
    plain = recipe_from({"mode": "float", "evaluation": {"repeats": 3}}, "test")
    assert "uncertainty" not in plain.to_toml()
    summary = run(tmp_path / "a", "float", 0)
    assert "uncertainty" not in summary
    assert "nll" not in training_row(summary)
    job = JOBS["train"]
    assert "nll" not in job.for_results(training_row(summary)).names
    summary = run(tmp_path / "b", "float", 1)
    row = training_row(summary)
    assert row["nll"] == summary["uncertainty"]["figures"]["nll"][0]
    assert {"nll", "ece", "brier", "members"} <= set(job.for_results(row).names)
    with pytest.raises(InputError, match="uncertainty_bins has no effect without uncertainty"):
        recipe_from({"mode": "float", "evaluation": {"uncertainty_bins": 5}}, "test")


def test_an_ensemble_of_runs_from_the_command_line(tmp_path: Path) -> None:
    for seed in (0, 1):
        run(tmp_path / str(seed), "float", 1, seed=seed)
    out, page = tmp_path / "found.json", tmp_path / "page.html"
    named = [str(tmp_path / "0"), str(tmp_path / "1")]
    result = CliRunner().invoke(app, ["uncertainty", *named, "--out", str(out), "--report", str(page)])
    assert result.exit_code == 0, result.output
    networks = json.loads(out.read_text())["networks"]
    together = networks["ensemble of 2 runs"]
    assert together["members"] == 2
    # The loss of mean probabilities is at most the mean loss (Jensen).
    assert together["figures"]["nll"][0] < together["single"]["nll"]
    assert "Reliability of ensemble of 2 runs" in page.read_text(encoding="utf-8")
    write_report([tmp_path / "0"], tmp_path / "runs.html")
    assert "Accuracy against rejection" in (tmp_path / "runs.html").read_text(encoding="utf-8")


def test_what_has_no_uncertainty_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "a", "float", 0)
    with pytest.raises(InputError, match="every pass of this network gives the same"):
        uncertainty_of_runs([tmp_path / "a"], 2, over="passes")
    with pytest.raises(InputError, match="has no devices"):
        uncertainty_of_runs([tmp_path / "a"], 2, over="chips")
    with pytest.raises(InputError, match=r"train with evaluation\.uncertainty"):
        kept_outputs(tmp_path / "a")
    with pytest.raises(InputError, match="has no classes"):
        run(tmp_path / "b", "float", 2, dataset={"name": "mackey-glass"}, network={"kind": "lstm", "hidden": [2]})
