"""One task on a worker: done once, gone on with, failed with its reason, never by two at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from barkhausen.device import gaussian_device, write_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.work.rows import unseen_chips
from barkhausen.sweep import store as storage
from barkhausen.sweep.plan import Planner, Task
from barkhausen.sweep.points import points
from barkhausen.sweep.store import Store
from barkhausen.sweep.task import TaskError, attempt, run_task
from small_sweep import BASE, GRID, sweep_of

pytestmark = pytest.mark.usefixtures("one_thread")

DEVICE = """
[track]
length = 128e-9
width = 32e-9
heavy_metal_thickness = 3e-9
[material]
preset = "cofeb-tungsten"
[shape]
roughness = { rms = 0.5e-9 }
end_stops = { length = 16e-9 }
notches = [{ position = 64e-9, depth = 6e-9, half_length = 16e-9 }]
[protocol]
gate_voltages = [1.0, -1.0]
reset = { current_density = 4e11, width = 1.0e-9 }
program = { current_density = 2.5e11, width = 1.8e-9 }
reset_voltage = 1.0
edge_time = 0.05e-9
settle = 0.1e-9
gate_hold = 0.05e-9
relaxation = 0.3e-9
[characterisation]
devices = 2
cycles = 2
"""


def first_task(folder: Path, text: str = GRID, *settings: str, base: str = BASE) -> Task:
    sweep = sweep_of(folder, text, *settings, base=base)
    return Planner(sweep).task(next(points(sweep.file.search)))


def test_a_finished_task_is_not_done_again(tmp_path: Path) -> None:
    task, out = first_task(tmp_path), tmp_path / "out"
    done = run_task(out, task, None)
    assert done["status"] == "finished"
    assert len(done["chips"]) == 2
    assert 0 < done["row"]["accuracy"] < 1
    (out / "tasks" / task.key[:2] / task.key / "work" / "summary.json").unlink()
    assert run_task(out, task, None) == done
    assert len(Store(out).attempts(task.key)) == 1
    about = json.loads((Store(out).of(task.key) / "task.json").read_text())
    assert (about["key"], about["settings"]["seed"], about["code_version"]) == (task.key, 0, task.code)


def test_the_row_of_a_training_is_its_summary(tmp_path: Path) -> None:
    task, out = first_task(tmp_path), tmp_path / "out"
    row = run_task(out, task, None)["row"]
    summary = json.loads((Store(out).work(task.key) / "summary.json").read_text())
    samples = summary["dataset"]["train_samples"]
    assert row["accuracy"] == summary["test_accuracy"]
    assert row["unseen_chips"] == unseen_chips(summary)["mean"]
    assert row["attempts_per_sample"] == summary["programming"]["attempts"] / samples
    parts = sum(row[f"{cause}_picojoule"] for cause in ("sot", "gate", "read"))
    assert parts == pytest.approx(row["picojoule_per_inference"], rel=1e-12)
    whole = 1e12 * summary["energy"]["programming_joule"] / samples
    assert row["picojoule_per_inference"] == pytest.approx(whole, rel=1e-12)


class Stopping:
    """A progress that dies in the middle of the second epoch."""

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        left = [total * 3 // 4]

        def advance(steps: int) -> None:
            left[0] -= steps
            if left[0] < 0:
                raise KeyboardInterrupt

        yield advance


def test_a_training_that_was_killed_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    task = first_task(tmp_path, GRID, "set.epochs=2")
    undisturbed = run_task(tmp_path / "undisturbed", task, None)
    out = tmp_path / "out"
    work = Store(out).work(task.key)
    with pytest.raises(KeyboardInterrupt):
        Run(recipe_from(task.resolved(), "task"), work, progress=Stopping()).execute()
    first_epoch = (work / "metrics.jsonl").read_text()
    assert len(first_epoch.splitlines()) == 1
    assert run_task(out, task, None)["row"] == undisturbed["row"]
    assert (work / "metrics.jsonl").read_text().startswith(first_epoch)


def test_wrong_input_fails_at_once_and_success_forgets_it(tmp_path: Path) -> None:
    wrong = '{name = "sgd", rate = 1e300, latent_rate = 1e300}'
    task, out = first_task(tmp_path, GRID, f"set.optimizer={wrong}"), tmp_path / "out"
    failed = run_task(out, task, None)
    assert failed["status"] == "failed"
    assert "training diverged in epoch 1" in failed["error"]
    held = Store(out).failure(task.key)
    assert held == failed
    assert "Traceback" in failed["traceback"]
    assert str(out) not in failed["traceback"]
    again = attempt(out, task, lambda: {"row": {}, "chips": []})
    assert (again["status"], again["attempts"]) == ("finished", 2)
    assert Store(out).failure(task.key) is None


def test_any_other_failure_is_written_down_and_raised(tmp_path: Path) -> None:
    task, out = first_task(tmp_path), tmp_path / "out"

    def work() -> dict[str, Any]:
        raise OSError("the cable was pulled")

    with pytest.raises(TaskError, match="OSError: the cable was pulled"):
        attempt(out, task, work)
    failure = Store(out).failure(task.key)
    assert failure is not None
    assert failure["error"] == "OSError: the cable was pulled"
    assert Store(out).result(task.key) is None


def test_while_another_is_at_work_a_task_waits_and_takes_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "POLL", 0.01)
    task, out = first_task(tmp_path), tmp_path / "out"
    at_work, may_end, calls = threading.Event(), threading.Event(), []

    def slow() -> dict[str, Any]:
        calls.append("slow")
        at_work.set()
        assert may_end.wait(30)
        return {"row": {"accuracy": 0.5}, "chips": []}

    def other() -> dict[str, Any]:
        calls.append("other")
        return {"row": {}, "chips": []}

    holder = threading.Thread(target=attempt, args=(out, task, slow))
    holder.start()
    assert at_work.wait(30)
    given_up = attempt(out, task, other, patience=0.05)
    assert given_up["status"] == "failed"
    assert "another process has been at work" in given_up["error"]
    assert Store(out).failure(task.key) is None
    threading.Timer(0.1, may_end.set).start()
    taken = attempt(out, task, other)
    holder.join()
    assert taken["row"] == {"accuracy": 0.5}
    assert calls == ["slow"]
    assert len(Store(out).attempts(task.key)) == 1


def test_a_half_written_result_counts_as_none(tmp_path: Path) -> None:
    task, out = first_task(tmp_path), tmp_path / "out"
    directory = Store(out).of(task.key)
    directory.mkdir(parents=True)
    (directory / "result.json").write_text('{"status": "finis')
    assert attempt(out, task, lambda: {"row": {}, "chips": []})["status"] == "finished"


def test_another_code_or_device_file_than_planned_with_is_refused(tmp_path: Path) -> None:
    device = tmp_path / "device.nc"
    write_device(gaussian_device(3, 0.2), device)
    task, out = first_task(tmp_path, GRID, f"set.device.file={device}"), tmp_path / "out"
    refused = run_task(out, dataclasses.replace(task, code="nothing"), None)
    assert refused["status"] == "refused"
    assert "was planned with nothing" in refused["error"]
    assert Store(out).failure(task.key) is None
    write_device(gaussian_device(3, 0.3), device)
    assert "device.nc: has changed or gone" in run_task(out, task, None)["error"]


def test_a_device_file_may_lie_elsewhere_when_a_task_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    tasks = []
    for name in ("one", "two"):
        device = tmp_path / f"{name}.nc"
        write_device(gaussian_device(3, 0.2), device)
        tasks.append(first_task(tmp_path, GRID, f"set.device.file={device}"))
    assert tasks[0].key == tasks[1].key
    # Killed after the run, before its result was written.
    first = run_task(out, tasks[0], None)
    (Store(out).of(tasks[0].key) / "result.json").unlink()
    assert run_task(out, tasks[1], None)["row"] == first["row"]


def test_an_inference_is_that_of_its_training_on_the_chip(tmp_path: Path) -> None:
    task, out = first_task(tmp_path, GRID, "task=infer", "set.chip.adc.bits=6"), tmp_path / "out"
    assert task.needs is not None
    trained = run_task(out, task.needs, None)
    row = run_task(out, task, None)["row"]
    assert row["ideal_accuracy"] == trained["row"]["accuracy"]
    totals = ("system_picojoule", "training_picojoule")
    causes = [value for key, value in row.items() if key.endswith("_picojoule") and key not in totals]
    assert len(causes) == 11
    assert sum(causes) == pytest.approx(row["system_picojoule"], rel=1e-9)
    assert row["latency_nanoseconds"] > 0
    assert row["training_picojoule"] > 10 * row["system_picojoule"]


def test_training_on_the_chip_is_in_the_row(tmp_path: Path) -> None:
    bad = ["set.chip.wires.bit_line=100.0", "set.chip.wires.word_line=100.0", "set.epochs=4"]
    task = first_task(tmp_path, GRID, "task=infer", *bad, "set.inference.fine_tuning_epochs=2")
    assert task.needs is not None
    run_task(tmp_path / "out", task.needs, None)
    row = run_task(tmp_path / "out", task, None)["row"]
    assert row["accuracy"] < row["tuned_accuracy"]


def test_a_characterisation_leaves_a_device_file_that_trains(tmp_path: Path) -> None:
    text = """
    task = "characterize"
    recipe = "base.toml"
    [search]
    kind = "grid"
    [search.over]
    "characterisation.seed" = [3]
    """
    out = tmp_path / "out"
    task = first_task(tmp_path, text, base=DEVICE)
    row = run_task(out, task, None)["row"]
    assert row["device_file"] == f"tasks/{task.key[:2]}/{task.key}/work/device.nc"
    # Two states: their distance is the whole range.
    assert (row["states"], row["smallest_gap"]) == (2, 1.0)
    assert row["sot_femtojoule"] > 0
    trained = first_task(tmp_path, GRID, f"set.device.file={out / row['device_file']}")
    assert trained.resolved()["states"] == 2
    assert run_task(tmp_path / "trained", trained, None)["status"] == "finished"
