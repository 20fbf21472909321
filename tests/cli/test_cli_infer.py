"""``barkhausen infer``: networks of finished runs on crossbar chips, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from conftest import Command

pytestmark = pytest.mark.usefixtures("one_thread")

COMMAND = "infer"
HARD = ["--set", "wires.word_line=30", "--set", "wires.bit_line=30"]
"""Wires so bad that the small layers of the tests feel them."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("runs")
    # Volatile devices, whose walls reads can move.
    small = {"dataset": {"name": "digits"}, "network": {"hidden": [32]}, "epochs": 8, "transfer": {"chips": 1}}
    small["device"] = {"preset": "racetrack"}
    for mode in ("in-situ", "ex-situ", "float"):
        Run(recipe_from({**small, "mode": mode, "threads": 1}, "test"), where / mode).execute()
    return where


def figures(command: Command, tmp_path: Path, *arguments: object) -> dict[str, Any]:
    out = tmp_path / "figures.json"
    code, _, error = command(*arguments, "--out", out)
    assert code == 0, error
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_accuracy_and_energies_are_printed_and_written(command: Command, runs: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "figures.json", tmp_path / "chip.html"
    code, told, error = command(runs / "in-situ", "--out", out, "--report", page)
    assert code == 0, error
    found = json.loads(out.read_text())
    assert f"{100 * found['accuracy']:.2f} % on the chip" in told
    assert found["ideal_accuracy"] > 0.9
    assert found["accuracy"] > 0.85
    assert found["total_joule"] == pytest.approx(sum(found["energy_joule"].values()), rel=1e-12, abs=0)
    training = found["training"]
    # The run's own programming, over its steps and the samples of a step.
    summary = json.loads((runs / "in-situ" / "summary.json").read_text())
    each = summary["energy"]["programming_joule"] / summary["steps"] / 100
    assert training["energy_joule"]["programming"] == pytest.approx(each, rel=1e-9, abs=0)
    assert training["dominant"].split(" takes ")[0] in " ".join(told.split())
    assert f"{found['accuracy']:.2%}"[:-1] in page.read_text(encoding="utf-8")


def test_fine_tuning_on_the_chip_recovers_what_the_wires_take(command: Command, runs: Path, tmp_path: Path) -> None:
    found = figures(command, tmp_path, runs / "in-situ", *HARD, "--fine-tune", 4)
    lost = found["ideal_accuracy"] - found["accuracy"]
    assert lost > 0.05
    assert found["fine_tuning"]["accuracy"] > found["accuracy"] + lost / 2
    assert found["fine_tuning"]["programming_joule"] > 0


def test_reads_disturb_walls(command: Command, runs: Path, tmp_path: Path) -> None:
    none = figures(command, tmp_path, runs / "in-situ")
    few = figures(command, tmp_path, runs / "in-situ", "--inferences", 300)
    many = figures(command, tmp_path, runs / "in-situ", "--inferences", 1e7)
    moved = [found["disturbed_by"]["share_of_walls_moved"] for found in (none, few, many)]
    assert moved[0] == 0 < moved[1] < 0.1
    assert moved[2] > 0.3
    assert many["accuracy"] < 0.8 * none["accuracy"]


def test_ex_situ_chips_infer_and_have_no_training(command: Command, runs: Path, tmp_path: Path) -> None:
    found = figures(command, tmp_path, runs / "ex-situ", "--chip", 0)
    assert found["accuracy"] > 0.85
    assert found["training"] is None


@pytest.mark.parametrize(
    ("mode", "arguments", "words"),
    [
        ("float", [], "no synapse layer"),
        ("in-situ", ["--set", "adc.percentile=0"], "must be above 0 and at most 100 per cent, got 0"),
        ("in-situ", ["--set", "wires.bit_line=-1"], "must be zero or positive, got -1 ohm"),
        ("in-situ", ["--set", "tile.columns=1"], "smaller than one pair"),
        ("in-situ", ["--set", "junction.resistance_area=0"], "must be positive or 'device'"),
        ("in-situ", ["--set", "adc.bit=3"], "adc.bit"),
        ("in-situ", ["--chip", "7"], "chip = 7"),
        ("nothing", [], "not a finished run"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    command: Command, runs: Path, mode: str, arguments: list[str], words: str
) -> None:
    code, told, error = command(runs / mode, *arguments)
    assert (code, told) == (2, "")
    assert words in error
    assert error.count("\n") == 1
