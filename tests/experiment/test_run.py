from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import forked
from barkhausen.core.errors import InputError, InputWarning, OutcomeError
from barkhausen.device import gaussian_device, preset, write_device
from barkhausen.experiment.recipe import Recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.report.runs.page import write_report
from barkhausen.synapse import AttemptEnergies

SMALL = {"dataset": {"name": "digits"}, "network": {"hidden": [32, 16]}, "epochs": 3, "transfer": {"chips": 3}}


def recipe(**changes: Any) -> Recipe:
    return recipe_from(SMALL | changes, "test")


def without_time(directory: Path) -> dict[str, Any]:
    summary = json.loads((directory / "summary.json").read_text())
    summary.pop("wall_seconds")
    return summary


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_run_learns_and_writes_the_contract(tmp_path: Path, mode: str) -> None:
    summary = Run(recipe(mode=mode, epochs=12, states=3, network={"hidden": [128, 64]}), tmp_path / "run").execute()
    files = {path.name for path in (tmp_path / "run").iterdir() if path.name != ".lock"}
    expected = {"recipe.toml", "metrics.jsonl", "checkpoint.safetensors", "state.json", "summary.json", "tensorboard"}
    assert files == expected | (set() if mode == "float" else {"histograms.json", "device.nc"})
    assert summary == json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["schema"] == 2
    assert (summary["mode"], summary["states"]) == (mode, None if mode == "float" else 3)
    assert summary["dataset"]["train_samples"] + summary["dataset"]["test_samples"] == 1797
    # An untrained network is right one time in ten.
    assert summary["test_accuracy"] > 0.85
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert lines[-1]["train_loss"] < lines[0]["train_loss"]
    assert summary["software"]["torch"] == torch.__version__
    assert summary["assumed"]
    assert next((tmp_path / "run" / "tensorboard").glob("events.*")).stat().st_size > 1000


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_a_network_may_be_a_single_layer(tmp_path: Path, mode: str) -> None:
    summary = Run(recipe(mode=mode, epochs=12, network={"hidden": []}), tmp_path / "run").execute()
    assert next(iter(load_trained(tmp_path / "run").model.state_dict())).startswith("linear1")
    assert summary["test_accuracy"] > (0.3 if mode == "float" else 0.7)


def test_in_situ_summary_adds_up_and_prices_every_attempt(tmp_path: Path) -> None:
    summary = Run(recipe(states=5), tmp_path / "run").execute()
    programming, synapses = summary["programming"], 64 * 32 + 32 * 16 + 16 * 10
    assert programming["initial_events"] == synapses
    assert programming["training_events"] > 0
    for key in ("attempts", "failed"):
        assert programming[key] == sum(layer[key] for layer in programming["by_layer"].values())
        assert programming[key] == sum(state[key] for state in programming["by_state"].values())
    # One attempt an event by default.
    assert programming["attempts"] == programming["initial_events"] + programming["training_events"]
    ledger = AttemptEnergies.from_device(preset("nonvolatile-5"))
    attempts = [programming["by_state"][str(k)]["attempts"] for k in range(5)]
    energy = summary["energy"]
    for cause in ("sot", "gate", "read"):
        price = ledger.by_cause[cause]
        assert energy["by_cause"][cause] == pytest.approx(
            sum(n * p for n, p in zip(attempts, price, strict=True)), rel=1e-9, abs=0
        )
    total = sum(energy["by_cause"].values())
    assert energy["programming_joule"] == pytest.approx(total, rel=1e-9, abs=0)
    assert energy["per_inference_joule"] == pytest.approx(total / (1437 * 3), rel=1e-9, abs=0)
    histograms = json.loads((tmp_path / "run" / "histograms.json").read_text())
    for name in ("before", "after"):
        assert sum(map(sum, histograms[name])) == synapses
    assert histograms["before"] != histograms["after"]


def test_ex_situ_counts_the_chips_and_not_the_precursor(tmp_path: Path) -> None:
    changes = {"transfer": {"chips": 3, "max_attempts": 4}, "device": {"sigma": 0.15, "margin": 0.1}}
    summary = Run(recipe(mode="ex-situ", **changes), tmp_path / "run").execute()
    synapses = 64 * 32 + 32 * 16 + 16 * 10
    assert summary["programming"]["initial_events"] == synapses
    assert summary["programming"]["training_events"] == 0
    # Sigma 0.15 and margin 0.1: about half of the attempts miss.
    assert 1.5 * synapses < summary["programming"]["attempts"] < 4 * synapses
    assert summary["chips"]["count"] == 3
    assert summary["test_accuracy"] == summary["chips"]["mean"]


def test_validation_run_does_not_touch_the_test_set(tmp_path: Path) -> None:
    run = Run(recipe(dataset={"name": "digits", "validation_samples": 300}), tmp_path / "run")
    summary = run.execute()
    assert summary["test_accuracy"] is None
    assert summary["validation_accuracy"] > 0.3
    assert summary["dataset"]["train_samples"] == 1137
    assert summary["dataset"]["test_samples"] == 0
    assert "test_accuracy" not in (tmp_path / "run" / "metrics.jsonl").read_text()


def test_last_batch_of_a_single_sample_is_left_out_where_batch_normalisation_cannot_train_on_it(tmp_path: Path) -> None:
    # 1437 = 4 * 359 + 1
    Run(recipe(batch_size=359, epochs=1), tmp_path / "run").execute()


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_same_seed_same_bytes_and_another_seed_other_bytes(tmp_path: Path, mode: str) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        Run(recipe(mode=mode, seed=seed), tmp_path / name).execute()
    weights = [(tmp_path / name / "checkpoint.safetensors").read_bytes() for name in "abc"]
    assert weights[0] == weights[1] != weights[2]
    assert without_time(tmp_path / "a") == without_time(tmp_path / "b")


def test_device_file_takes_the_place_of_the_preset(tmp_path: Path) -> None:
    write_device(gaussian_device(3, 0.15), tmp_path / "device.nc")
    changes = {"device": {"file": str(tmp_path / "device.nc")}}
    by_file = Run(recipe(**changes), tmp_path / "file").execute()
    by_preset = Run(recipe(states=3, device={"preset": "gaussian"}), tmp_path / "preset").execute()
    assert by_file["states"] == 3
    assert by_file["device"]["file"] == str(tmp_path / "device.nc")
    assert by_file["test_accuracy"] == by_preset["test_accuracy"]
    assert by_file["programming"] == by_preset["programming"]


def test_a_run_keeps_the_shipped_device_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "made-up-3.nc"
    monkeypatch.setattr("barkhausen.experiment.recipe.devices.shipped_file", lambda name: shipped)
    write_device(gaussian_device(3, 0.15), shipped)
    run = Run(recipe(states=3, device={"margin": 0.4}), tmp_path / "run")
    before = run.execute()
    write_device(gaussian_device(3, 0.25, seed=1), shipped)
    for finished in (True, False):
        if not finished:
            (tmp_path / "run" / "summary.json").unlink()
        with pytest.warns(InputWarning, match="holds a run on an earlier version of made-up-3, which it keeps"):
            again = run.execute()
        assert {**again, "wall_seconds": 0} == {**before, "wall_seconds": 0}
    run.overwrite = True
    assert run.execute()["programming"] != before["programming"]


def test_device_file_may_not_change_under_a_run(tmp_path: Path) -> None:
    file = tmp_path / "device.nc"
    write_device(gaussian_device(3, 0.15), file)
    run = Run(recipe(device={"file": str(file)}), tmp_path / "run")
    run.execute()
    assert (tmp_path / "run" / "device.nc").read_bytes() == file.read_bytes()
    write_device(gaussian_device(3, 0.25), file)
    for finished in (True, False):
        with pytest.raises(InputError, match=r"device\.nc: is not the device file"):
            run.execute()
        if finished:
            (tmp_path / "run" / "summary.json").unlink()


def test_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = Run(recipe(), tmp_path / "run").execute()
    stamp = (tmp_path / "run" / "checkpoint.safetensors").stat().st_mtime_ns
    assert Run(recipe(), tmp_path / "run").execute() == first
    assert (tmp_path / "run" / "checkpoint.safetensors").stat().st_mtime_ns == stamp
    Run(recipe(), tmp_path / "run", overwrite=True).execute()
    assert (tmp_path / "run" / "checkpoint.safetensors").stat().st_mtime_ns > stamp


def test_directory_of_another_recipe_or_of_something_else_is_refused(tmp_path: Path) -> None:
    Run(recipe(device={"margin": 0.4}), tmp_path / "run").execute()
    with pytest.raises(InputError, match=r"holds a run with device\.margin = 0\.4, this one has 0\.3"):
        Run(recipe(device={"margin": 0.3}), tmp_path / "run").execute()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="is not the directory of a run"):
            Run(recipe(), tmp_path / "mine", overwrite=overwrite).execute()
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize(
    "wrong", [{"dataset": {"name": "mnst"}}, {"dataset": {"name": "digits", "validation_samples": 2000}}]
)
def test_start_that_fails_leaves_nothing_behind_and_throws_nothing_away(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Run(recipe(**wrong), tmp_path / "run").execute()
    assert not (tmp_path / "run").exists()
    first = Run(recipe(), tmp_path / "run").execute()
    with pytest.raises(InputError):
        Run(recipe(**wrong), tmp_path / "run", overwrite=True).execute()
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == first


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_training_that_diverges_ends_in_one_line(tmp_path: Path, mode: str) -> None:
    changes = {"optimizer": {"rate": 1e300, "latent_rate": 1e300, "name": "sgd"}, "network": {"hidden": [8]}}
    with pytest.raises(OutcomeError, match=r"diverged in epoch \d: lower optimizer\.rate"):
        Run(recipe(mode=mode, **changes), tmp_path / "run").execute()


def test_half_written_files_of_a_killed_process_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".recipe.toml.x7.partial").write_text("mode = ")
    (tmp_path / "run" / ".my.notes").write_text("precious")
    Run(recipe(), tmp_path / "run").execute()
    assert [path.name for path in (tmp_path / "run").glob(".*") if path.name != ".lock"] == [".my.notes"]


def test_directory_another_process_works_in_is_refused(tmp_path: Path) -> None:
    Run(recipe(), tmp_path / "run").execute()
    (tmp_path / "run" / "summary.json").unlink()
    holder = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    command = [sys.executable, "-c", holder, str(tmp_path / "run" / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for overwrite in (False, True):
            with pytest.raises(InputError, match="another process is at work"):
                Run(recipe(), tmp_path / "run", overwrite=overwrite).execute()
        process.communicate(b"\n")
    Run(recipe(), tmp_path / "run", overwrite=True).execute()


class KilledError(Exception):
    pass


@pytest.mark.parametrize("file", ["metrics.jsonl", "checkpoint.safetensors", "state.json", "summary.json"])
@pytest.mark.parametrize("epoch", [1, 2])
def test_death_at_any_write_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, epoch: int) -> None:
    Run(recipe(), tmp_path / "whole").execute()
    replace, seen = Path.replace, [0]

    def dying(self: Path, target: Path) -> Path:
        if Path(target).name == file:
            seen[0] += 1
            if seen[0] == (1 if file == "summary.json" else epoch):
                raise KilledError
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(KilledError):
            Run(recipe(), tmp_path / "broken").execute()
    Run(recipe(), tmp_path / "broken").execute()
    assert without_time(tmp_path / "broken") == without_time(tmp_path / "whole")
    for name in ("checkpoint.safetensors", "histograms.json"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    lines = [
        [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in path.read_text().splitlines()]
        for path in (tmp_path / "broken" / "metrics.jsonl", tmp_path / "whole" / "metrics.jsonl")
    ]
    assert lines[0] == lines[1]
    assert [path.name for path in (tmp_path / "broken").glob(".*")] == [".lock"]


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ"])
def test_run_killed_at_an_arbitrary_moment_ends_as_if_undisturbed(tmp_path: Path, mode: str) -> None:
    settings = {"mode": mode, "dataset.name": "digits", "epochs": 40, "network.hidden": "[32, 16]", "transfer.chips": 2}
    (tmp_path / "recipe.toml").write_text("states = 3\n")
    command = ["train", str(tmp_path / "recipe.toml")]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    assert forked.run(*command, "--out", tmp_path / "whole").returncode == 0
    delays = random.Random(mode)
    kills = 0
    for _ in range(60):
        process = forked.start(*command, "--out", tmp_path / "killed")
        # The clock starts where the run does: the directory appears at once, each epoch takes a few ms.
        while process.poll() is None and not (tmp_path / "killed" / "tensorboard").exists():
            time.sleep(0.005)
        time.sleep(delays.uniform(0.0, 0.25))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        ended = process.result()
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        if (tmp_path / "killed" / "summary.json").exists() or kills >= 3:
            break
    assert forked.run(*command, "--out", tmp_path / "killed").returncode == 0
    assert kills >= 1
    assert without_time(tmp_path / "killed") == without_time(tmp_path / "whole")
    first, second = ((tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("killed", "whole"))
    assert first == second


def test_the_test_set_can_be_used_after_the_last_epoch_alone(tmp_path: Path) -> None:
    dataset = SMALL["dataset"] | {"test_every_epoch": False}
    Run(recipe(), tmp_path / "every").execute()
    Run(recipe(dataset=dataset), tmp_path / "last").execute()
    lines = {}
    for name in ("every", "last"):
        text = (tmp_path / name / "metrics.jsonl").read_text(encoding="utf-8")
        lines[name] = [json.loads(line) | {"seconds": 0.0} for line in text.splitlines()]
    assert ["test_accuracy" in line for line in lines["every"]] == [True, True, True]
    assert ["test_accuracy" in line for line in lines["last"]] == [False, False, True]
    # Nothing else depends on it.
    for line in lines["every"][:-1]:
        line.pop("test_accuracy")
    assert lines["last"] == lines["every"]
    assert "test_every_epoch" not in (tmp_path / "every" / "recipe.toml").read_text(encoding="utf-8")
    write_report([tmp_path / "every", tmp_path / "last"], tmp_path / "report.html")
    assert (tmp_path / "report.html").is_file()


def test_a_score_that_is_no_fraction_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barkhausen.experiment.tasks.classification.accuracy", lambda *_: -2.5)
    with pytest.raises(InputError, match=r"task 'classification': accuracy = -2\.5: must be a fraction from 0 to 1"):
        Run(recipe(mode="float", epochs=1), tmp_path / "run").execute()
