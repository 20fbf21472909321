"""A rule, a network, a data set and a task from outside the package go through everything that a run goes through."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import forked
from barkhausen.core.errors import InputError
from barkhausen.data import DATASETS
from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.export import export_npz
from barkhausen.experiment.recipe import Recipe, load_recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.tasks import TASKS
from barkhausen.experiment.trained import load_trained
from barkhausen.learning.networks import NETWORKS
from barkhausen.learning.rules import RULES
from barkhausen.report.runs.page import write_report
from barkhausen.report.sweep.page import write_sweep_report
from barkhausen.results.finished import load_run
from barkhausen.results.read import load_table, load_tables
from barkhausen.results.summarise import summarise
from barkhausen.results.table import result_table
from barkhausen.synapse.crossbar.chip import load_chip

pytestmark = pytest.mark.usefixtures("one_thread")

Environment = dict[str, str]

RECIPE: dict[str, Any] = {
    "mode": "rarely",
    "states": 5,
    "epochs": 6,
    "batch_size": 10,
    "threads": 1,
    "dataset": {"name": "stripes"},
    "network": {"kind": "committee", "normalisation": "none", "options": {"members": 6}},
    "device": {"preset": "gaussian", "sigma": 0.1},
    "optimizer": {"rate": 0.01, "latent_rate": 0.03},
    "transfer": {"chips": 2},
}
COMBINATIONS = {
    "all": {},
    "rule": {"dataset": {"name": "digits"}, "network": {"kind": "mlp", "hidden": [12]}},
    "float": {"mode": "float"},
    "ex-situ": {"mode": "ex-situ"},
}


@pytest.fixture(scope="module", autouse=True)
def environment(extensions: Callable[..., Environment]) -> Environment:
    return extensions("made_up_learning", [RULES, NETWORKS, DATASETS, TASKS])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> Path:
    """A finished run of each combination."""
    where = tmp_path_factory.mktemp("runs")
    for name, changes in COMBINATIONS.items():
        Run(recipe_from(RECIPE | changes, "test"), where / name).execute()
    return where


def recipe(**changes: Any) -> Recipe:
    return recipe_from(RECIPE | changes, "test")


def test_the_resolved_recipe_has_the_options_and_defaults_of_its_entries(tmp_path: Path) -> None:
    made = recipe()
    assert made.device.margin == 0.3
    (tmp_path / "recipe.toml").write_text(made.to_toml())
    assert "[rule]\nevery = 4" in made.to_toml()
    assert "[network.options]\nmembers = 6" in made.to_toml()
    assert load_recipe(tmp_path / "recipe.toml") == made
    changed = load_recipe(tmp_path / "recipe.toml", ["rule.every=9", "network.options.members=2"])
    assert changed.model_dump()["rule"] == {"every": 9}
    assert changed.model_dump()["network"]["options"] == {"members": 2}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mode": "rarly"}, r"mode = 'rarly': no such learning rule; did you mean 'rarely'\?"),
        ({"rule": {"every": 0}}, r"rule\.every = 0: input should be greater than or equal to 1"),
        ({"rule": {"evry": 2}}, r"unknown key 'rule\.evry'"),
        ({"rule": 2}, r"rule = 2: must be a table"),
        ({"network": {"kind": "committee", "options": {"members": "3"}}}, r"network\.options\.members = '3': input"),
        ({"dataset": {"name": "strips"}}, r"dataset\.name = 'strips': no such data set; did you mean 'stripes'\?"),
    ],
)
def test_a_wrong_option_is_one_line_with_its_key(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        recipe(**changes)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"network": {"hidden": [8]}},
            "network.kind = 'mlp': stripes is for telling two sides, which needs 'committee'",
        ),
        ({"dataset": {"name": "digits"}}, "'committee': digits is for classification, which needs 'airbench' or "),
    ],
)
def test_a_network_that_cannot_do_the_task_is_refused(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        Run(recipe(**changes), tmp_path / "run").execute()
    assert line in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_summary_says_what_the_entries_say(runs: Path, name: str) -> None:
    summary = json.loads((runs / name / "summary.json").read_text())
    rule = RULES[summary["mode"]]
    assert summary["test_accuracy"] > (0.3 if name == "rule" else 0.8)  # by chance 0.1 and 0.5
    assert (summary["states"] is not None) == rule.on_devices
    assert ("precursor_accuracy" in summary) == rule.measured_on_new_chips
    assert (summary["programming"]["training_events"] > 0) == rule.programs_while_training
    assert set(summary["figures"]) == (set() if name == "rule" else {"mean_output"})
    if rule.on_devices:
        assert json.loads((runs / name / "histograms.json").read_text())["meaning"] == list(rule.histograms)
    lines = [json.loads(line) for line in (runs / name / "metrics.jsonl").read_text().splitlines()]
    assert all(("events" in line) == rule.programs_while_training for line in lines)


def test_the_options_of_the_rule_take_effect(runs: Path, tmp_path: Path) -> None:
    often = Run(recipe(rule={"every": 1}), tmp_path / "run").execute()
    rarely = json.loads((runs / "all" / "summary.json").read_text())
    assert often["test_accuracy"] > 0.8
    assert often["programming"] != rarely["programming"]


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_trained_network_comes_back(runs: Path, name: str) -> None:
    summary = json.loads((runs / name / "summary.json").read_text())
    trained = load_trained(runs / name)
    data = DATASETS[trained.recipe.dataset.name].load(None, False).standardised()
    task = TASKS[data.task].build(data, torch.device("cpu"))
    expected = summary["chips"]["values"][0]
    assert task.held_out_accuracy(trained.model) == expected
    assert trained.sample == (data.train_inputs.shape[1],)


def test_a_run_is_resumed_and_a_finished_one_returned(runs: Path, tmp_path: Path) -> None:
    first = json.loads((runs / "all" / "summary.json").read_text())
    assert Run(recipe(), runs / "all").execute() == first
    with pytest.raises(InputError, match=r"holds a run with rule\.every = 4, this one has 5"):
        Run(recipe(rule={"every": 5}), runs / "all").execute()


def test_it_infers_on_a_chip_and_is_exported(runs: Path, tmp_path: Path) -> None:
    chip = load_chip()
    for name in ("all", "rule", "ex-situ"):
        result = infer_on_chip(runs / name, chip)
        assert (result.training is not None) == RULES[load_trained(runs / name).recipe.mode].programs_while_training
        export_npz(load_trained(runs / name).model, tmp_path / f"{name}.npz")
    with pytest.raises(InputError):
        infer_on_chip(runs / "float", chip)


def test_the_command_line_finds_the_modules_of_the_environment(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "recipe.toml").write_text(recipe(epochs=1).to_toml())
    command = ("train", "recipe.toml", "--out", "run")
    real = [sys.executable, "-m", "barkhausen", *command]
    done = subprocess.run(real, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["mode"] == "rarely"
    without = {key: value for key, value in environment.items() if key != "BARKHAUSEN_EXTENSIONS"}
    other = forked.run(*command, where=tmp_path, environment=without)
    assert other.returncode == 2
    assert "mode = 'rarely': no such learning rule" in other.stderr
    missing = environment | {"BARKHAUSEN_EXTENSIONS": "made_up_nowhere"}
    other = forked.run(*command, where=tmp_path, environment=missing)
    assert other.returncode == 2
    assert "BARKHAUSEN_EXTENSIONS: No module named 'made_up_nowhere'" in other.stderr


def test_pages_and_tables_show_it_beside_the_rules_of_the_package(runs: Path, tmp_path: Path) -> None:
    directories = [runs / name for name in COMBINATIONS]
    write_report(directories, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = {row["mode"]: row for row in result_table([load_run(directory).summary for directory in directories])}
    assert rows.keys() == {"rarely", "float", "ex-situ"}
    assert "rarely, 5 states" in page
    for mode in rows:
        assert mode in page
    frame = summarise(load_tables(directories).rows, ["accuracy"], ["mode", "dataset"]).frame
    assert set(frame["mode"]) == {"rarely", "float", "ex-situ"}


def test_it_is_swept_and_its_sweep_is_tabulated_and_shown(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "recipe.toml").write_text(recipe(epochs=1).to_toml())
    (tmp_path / "sweep.toml").write_text(SWEEP)
    command = ("sweep", "sweep.toml", "--out", "sweep", "--workers", "1")
    done = forked.run(*command, where=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    frame = load_table(tmp_path / "sweep")
    assert list(frame["mode"]) == ["rarely"] * 4
    assert sorted(summarise(frame, ["accuracy"]).frame["rule.every"]) == [1, 3]
    write_sweep_report(tmp_path / "sweep")
    assert "rarely" in (tmp_path / "sweep" / "report.html").read_text(encoding="utf-8")


SWEEP = """
task = "train"
recipe = "recipe.toml"
threads = 1

[search]
kind = "grid"

[search.over]
"rule.every" = [1, 3]

[search.repeat]
seed = [0, 1]
"""
