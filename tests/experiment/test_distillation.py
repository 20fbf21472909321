"""Distillation: its loss, runs of all kinds beside a teacher, and that they resume to the bit without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.optimisation.distillation import distillation_loss
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.training import Training
from barkhausen.sweep.plan import Planner
from barkhausen.sweep.points import points
from barkhausen.sweep.sweep_file import load_sweep

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL: dict[str, Any] = {
    "epochs": 2,
    "dataset": {"name": "digits"},
    "network": {"hidden": [16]},
    "transfer": {"chips": 1},
    "threads": 1,
}


def recipe(teacher: Path | None, **values: Any) -> Recipe:
    loss = {} if teacher is None else {"teacher": str(teacher), "temperature": 2.0, "weight": 0.7}
    return recipe_from({**SMALL, "loss": loss, **values}, "test")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teacher") / "run"
    given = recipe(None, mode="float", network={"hidden": [48]}, epochs=4, optimizer={"rate": 1e-2})
    assert Run(given, path).execute()["test_accuracy"] > 0.85
    return path


def test_the_loss_is_the_divergence_at_a_temperature() -> None:
    generator = torch.Generator().manual_seed(0)
    mine, theirs = torch.randn(2, 5, 3, generator=generator)
    mine.requires_grad_()
    found = distillation_loss(mine, theirs, 3.0)
    p, q = ((each / 3).softmax(1) for each in (theirs, mine.detach()))
    assert found.item() == pytest.approx(9 * (p * (p / q).log()).sum(1).mean().item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(found, mine)
    assert torch.allclose(gradient, 3 * (q - p) / 5, atol=1e-6)
    assert distillation_loss(theirs, theirs, 3.0).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("mode", ["float", "in-situ", "ex-situ"])
def test_a_run_learns_from_its_teacher_and_resumes_without_it(mode: str, teacher: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(teacher, source)
    augmented = {"augment": {"shift": 1}}
    given = recipe(source, mode=mode, **augmented)
    whole = Run(given, tmp_path / "whole").execute()
    run = Run(given, tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "finished", property(lambda self: self.epoch >= 1))
        patch.setattr(Run, "_finish", lambda *parts: {})
        run.execute()
    (tmp_path / "run" / "summary.json").unlink()
    shutil.rmtree(source)
    again = Run(given, tmp_path / "run").execute()
    assert again["test_accuracy"] == whole["test_accuracy"]
    files = [(tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("run", "whole")]
    assert files[0] == files[1]
    assert again["recipe"]["loss"]["weight"] == 0.7
    if mode == "float":
        Run(recipe(None, mode=mode, **augmented), tmp_path / "alone").execute()
        losses = [(tmp_path / name / "metrics.jsonl").read_text().splitlines()[0] for name in ("run", "alone")]
        assert json.loads(losses[0])["train_loss"] != json.loads(losses[1])["train_loss"]


def test_with_the_teacher_alone_its_outputs_are_learnt(teacher: Path) -> None:
    given = recipe(None, mode="float", network={"hidden": [48]}, epochs=6, optimizer={"rate": 1e-2})
    given = given.model_copy(update={"loss": recipe(teacher).loss.model_copy(update={"weight": 1.0})})
    training = Training(given, given.dataset.load(), None)
    # Labels play no part: with others the same is learnt.
    training.labels = training.task.labels = training.labels.roll(1)
    losses = [training.run_epoch()["train_loss"] for _ in range(6)]
    assert losses[-1] < 0.2 * losses[0]
    assert training.teacher is not None
    with torch.no_grad():
        agreed = training.model.eval()(training.inputs).argmax(1) == training.teacher.outputs(training.inputs).argmax(1)
    assert agreed.float().mean() > 0.9
    assert not any(parameter.requires_grad for parameter in training.teacher.model.parameters())


IMAGES: dict[str, Any] = {
    "epochs": 1,
    "network": {"kind": "airbench", "channels": [4, 6], "activation": "gelu", "options": {"learn_gain": True}},
}


def test_networks_for_images_start_from_a_precursor_and_learn_from_it(tmp_path: Path) -> None:
    precursor = tmp_path / "ex-situ"
    start = Run(recipe(None, mode="ex-situ", **{**IMAGES, "epochs": 3}), precursor).execute()
    network = {**IMAGES["network"], "keep_float": ["last"]}
    given = recipe(precursor, init_from=str(precursor), **{**IMAGES, "network": network})
    found = Run(given, tmp_path / "in-situ").execute()
    assert found["precursor_score"] == start["test_accuracy"]
    # With the latent weights it takes over the statistics of its normalisations.
    assert found["start_score"] > 0.8 * start["test_accuracy"] > 0.3
    assert any(entry["name"].startswith("linear") for entry in found["digital_weights"])


def test_scales_of_layers_are_learnt(tmp_path: Path) -> None:
    network = {
        "kind": "vgg",
        "hidden": [8],
        "normalisation": "none",
        "start": "weights",
        "options": {"layers": [4, "pool"], "learn_scales": True},
    }
    given = recipe(None, epochs=1, network=network)
    training = Training(given, given.dataset.load(), build_device(given))
    scales = {name: value for name, value in training.model.named_parameters() if name.endswith(".gain")}
    assert scales.keys() == {"scale1.gain", "scale2.gain", "scale3.gain"}
    training.run_epoch()
    assert all(float(value.detach()) != 1 for value in scales.values())
    plain = recipe(None, network={**network, "options": {"layers": [4, "pool"]}})
    assert "learn_scales" not in plain.model_dump()["network"]["options"]


def test_the_content_of_the_teacher_decides_a_task_of_a_sweep(teacher: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(teacher, copy)
    keys = []
    for source in (teacher, copy, None):
        if source is None:
            (copy / "checkpoint.safetensors").write_bytes(b"another")
        (tmp_path / "sweep.toml").write_text(
            f"[recipe]\ndataset = {{ name = 'digits' }}\nloss = {{ teacher = '{source or copy}' }}\n"
            "[search]\nkind = 'grid'\n[search.over]\nseed = [0]\n"
        )
        sweep = load_sweep(tmp_path / "sweep.toml")
        (point,) = points(sweep.file.search)
        keys.append(Planner(sweep).task(point).key)
    assert keys[0] == keys[1] != keys[2]


def test_refused(teacher: Path, tmp_path: Path) -> None:
    for values, message in (
        ({"loss": {"weight": 0.5}}, "temperature and weight are those of a teacher"),
        ({"loss": {"teacher": "x", "kind": "squared-error"}}, "teacher needs kind = 'cross-entropy'"),
        ({"loss": {"teacher": "x", "weight": 0.0}}, "loss.weight"),
    ):
        with pytest.raises(InputError, match=message):
            recipe_from({**SMALL, **values}, "test")
    with pytest.raises(InputError, match=r"loss.teacher = '.*none': .*is not a finished run"):
        Run(recipe(tmp_path / "none"), tmp_path / "run").execute()
    other = {"name": "digits", "validation_samples": 100}
    with pytest.raises(InputError, match=r"learnt with dataset.validation_samples = 0, here it is 100; must be the"):
        Run(recipe(teacher, dataset=other), tmp_path / "run").execute()
    assert not (tmp_path / "run").exists()
