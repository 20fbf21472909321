"""Forecasting: errors in the unit of the data, and tables, pages and chips of a score that is better when lower."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.tasks.registry import TASKS
from barkhausen.experiment.trained import load_trained
from barkhausen.report.runs.page import write_report
from barkhausen.report.sweep.page import write_sweep_report
from barkhausen.results.finished import load_run
from barkhausen.results.read import load_table
from barkhausen.results.summarise import summarise
from barkhausen.results.table import result_table
from barkhausen.sweep.engine import run_sweep
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.synapse.crossbar.chip import load_chip

RECIPE: dict[str, Any] = {
    "mode": "in-situ", "epochs": 3, "batch_size": 20, "threads": 1,
    "dataset": {"name": "mackey-glass", "options": {"values": 200}},
    "network": {"kind": "lstm", "hidden": [4], "normalisation": "none"},
    "device": {"preset": "gaussian", "sigma": 0.05},
    "optimizer": {"rate": 0.02, "latent_rate": 0.02},
    "transfer": {"chips": 2},
}  # fmt: skip


class LastValue(nn.Module):
    """The last value of the window."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, -1:]


def test_errors_have_the_unit_of_the_data() -> None:
    raw = load_dataset("mackey-glass", options={"values": 300})
    task = TASKS["forecasting"].build(raw.standardised(), torch.device("cpu"))
    error = (raw.test_inputs[:, -1:] - raw.test_labels).double()
    rmse = float(error.square().mean().sqrt())
    figures = task.figures(LastValue())
    assert task.held_out_score(LastValue()) == pytest.approx(rmse, rel=1e-5)
    assert figures["rmse"] == pytest.approx(figures["persistence_rmse"], rel=1e-6)
    assert figures["mae"] == pytest.approx(float(error.abs().mean()), rel=1e-5)
    assert figures["nrmse"] == pytest.approx(rmse / float(raw.test_labels.double().std(correction=0)), rel=1e-5)
    assert task.score.loss(1.0, 3.0) == 2.0


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An in-situ run, an ex-situ one and the float baseline."""
    root = tmp_path_factory.mktemp("runs")
    for mode in ("in-situ", "ex-situ", "float"):
        Run(recipe_from(RECIPE | {"mode": mode}, "test"), root / mode).execute()
    return root


def test_summary_table_and_page_show_the_error(runs: Path) -> None:
    finished = {path.name: load_run(path) for path in sorted(runs.iterdir())}
    summary = finished["in-situ"].summary
    assert summary["test_accuracy"] is None
    assert summary["score"]["test"] == summary["figures"]["rmse"] == finished["in-situ"].held_out
    assert summary["unseen_chips"]["count"] == 2
    assert summary["account"]["per_inference_joule"] > 0
    assert set(summary["programming"]["by_layer"]) == {"lstm1.weight_ih_l0", "lstm1.weight_hh_l0", "output"}
    (row,) = result_table([summary])
    assert row["rmse"] == summary["score"]["test"]
    assert "accuracy" not in row
    page = runs / "page.html"
    write_report([runs / mode for mode in finished], page)
    text = page.read_text(encoding="utf-8")
    assert "RMSE against energy" in text
    assert "ccuracy" not in text.partition("<script")[0].partition("<main")[2]
    assert f"{finished['float'].held_out:.4g}" in text
    page.unlink()


def test_the_network_comes_back_and_a_crossbar_wants_accuracies(runs: Path) -> None:
    trained = load_trained(runs / "in-situ")
    dataset = trained.recipe.dataset.load()
    task = TASKS["forecasting"].build(dataset, torch.device("cpu"))
    assert task.held_out_score(trained.model) == load_run(runs / "in-situ").held_out
    with pytest.raises(InputError, match="forecasting is judged by its RMSE and has no accuracy"):
        infer_on_chip(runs / "in-situ", load_chip())


def test_recurrent_matrices_are_moved_by_pulses_and_the_page_says_so(tmp_path: Path) -> None:
    device = {"device": {"pulsed": "linear-30"}, "optimizer": {"rate": 0.1, "latent_rate": 0.1}}
    summary = Run(recipe_from(RECIPE | device | {"mode": "pulsed-sgd"}, "test"), tmp_path / "run").execute()
    for layer in summary["programming"]["by_layer"].values():
        assert layer["training_events"] > 0
    write_report([tmp_path / "run"], tmp_path / "page.html")
    assert "pulses down" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_scores_are_not_mixed(runs: Path, tmp_path: Path) -> None:
    other = {"dataset": {"name": "digits"}, "network": {"hidden": []}, "mode": "float", "epochs": 1, "threads": 1}
    Run(recipe_from(other, "test"), tmp_path / "digits").execute()
    with pytest.raises(InputError, match="judged by different scores"):
        write_report([runs / "float", tmp_path / "digits"], tmp_path / "page.html")


def test_a_table_of_errors_is_judged_by_them() -> None:
    job = JOBS["train"].for_results(["rmse", "train_rmse", "nrmse"])
    assert job.summarised == ("rmse", "picojoule_per_inference")
    assert job.shown == ("rmse", "nrmse", "mae", "picojoule_per_inference")
    assert job.trade_off == ("picojoule_per_inference", "rmse")
    assert "accuracy" not in (*job.names, *job.needed)
    assert job.column("rmse").higher_is_better is False
    assert job.column("rmse").title == "RMSE (unit of the data)"
    assert JOBS["train"].for_results(["accuracy", "chips"]) is JOBS["train"]
    both = JOBS["train"].for_results(["accuracy", "rmse"])
    assert {"accuracy", "rmse"} <= set(both.names)
    assert both.summarised == JOBS["train"].summarised


@pytest.mark.slow
def test_a_sweep_takes_the_lower_error_for_the_better(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        """
        task = "train"
        [recipe]
        mode = "float"
        batch_size = 20
        dataset = { name = "mackey-glass", options.values = 200 }
        network = { kind = "mlp", hidden = [], normalisation = "none" }
        optimizer = { rate = 0.02 }
        [search]
        kind = "grid"
        over.epochs = [1, 12]
        repeat.seed = [0, 1, 2]
        """
    )
    run_sweep(load_sweep(file), tmp_path / "out", workers=1)
    frame = load_table(tmp_path / "out")
    assert {"rmse", "nrmse", "mae", "train_rmse"} <= set(frame.columns)
    assert "accuracy" not in frame.columns
    summary = summarise(frame, against=["epochs=1"])
    assert summary.values == ("rmse", "picojoule_per_inference")
    rows = summary.frame.set_index("epochs")
    assert rows.loc[12, "rmse_difference"] < 0
    assert math.isfinite(rows.loc[12, "rmse_low"])
    write_sweep_report(tmp_path / "out", "report.html")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The lowest mean RMSE is" in text
