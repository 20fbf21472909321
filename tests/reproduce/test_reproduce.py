from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.errors import DataNotFoundError, InputError
from barkhausen.core.files import LOCK
from barkhausen.data import load_dataset
from barkhausen.data.base import Dataset
from barkhausen.experiment.recipe import load_recipe, recipe_from
from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce import run as module
from barkhausen.reproduce.comparisons import fewer_updates
from barkhausen.reproduce.run import reproduce
from barkhausen.results.table import markdown_table, result_table
from barkhausen.sweep.plan import Planner
from barkhausen.sweep.points import points
from barkhausen.sweep.sweep_file import load_sweep


def no_mnist(name: str, data_dir: Path | None = None) -> Dataset:
    if name == "mnist":
        raise DataNotFoundError("mnist: looked everywhere")
    return load_dataset(name, data_dir)


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[dict[str, Any]], list[str]]:
    monkeypatch.setattr(module, "load_dataset", no_mnist)
    log: list[str] = []
    summaries = reproduce(tmp_path / "out", quick=True, log=log.append)
    return tmp_path / "out", summaries, log


def test_main_job_without_mnist_runs_on_digits_and_says_so_everywhere(
    finished: tuple[Path, list[dict[str, Any]], list[str]],
) -> None:
    out, summaries, log = finished
    assert "NOT MNIST" in log[0]
    assert all("NOT MNIST" in summary["notes"][0] for summary in summaries)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "NOT MNIST" in page
    assert "a quick look" in page
    assert {(s["mode"], s["device"].get("preset")) for s in summaries} == {
        ("float", None),
        *(
            (mode, f"{family}-{states}")
            for mode in ("in-situ", "ex-situ")
            for states in (2, 3, 5)
            for family in ("nonvolatile", "racetrack")
        ),
    }
    assert json.loads((out / "summary.json").read_text()) == summaries
    with (out / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["device"] for row in rows] == [
        *(f"{family}-{states}" for family in ("nonvolatile", "racetrack") for states in (5, 5, 3, 3, 2, 2)),
        "",
    ]
    assert "in-situ, 5 states, device nonvolatile-5" in page
    assert "in-situ, racetrack-5" in page
    # Published figures are MNIST's and must not stand beside digits.
    assert all(row["published_accuracy"] == "" for row in rows)
    assert [float(row["accuracy"]) for row in rows] == [s["test_accuracy"] for s in summaries]


def test_an_interrupted_job_resumes(
    finished: tuple[Path, list[dict[str, Any]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, summaries, _ = finished
    results = sorted(out.glob("tasks/*/*/result.json"))
    results[0].unlink()
    (results[0].parent / "work" / "summary.json").unlink()
    (out / "table.csv").unlink()
    stamps = [path.stat().st_mtime_ns for path in results[1:]]
    again = reproduce(out, quick=True)
    assert [path.stat().st_mtime_ns for path in results[1:]] == stamps
    assert (out / "table.csv").exists()
    assert [s["test_accuracy"] for s in again] == [s["test_accuracy"] for s in summaries]


def test_results_of_an_earlier_version_are_kept_unless_overwritten(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("[]", encoding="utf-8")
    (tmp_path / "float-seed0").mkdir()
    with pytest.raises(InputError, match="holds results of an earlier version"):
        module._check(tmp_path, False)
    module._check(tmp_path, True)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'misba-2012': no such system; did you mean 'misba-2021'"):
        reproduce(tmp_path, "misba-2012")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_planned_and_has_its_published_figures(name: str) -> None:
    system = SYSTEMS[name]
    assert (system.figures or system.statement) and system.paper is not None and system.assumptions
    tasks = [Planner(load_sweep(system.sweep)).task(point) for point in points(load_sweep(system.sweep).file.search)]
    assert len({task.key for task in tasks}) == len(tasks)
    assert all(task.threads == 1 for task in tasks)
    modes = {task.shown["mode"] for task in tasks}
    # A sweep of one mode compares with published figures alone; networks of a precursor, with that one; forecasts, with
    # the last value.
    assert modes & {"float", "persistence"} or len(modes) == 1 or not system.figures


def test_the_volatile_runs_of_the_seed_are_those_of_version_010() -> None:
    """Mode, states and seed of every run, each with the defaults that a recipe of 0.1.0 had."""
    sweep = load_sweep(SYSTEMS["misba-2021"].sweep)
    every = [Planner(sweep).task(point) for point in points(sweep.file.search)]
    tasks = [task for task in every if task.shown["device"] != f"nonvolatile-{task.shown['states']}"]
    kinds = {(task.shown["mode"], task.shown["states"], task.shown["seed"]) for task in tasks}
    assert len(kinds) == len(tasks) == 21
    for task in tasks:
        values = task.resolved()
        mode, states, seed = (values[key] for key in ("mode", "states", "seed"))
        margin, rate = (0.2, 3e-2) if mode == "ex-situ" else (0.4, 6e-3)
        of_mode = {"device": {"preset": "racetrack", "margin": margin}, "optimizer": {"latent_rate": rate}}
        expected = recipe_from({"mode": mode, "states": states, "seed": seed, "threads": 1, **of_mode}, "0.1.0")
        assert values == expected.model_dump(exclude_none=True)


def test_the_default_device_runs_beside_them_with_the_margin_of_the_recipes() -> None:
    sweep = load_sweep(SYSTEMS["misba-2021"].sweep)
    tasks = [Planner(sweep).task(point) for point in points(sweep.file.search)]
    found = [task for task in tasks if task.shown["device"] == f"nonvolatile-{task.shown['states']}"]
    kinds = {(task.shown["mode"], task.shown["states"], task.shown["seed"]) for task in found}
    modes = ("in-situ", "ex-situ")
    assert kinds == {(mode, states, seed) for mode in modes for states in (2, 3, 5) for seed in range(3)}
    for task in found:
        values = task.resolved()
        settings = [f"states={values['states']}", f"seed={values['seed']}", "threads=1"]
        recipe = {"in-situ": "mnist-margin", "ex-situ": "mnist-ex-situ"}[values["mode"]]
        assert values == load_recipe(recipe, settings).model_dump(exclude_none=True)


def test_updates_saved_are_counted_against_every_weight_at_every_step() -> None:
    layers = {"a": {"synapses": 300}, "b": {"synapses": 200}}
    run = {"states": 5, "steps": 1000, "programming": {"training_events": 250, "by_layer": layers}}
    assert fewer_updates(run) == 500 * 1000 / 250
    assert fewer_updates({**run, "states": None}) is None


def test_directory_named_by_the_user_is_never_replaced_by_digits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        reproduce(tmp_path / "out", quick=True, data_dir=tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def summary(mode: str, seed: int, accuracy: float, joule: float = 1e-8) -> dict[str, Any]:
    return {
        "schema": 1, "mode": mode, "states": 5, "seed": seed, "epochs": 10, "train_accuracy": 1.0,
        "test_accuracy": accuracy, "validation_accuracy": None,
        "dataset": {"name": "mnist", "train_samples": 60000, "validation_samples": 0},
        "device": {"source": "gaussian", "file": None, "margin": 0.3},
        "chips": {"count": 10, "mean": accuracy, "std": 0.001 * (seed + 1)},
        "fresh_chip_copy": {"count": 10, "mean": 0.9, "std": 0.01},
        "programming": {"initial_events": 240000, "training_events": 960000, "attempts": 1500000},
        "energy": {"programming_joule": joule, "per_inference_joule": joule / 600000, "sot_joule": joule / 2,
                   "gate_joule": joule / 4, "read_joule": joule / 4},
        "recipe": {"mode": mode, "seed": seed, "epochs": 10, "optimizer": {"latent_rate": 0.01}},
        "wall_seconds": 10.0,
    }  # fmt: skip


def test_table_puts_seeds_of_a_kind_together_and_keeps_kinds_apart() -> None:
    runs = [summary("in-situ", 0, 0.98, 1e-8), summary("ex-situ", 0, 0.97), summary("in-situ", 1, 0.99, 3e-8)]
    other = summary("in-situ", 2, 0.5)
    other["device"]["margin"] = 0.4
    faster = summary("in-situ", 3, 0.5)
    faster["recipe"]["optimizer"]["latent_rate"] = 0.02
    rows = result_table([*runs, other, faster])
    kinds = [(row["mode"], row["seeds"]) for row in rows]
    assert kinds == [("in-situ", 2), ("ex-situ", 1), ("in-situ", 1), ("in-situ", 1)]
    first = rows[0]
    assert first["accuracy"] == pytest.approx(0.985)
    assert first["accuracy_std"] == pytest.approx(0.01 / 2**0.5)
    assert first["chip_std"] == pytest.approx(0.0015)
    assert first["published_accuracy"] == 0.9667
    assert first["events_per_sample"] == pytest.approx(2.0)
    assert first["attempts_per_sample"] == pytest.approx(2.5)
    assert first["picojoule_per_inference"] == pytest.approx(2e-8 / 600000 * 1e12)
    assert (first["sot_share"], first["gate_share"], first["read_share"]) == pytest.approx((0.5, 0.25, 0.25))
    assert first["published_picojoule_per_inference"] == pytest.approx(13)
    assert rows[1]["published_picojoule_per_inference"] is None
    named = result_table([*runs, other, faster], lambda run: f"{run['mode']}, margin {run['device']['margin']}")
    kinds_told = ["in-situ, margin 0.3", "ex-situ, margin 0.3", "in-situ, margin 0.4", "in-situ, margin 0.3"]
    assert [row.pop("kind") for row in named] == kinds_told
    assert named == rows
    # Beside the figures of another system, those of this paper have no place.
    assert result_table(runs, figures=SYSTEMS["misba-2021"].figures)[0]["published_accuracy"] == 0.9667
    assert result_table(runs, figures=SYSTEMS["ellis-2023"].figures)[0]["published_accuracy"] is None
    assert "| ex-situ, margin 0.3 |" in markdown_table(
        [{"kind": kind} | row for kind, row in zip(kinds_told, rows, strict=True)]
    )
    text = markdown_table(rows)
    assert "**98.50** ± 0.71 (n = 2)" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1
