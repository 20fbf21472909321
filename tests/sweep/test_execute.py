"""A whole sweep: every task once and after what it needs, tables that are the same every time, little memory."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from distributed import Client

from barkhausen.core.errors import InputError
from barkhausen.results.read import load_chips, load_table
from barkhausen.sweep.execute import PER_WORKER, RETRIES, Executor
from barkhausen.sweep.plan import Planner, Task
from barkhausen.sweep.points import points
from barkhausen.sweep.store import Store
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.sweep.task import Outcome, TaskError, attempt
from small_sweep import GRID, attempts, files, run_in_threads, sweep_of, threads

pytestmark = pytest.mark.usefixtures("one_thread")

Work = Callable[[Task], Outcome]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with threads(2) as client:
        yield client


def tasks_of(folder: Path, text: str, *settings: str) -> list[Task]:
    sweep = sweep_of(folder, text, *settings)
    planner = Planner(sweep)
    return [planner.task(point) for point in points(sweep.file.search)]


class Recorder:
    """Does tasks by a function of the test, and remembers in which order they began and how they ended."""

    of: ClassVar[dict[str, Recorder]] = {}
    """By directory: dask hands copies to its threads, and these find the original here."""

    def __init__(self, client: Client, directory: Path, work: Work) -> None:
        self.work = work
        self.began: list[str] = []
        self.ended: dict[str, Outcome] = {}
        self.executor = Executor(client, directory, None, call=recorded, on_end=self.on_end)
        self.of[str(directory)] = self

    def on_end(self, task: Task, outcome: Outcome) -> None:
        assert task.key not in self.ended
        self.ended[task.key] = outcome


def recorded(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
    recorder = Recorder.of[str(directory)]
    recorder.began.append(task.key)
    return recorder.work(task)


def fine(task: Task) -> Outcome:
    return {"status": "finished", "row": {}, "chips": [], "seconds": 0.0}


def test_every_task_runs_once_and_a_few_at_a_time(tmp_path: Path, client: Client) -> None:
    tasks = tasks_of(tmp_path, GRID, "search.repeat.epochs=[1, 2, 3, 4, 5, 6]")
    recorder = Recorder(client, tmp_path, fine)
    skipped = tasks[0].key
    recorder.executor.run([*tasks, *tasks], lambda key: key == skipped)
    assert sorted(recorder.began) == sorted(task.key for task in tasks[1:])
    assert recorder.ended.keys() == set(recorder.began)
    assert recorder.executor.most_in_flight == 2 * PER_WORKER < len(tasks)


def test_an_inference_starts_after_its_training_and_not_without_it(tmp_path: Path, client: Client) -> None:
    tasks = tasks_of(tmp_path, GRID + '"chip.adc.bits" = [4, 8]\n', "task=infer")
    bad = tasks[-1].needs

    def work(task: Task) -> Outcome:
        if bad is not None and task.key == bad.key:
            return {"status": "failed", "error": "InputError: no", "traceback": "no", "seconds": 0.0}
        return fine(task)

    recorder = Recorder(client, tmp_path, work)
    recorder.executor.run(tasks)
    assert len(recorder.began) == len(set(recorder.began)) == 4 + 6
    for task in tasks:
        assert task.needs is not None
        if task.needs == bad:
            assert task.key not in recorder.began
            assert recorder.ended[task.key]["error"] == f"the train task {bad.key} that it needs failed: InputError: no"
        else:
            assert recorder.began.index(task.key) > recorder.began.index(task.needs.key)


def test_what_may_not_repeat_itself_is_tried_again_and_what_would_is_not(tmp_path: Path, client: Client) -> None:
    wrong, unlucky, hopeless, good = tasks_of(tmp_path, GRID)
    tries: Counter[str] = Counter()

    def work(task: Task) -> Outcome:
        tries[task.key] += 1
        if task == wrong:
            return {"status": "failed", "error": "InputError: no", "traceback": "no", "seconds": 0.0}
        if task == hopeless or (task == unlucky and tries[task.key] <= RETRIES):
            raise TaskError("OSError: the cable was pulled")
        return fine(task)

    recorder = Recorder(client, tmp_path, work)
    recorder.executor.run([wrong, unlucky, hopeless, good])
    assert [tries[task.key] for task in (wrong, unlucky, hopeless, good)] == [1, RETRIES + 1, RETRIES + 1, 1]
    status = [recorder.ended[task.key]["status"] for task in (wrong, unlucky, hopeless, good)]
    assert status == ["failed", "finished", "failed", "finished"]
    assert recorder.ended[hopeless.key]["error"] == "OSError: the cable was pulled"


DIVERGING = """
recipe = "base.toml"
[search]
kind = "list"
[[search.list]]
seed = 1
optimizer = { name = "sgd", rate = 1e300, latent_rate = 1e300 }
[[search.list]]
seed = 1
"network.hidden" = [6, 6]
[[search.list]]
mode = "float"
"""


def test_a_sweep_goes_on_past_failures_and_again_does_nothing_but_them(tmp_path: Path) -> None:
    sweep, out, said = sweep_of(tmp_path, DIVERGING), tmp_path / "out", []
    counts = run_in_threads(sweep, out, log=said.append)
    assert (counts.finished, counts.failed, counts.planned) == (2, 1, 0)
    assert said[0] == "3 tasks planned, 0 of them finished before"
    assert len(said) == 2
    assert re.match(r"failed: \w{24} seed = 1, optimizer.name = sgd, .*OutcomeError: training diverged", said[1])
    table = load_table(out)
    assert table["status"].tolist() == ["failed", "finished", "finished"]
    assert "diverged" in table["error"][0]
    # What a point does not name is what its recipe says.
    assert table["seed"].tolist() == [1, 1, 0]
    assert table["network.hidden"].tolist() == ["[8]", "[6, 6]", "[8]"]
    assert table["mode"].tolist() == ["in-situ", "in-situ", "float"]
    assert table["device"].tolist() == ["gaussian-3", "gaussian-3", "none"]
    assert table["accuracy"].notna().tolist() == [False, True, True]
    assert table["picojoule_per_inference"].notna().tolist() == [False, True, False]
    # Two chips that an in-situ network was copied to, and the float network itself.
    chips = load_chips(out)
    assert chips["task"].tolist() == [table["task"][1]] * 2 + [table["task"][2]]
    assert chips["accuracy"][:2].mean() == pytest.approx(table["unseen_chips"][1])

    before = files(out)
    run_in_threads(sweep, out)
    assert files(out) == before
    first, second, third = (attempts(out)[key] for key in table["task"])
    assert (first, second, third) == ((2, None), (1, 1), (1, 1))
    assert Store(out).failure(table["task"][0]) is not None


def quick(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
    """Fails for seed 0, else a row of made-up numbers."""
    values = task.resolved()

    def work() -> Outcome:
        if values["seed"] == 0:
            raise InputError("seed 0 brings bad luck")
        accuracy = 0.9 + 0.001 * values["seed"] - 0.01 * values["device"]["margin"]
        return {"row": {"accuracy": accuracy, "chips": 2, "measured_on": "test"}, "chips": [accuracy, 0.5]}

    return attempt(directory, task, work)


def test_the_columns_follow_from_the_sweep_and_not_from_how_it_went(tmp_path: Path) -> None:
    types = []
    for name, seeds in (("failed", "[0]"), ("finished", "[1, 2]")):
        sweep = sweep_of(tmp_path, GRID, f"search.over.seed={seeds}")
        run_in_threads(sweep, tmp_path / name, call=quick)
        types.append(pd.read_parquet(tmp_path / name / "table.parquet").dtypes.to_dict())
    assert list(types[0].items()) == list(types[1].items())
    assert {str(types[0][key]) for key in ("accuracy", "device.margin", "chip_std")} == {"float64"}
    assert {str(types[0][key]) for key in ("seed", "states", "chips")} == {"Int64"}
    assert list(types[0])[:6] == ["task", "kind", "status", "error", "device.margin", "seed"]


def test_a_sweep_that_grows_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_in_threads(sweep_of(tmp_path, GRID, "search.over.seed=[1, 2]"), out, call=quick)
    run_in_threads(sweep_of(tmp_path, GRID, "search.over.seed=[1, 2, 3]"), out, call=quick)
    assert [finished for _, finished in attempts(out).values()] == [1] * 6
    assert load_table(out)["seed"].tolist() == [1, 2, 3, 1, 2, 3]
    fresh = tmp_path / "fresh"
    run_in_threads(sweep_of(tmp_path, GRID, "search.over.seed=[1, 2, 3]"), fresh, call=quick, workers=3)
    assert files(fresh) == files(out)


def test_twice_the_same_task_is_two_rows_of_one_computation(tmp_path: Path) -> None:
    counts = run_in_threads(sweep_of(tmp_path, GRID, "search.over.seed=[1, 1]"), tmp_path / "out", call=quick)
    assert counts.finished == 4
    assert len(attempts(tmp_path / "out")) == 2
    assert len(load_chips(tmp_path / "out")) == 4


def test_a_directory_of_something_else_or_at_work_is_refused(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(InputError, match="other: exists and is not the directory of a sweep"):
        run_in_threads(sweep, other, call=quick)
    with (
        Store(tmp_path / "out").claimed(sweep.to_toml()),
        pytest.raises(InputError, match="out: another process is at work"),
    ):
        run_in_threads(sweep, tmp_path / "out", call=quick)


def test_nothing_is_started_or_written_when_the_last_of_many_is_wrong(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID, "search.over.seed=[0, 1, 2, -1]")
    with pytest.raises(InputError, match="seed = -1"):
        run_in_threads(sweep, tmp_path / "out", call=quick)
    assert not (tmp_path / "out").exists()


MANY = r"""
import json, resource, sys
from pathlib import Path
from small_sweep import BASE, run_in_threads, sweep_of
from barkhausen.sweep.task import attempt

def nothing(directory, task, data_dir):
    return {"status": "finished", "row": {"accuracy": 0.5}, "chips": [0.5] * 10, "seconds": 0.0, "attempts": 1}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    text = 'recipe = "base.toml"\n[search]\nkind = "grid"\n[search.over]\n'
    text += f'"device.margin" = {[i / 100 for i in range(100)]}\nseed = {list(range(100))}\n'
    counts = run_in_threads(sweep_of(folder, text), folder / "out", workers=8, call=nothing)
    # In KiB: the interpreter, torch and dask are in it.
    print(json.dumps([counts.finished, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@pytest.mark.slow
def test_ten_thousand_tasks_take_less_than_a_gigabyte_of_the_client(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(MANY, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "helpers"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script, tmp_path], env=environment, stdout=subprocess.PIPE, check=True)
    finished, mebibytes = json.loads(done.stdout)
    assert finished == 10_000
    assert mebibytes < 1024


def test_a_sweep_planned_with_other_code_is_not_mixed_with_this_one(tmp_path: Path) -> None:
    """The directory is that of a sweep of version 0.1.0."""
    old = Path(__file__).parents[1] / "old_versions" / "0.1.0"
    shutil.copytree(old / "sweep", tmp_path / "out")
    rows = load_table(tmp_path / "out")["task"]
    before = set(rows)
    log: list[str] = []

    def done(directory: Path, task: Task, data_dir: Path | None) -> Outcome:
        return attempt(directory, task, lambda: {"row": {"accuracy": 0.5}, "chips": []})

    with pytest.warns(DeprecationWarning, match="memory_rate"):
        counts = run_in_threads(load_sweep(old / "sweep" / "sweep.toml"), tmp_path / "out", call=done, log=log.append)
    assert counts.finished == len(rows)
    assert any("0 of them finished before" in line for line in log)
    assert any(f"{len(before)} tasks here were planned with other code" in line for line in log)
    assert not before & set(load_table(tmp_path / "out")["task"])
