from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.experiment.recipe import Recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.starting.initial import CHECKPOINT
from barkhausen.experiment.stopping import held_out_loss
from barkhausen.experiment.training import Training
from barkhausen.learning.layers.read_stochastic import reading_from
from barkhausen.results.finished import load_run


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "mode": "stochastic-read", "epochs": 6, "batch_size": 32, "threads": 1, "rule": {"reads": 4},
        "dataset": {"name": "digits", "threshold": 0.5, "test_every_epoch": False},
        "network": {"hidden": [], "normalisation": "none"},
        "optimizer": {"rate": 0.1, "schedule": "constant"},
        "stopping": {"patience": 2}, "evaluation": {"repeats": 3},
    }  # fmt: skip
    return recipe_from(values | changes, "test")


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("stopping") / "run"
    return directory, Run(recipe(), directory).execute()


def test_the_best_epoch_is_kept(finished: tuple[Path, dict[str, Any]]) -> None:
    directory, summary = finished
    metrics = Run(recipe(), directory)._metrics()
    losses = [line["stopping_loss"] for line in metrics]
    stopping = summary["stopping"]
    assert stopping["best_epoch"] == 1 + losses.index(min(losses))
    assert summary["epochs"] == len(metrics) == min(6, stopping["best_epoch"] + 2)
    state = load_checkpoint(directory / CHECKPOINT)
    assert all(torch.equal(state["model"][name], value) for name, value in state["stopping"]["model"].items())
    # The kept network has the loss that is said of it, to the spread between reads.
    training = Training(recipe(), recipe().dataset.load(), None)
    training.load_state_dict(state)
    assert training.stopping is not None
    with reading_from(training.model, torch.Generator().manual_seed(3)):
        again = [held_out_loss(training.stopping.task, training.model) for _ in range(10)]
    assert min(again) - 0.15 < stopping["best_loss"] < max(again) + 0.05
    assert stopping["samples"] == round(0.2 * 1437)
    assert summary["dataset"]["train_samples"] == 1437 - stopping["samples"]


def test_evaluations_differ_and_their_mean_counts(finished: tuple[Path, dict[str, Any]]) -> None:
    _, summary = finished
    values = summary["evaluations"]["values"]
    assert len(values) == 3
    assert len(set(values)) > 1
    assert summary["test_accuracy"] == pytest.approx(sum(values) / 3)
    assert summary["test_accuracy"] > 0.5
    layer = summary["rule"]["layers"]["linear1"]
    assert sum(layer["histogram"]) == layer["devices"] == 640


def test_a_killed_run_resumes_to_the_same_bytes(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_epoch = Training.run_epoch
    run = Run(recipe(), tmp_path / "run")

    def dies(self: Training, *arguments: Any) -> dict[str, float]:
        if self.epoch == 2:
            raise KilledError
        return run_epoch(self, *arguments)

    monkeypatch.setattr(Training, "run_epoch", dies)
    with pytest.raises(KilledError):
        run.execute()
    monkeypatch.undo()
    summary = Run(recipe(), tmp_path / "run").execute()
    differ = {"wall_seconds"}
    assert {k: v for k, v in summary.items() if k not in differ} == {
        k: v for k, v in finished[1].items() if k not in differ
    }
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == (finished[0] / CHECKPOINT).read_bytes()


def test_a_stopped_run_cannot_be_lengthened(finished: tuple[Path, dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="--lengthen does not apply to a run with early stopping"):
        Run(recipe(epochs=9), finished[0], lengthen=True).execute()


def test_a_run_that_stopped_early_is_a_finished_one(tmp_path: Path) -> None:
    # With a rate far too high the loss does not fall for long.
    summary = Run(recipe(epochs=40, stopping={"patience": 1}, optimizer={"rate": 5.0}), tmp_path / "run").execute()
    assert summary["epochs"] < 40
    run = load_run(tmp_path / "run")
    assert run.epochs[-1].held_out is None and run.held_out == summary["test_accuracy"]


def test_images_are_pooled_and_thresholded() -> None:
    digits = load_dataset("digits")
    small = digits.pooled(2)
    assert small.image_shape == (4, 4)
    image, pooled = digits.train_inputs[7].view(8, 8), small.train_inputs[7].view(4, 4)
    assert float(pooled[1, 2]) == float(image[2:4, 4:6].max())
    binary = small.binary(0.5).standardised()
    assert torch.equal(binary.test_inputs, (small.test_inputs > 0.5).float())
    with pytest.raises(InputError, match="pool = 9"):
        digits.pooled(9)


def test_another_device_file_is_refused() -> None:
    with pytest.raises(InputError, match="is not the file that the digest names"):
        recipe(rule={"device_sha256": "0" * 64})
    with pytest.raises(InputError, match="no such device file, and no shipped device of kind 'probability'"):
        recipe(rule={"device": "nothing.nc"})


def test_a_device_file_beside_that_of_the_rule_is_warned_of(tmp_path: Path) -> None:
    values = {"mode": "stochastic-read", "device": {"file": str(tmp_path / "other.nc")}}
    with pytest.warns(UserWarning, match=r"device.file has no effect with mode = 'stochastic-read'.* rule.device"):
        recipe_from(values, "test")
