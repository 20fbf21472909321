"""Loss, schedules, parameter groups and averages of a recipe; and that a run with all of them resumes to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # torch's own convention
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint
from barkhausen.experiment.network import float_network, shapes_of
from barkhausen.experiment.optimisation.averaging import WeightAverage
from barkhausen.experiment.optimisation.groups import parameter_groups
from barkhausen.experiment.optimisation.schedules import SCHEDULES
from barkhausen.experiment.optimisation.settings import AveragingRecipe, OptimizerRecipe
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.training import Training
from barkhausen.learning import synapse_layers

EVERYTHING: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 100,
    "threads": 1,
    "autocast": "bfloat16",
    "dataset": {"name": "digits", "mirrored_test": True},
    "network": {
        "kind": "airbench",
        "channels": [6, 8],
        "activation": "gelu",
        "options": {"gain": 0.5, "learn_gain": True},
    },
    "augment": {"flip": "random", "shift": 1, "cutout": 2},
    "loss": {"label_smoothing": 0.1},
    "optimizer": {"rate": 1e-2, "latent_rate": 4e-2, "schedule": "one-cycle", "latent_schedule": "linear"},
    "averaging": {"every": 3, "start": 0.5},
    "device": {"margin_schedule": {"first": 1.0, "last": 0.5}},
    "transfer": {"chips": 2},
}


def recipe(**values: Any) -> Recipe:
    return recipe_from({**EVERYTHING, **values}, "test")


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_a_training_continues_to_the_bit(mode: str, tmp_path: Path) -> None:
    more = {} if mode == "in-situ" else {"device": {}}
    given, data = recipe(mode=mode, **more), load_dataset("digits").standardised()
    device = build_device(given) if mode != "float" else None
    whole = Training(given, data, device)
    for _ in range(2):
        whole.run_epoch()
    save_checkpoint(tmp_path / "checkpoint", whole.state_dict())
    resumed = Training(given, data, device)
    resumed.load_state_dict(load_checkpoint(tmp_path / "checkpoint"))
    for name, training in (("whole", whole), ("resumed", resumed)):
        assert training.run_epoch()["train_loss"] > 0
        save_checkpoint(tmp_path / name, training.state_dict())
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "resumed").read_bytes()
    assert whole.figures() == resumed.figures()


def test_averages_take_the_place_of_the_weights_and_devices_follow(tmp_path: Path) -> None:
    summary = Run(recipe(), tmp_path / "run").execute()
    assert summary["test_accuracy"] > 0.25
    assert 0.25 < summary["figures"]["accuracy_with_mirror_images"] <= 1
    given, data = recipe(), load_dataset("digits").standardised()
    training = Training(given, data, build_device(given))
    for _ in range(3):
        training.run_epoch()
    assert training.average is not None
    assert training.average.contributions > 5
    for value, parameter in zip(training.average.values, training.average._parameters, strict=True):
        assert torch.allclose(value, parameter)
    for _, layer in synapse_layers(training.model):
        target = layer.synapses.levels[layer.target_state()]
        # All but those that missed the margin, which has become half of what it was, at their one attempt.
        missed = (layer.synapses.weight - target).abs() > layer.synapses.margin
        assert float(missed.float().mean()) < 0.3


def test_the_average_is_that_of_the_contributions() -> None:
    model, every = nn.Linear(2, 1, bias=False), 2
    plain = WeightAverage(model, AveragingRecipe(every=every, start=0.5), 8)
    moving = WeightAverage(model, AveragingRecipe(every=every, start=0.5, decay=0.9), 8)
    for step in range(1, 9):
        with torch.no_grad():
            model.weight.fill_(float(step))
        plain.after_step(step)
        moving.after_step(step)
    # Steps 6 and 8 contribute.
    assert plain.contributions == 2
    assert plain.values[0].tolist() == [[7.0, 7.0]]
    assert moving.values[0].tolist() == [pytest.approx([0.9 * 6 + 0.1 * 8] * 2)]


def test_schedules() -> None:
    settings = OptimizerRecipe(warm_up=0.25, start_factor=0.2, end_factor=0.1)
    factor = SCHEDULES["one-cycle"].factor
    found = [factor(step, 100, settings) for step in (0, 25, 100)]
    assert found == pytest.approx([0.2, 1.0, 0.1])
    assert factor(10, 100, settings) == pytest.approx(0.2 + 0.8 * 10 / 25)
    assert [SCHEDULES["linear"].factor(step, 100, settings) for step in (0, 100)] == pytest.approx([1.0, 0.1])
    assert [SCHEDULES["cosine"].factor(step, 2, settings) for step in (0, 1, 2)] == pytest.approx([1, 0.5005, 1e-3])


def test_rates_follow_their_schedules() -> None:
    given, data = recipe(), load_dataset("digits").standardised()
    training = Training(given, data, build_device(given))
    training._set_rates(0)
    digital, latent = (group["lr"] for group in training.learner.param_groups)
    assert digital == pytest.approx(0.2 * 1e-2)
    assert latent == pytest.approx(4e-2)
    training.epoch = 2
    training._set_rates(training.batches - 1)
    total = 3 * training.batches
    assert training.learner.param_groups[1]["lr"] == pytest.approx(4e-2 * (1 - 0.93 * (total - 1) / total))


def test_biases_have_a_rate_of_their_own_and_the_same_decay_in_a_step() -> None:
    shapes = shapes_of(load_dataset("digits"))
    model = float_network(recipe().network, shapes, torch.Generator().manual_seed(0))
    usual, biases = parameter_groups(model, OptimizerRecipe(rate=0.1, bias_factor=64, weight_decay=1e-3), 0.0)
    assert all(p.dim() == 1 for p in biases["params"])
    assert len(usual["params"]) + len(biases["params"]) == len(list(model.parameters()))
    assert biases["lr"] == pytest.approx(6.4)
    assert biases["lr"] * biases["weight_decay"] == pytest.approx(usual["lr"] * usual["weight_decay"])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_squared_error_is_half_the_sum_over_classes(smoothing: float) -> None:
    given = recipe(loss={"kind": "squared-error", "label_smoothing": smoothing})
    task = task_of(given, load_dataset("digits").standardised(), torch.device("cpu"))
    output, labels = torch.randn(5, 10, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 1, 0, 9, 3])
    targets = (1 - smoothing) * torch.eye(10)[labels] + smoothing / 10
    expected = 0.5 * F.mse_loss(output, targets, reduction="sum") / 5
    assert float(task.loss(output, output, labels)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": "ex-situ"}, "device.margin_schedule: mode = 'ex-situ' programs no devices"),
        ({"optimizer": {"nesterov": True}}, "nesterov = true needs name = 'sgd'"),
        ({"augment": {"flip": "sideways"}}, "augment.flip"),
        ({"loss": {"label_smoothing": 1.0}}, "loss.label_smoothing"),
    ],
)
def test_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe(**values)


def test_new_keys_are_not_written_at_their_defaults() -> None:
    plain = recipe_from({"mode": "in-situ", "dataset": {"name": "digits"}}, "test").model_dump(exclude_none=True)
    assert not {"augment", "loss", "averaging", "autocast"} & plain.keys()
    assert plain["optimizer"].keys() == {"name", "rate", "latent_rate", "momentum", "weight_decay", "schedule"}
    assert recipe_from(recipe().model_dump(exclude_none=True), "again").model_dump() == recipe().model_dump()
