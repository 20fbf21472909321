"""Searches by Optuna: the same points whatever the workers and however often interrupted, and better in the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.results.read import load_table
from barkhausen.sweep.plan import Task
from barkhausen.sweep.task import Outcome, attempt
from small_sweep import attempts, files, run_in_threads, sweep_of

pytestmark = pytest.mark.usefixtures("one_thread")

SEARCH = """
recipe = "base.toml"
[search]
kind = "optuna"
samples = 12
batch = 4
seed = 3
maximise = ["accuracy"]
[search.over]
"device.margin" = { low = 0.0, high = 1.0 }
"optimizer.rate" = { low = 1e-5, high = 1e-1, log = true }
"network.hidden" = [[8], [16, 8]]
"""


def hill(task: Task) -> dict[str, Any]:
    """Best at a margin of 0.3 and a rate of 1e-3; energy falls with the margin."""
    values = task.resolved()
    margin, rate = values["device"]["margin"], values["optimizer"]["rate"]
    accuracy = 1 - (margin - 0.3) ** 2 - 0.05 * (math.log10(rate) + 3) ** 2 - 0.001 * values["seed"]
    return {"accuracy": accuracy, "picojoule_per_inference": 1 - margin}


def climb(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
    return attempt(directory, task, lambda: {"row": hill(task), "chips": []})


def stumble(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
    """As ``climb``, but fails where the margin is large."""

    def work() -> dict[str, Any]:
        if task.resolved()["device"]["margin"] > 0.5:
            raise InputError("slipped")
        return {"row": hill(task), "chips": []}

    return attempt(directory, task, work)


class StopError(Exception):
    """What a test interrupts a sweep with."""


def stopping(after: int) -> Callable[[str], None]:
    """A log that breaks off at a failure that many lines on."""
    left = [after]

    def log(line: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise StopError

    return log


def test_what_is_asked_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, SEARCH, "search.repeat.seed=[0, 1]")
    for workers in (1, 3):
        run_in_threads(sweep, tmp_path / str(workers), workers=workers, call=climb)
    assert files(tmp_path / "1") == files(tmp_path / "3")
    table = load_table(tmp_path / "1")
    assert len(table) == 24
    assert table["seed"].tolist() == [0, 1] * 12
    assert table["device.margin"][0::2].tolist() == table["device.margin"][1::2].tolist()
    assert table["device.margin"][0::2].nunique() == 12
    assert set(table["network.hidden"]) == {"[8]", "[16, 8]"}


def test_a_search_that_was_interrupted_asks_the_same_and_does_nothing_twice(tmp_path: Path) -> None:
    sweep, out = sweep_of(tmp_path, SEARCH), tmp_path / "out"
    run_in_threads(sweep, tmp_path / "undisturbed", call=stumble)
    for _ in range(3):
        with pytest.raises(StopError):
            run_in_threads(sweep, out, call=stumble, log=stopping(1))
    run_in_threads(sweep, out, call=stumble, workers=2)
    assert files(out) == files(tmp_path / "undisturbed")
    table = load_table(out)
    assert table["status"].value_counts().to_dict().keys() == {"finished", "failed"}
    for key, status in zip(table["task"], table["status"], strict=True):
        started, finished = attempts(out)[key]
        assert (started, finished) == (1, 1) if status == "finished" else finished is None
    # A larger search begins with the smaller one.
    run_in_threads(sweep_of(tmp_path, SEARCH, "search.samples=16"), out, call=stumble)
    longer = load_table(out)
    assert longer["task"][:12].tolist() == table["task"].tolist()
    assert len(longer) == 16


def test_it_learns(tmp_path: Path) -> None:
    text = SEARCH.replace("samples = 12", "samples = 48")
    run_in_threads(sweep_of(tmp_path, text), tmp_path / "out", workers=4, call=climb)
    accuracy = load_table(tmp_path / "out")["accuracy"]
    # 10 points at random are the beginning of TPE; a random point loses 0.19 on average.
    assert accuracy[-16:].mean() > accuracy[:8].mean() + 0.05
    assert accuracy.max() > 0.98


@pytest.mark.parametrize("sampler", ["auto", "random"])
def test_two_objectives_are_searched_together(sampler: str, tmp_path: Path) -> None:
    changes = ('search.minimise=["picojoule_per_inference"]', f"search.sampler={sampler}")
    sweep = sweep_of(tmp_path, SEARCH, *changes)
    for name in ("one", "two"):
        run_in_threads(sweep, tmp_path / name, call=climb)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    # NSGA-II lets some parents live on as they are: the same task, which runs once.
    assert load_table(tmp_path / "one")["task"].nunique() >= 8


def test_an_axis_that_can_be_wrong_is_refused_before_anything_runs(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, SEARCH.replace("high = 1.0", "high = 1.0, integer = true"), "set.states=1")
    with pytest.raises(InputError, match="states = 1"):
        run_in_threads(sweep, tmp_path / "out", call=climb)
    sweep = sweep_of(tmp_path, SEARCH.replace("[16, 8]]", "[16, 0]]"))
    with pytest.raises(InputError, match=r"network.hidden.1 = 0: "):
        run_in_threads(sweep, tmp_path / "out", call=climb)
    assert not (tmp_path / "out").exists()


def test_points_whose_values_do_not_go_together_are_left_out_and_the_search_goes_on(tmp_path: Path) -> None:
    # Each value is good beside the others' first ones: there is a notched-5 and a racetrack-2, but no notched-2.
    axes = '"states" = [5, 2]\n"device.preset" = ["racetrack", "notched"]\n'
    sweep = sweep_of(tmp_path, SEARCH.replace("[search.over]\n", f"[search.over]\n{axes}"))
    said: list[str] = []
    run_in_threads(sweep, tmp_path / "out", call=climb, log=said.append)
    table = load_table(tmp_path / "out")
    left_out = [line for line in said if "no notched-2 is shipped" in line]
    assert len(left_out) + len(table) == 12
    assert len(left_out) > 0
    assert set(table["status"]) == {"finished"}
    run_in_threads(sweep, tmp_path / "again", call=climb)
    assert files(tmp_path / "again") == files(tmp_path / "out")
