from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.device import gaussian_device, write_device
from barkhausen.experiment.evaluation import accuracy
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import synapse_layers

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS: dict[str, dict[str, Any]] = {
    "in-situ": {},
    "ex-situ": {"mode": "ex-situ"},
    "float": {"mode": "float"},
    "cnn": {"network": {"kind": "cnn", "channels": [3, 4], "hidden": [8], "keep_float": ["last"]}},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of each kind, of a device file that is gone since."""
    where = tmp_path_factory.mktemp("runs")
    file = where / "device.nc"
    write_device(gaussian_device(3, 0.25), file)
    for name, changes in KINDS.items():
        common = {"dataset": {"name": "digits"}, "network": {"hidden": [16]}, "epochs": 3, "transfer": {"chips": 2}}
        device = {} if name == "float" else {"device": {"file": str(file)}}
        Run(recipe_from({**common, **device, **changes}, "test"), where / name).execute()
    file.unlink()
    return where


def held_out(model: nn.Module) -> float:
    digits = load_dataset("digits").standardised()
    return accuracy(model, digits.test_inputs, digits.test_labels)


@pytest.mark.parametrize("name", ["in-situ", "float", "cnn"])
def test_trained_network_is_as_accurate_as_it_was(runs: Path, name: str) -> None:
    trained = load_trained(runs / name)
    summary = json.loads((runs / name / "summary.json").read_text())
    assert held_out(trained.model) == summary["test_accuracy"]
    assert summary["test_accuracy"] > 0.2  # it has learnt something that could be lost
    assert not trained.model.training
    assert (trained.sample, trained.chip) == ((64,), None)


@pytest.mark.parametrize(("name", "key"), [("ex-situ", "chips"), ("in-situ", "unseen_chips")])
def test_chips_are_those_that_the_run_programmed(runs: Path, name: str, key: str) -> None:
    chips = [load_trained(runs / name, chip) for chip in (0, 1)]
    measured = json.loads((runs / name / "summary.json").read_text())[key]
    ours = [held_out(chip.model) for chip in chips]
    assert sum(ours) / 2 == pytest.approx(measured["mean"], rel=1e-12)
    assert abs(ours[0] - ours[1]) == pytest.approx(measured["std"] * 2**0.5, abs=1e-12)
    first, second = (next(synapse_layers(chip.model))[1] for chip in chips)
    assert torch.equal(first.latent_weight, second.latent_weight)
    assert not torch.equal(first.synapses.weight, second.synapses.weight)


def test_ex_situ_network_is_chip_0_unless_another_is_asked_for(runs: Path) -> None:
    default, first = load_trained(runs / "ex-situ"), load_trained(runs / "ex-situ", 0)
    assert default.chip == 0
    for (_, a), (_, b) in zip(synapse_layers(default.model), synapse_layers(first.model), strict=True):
        assert torch.equal(a.synapses.weight, b.synapses.weight)
    assert default.about()["chip"] == 0


def cut_off(name: str) -> Callable[[Path], None]:
    def cut(run: Path) -> None:
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) // 2])

    return cut


def without(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).unlink()


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def replace(run: Path) -> None:
        text = (run / "recipe.toml").read_text()
        assert old in text
        (run / "recipe.toml").write_text(text.replace(old, new))

    return replace


def other_device(run: Path) -> None:
    write_device(gaussian_device(4), run / "device.nc")


def noisier_device(run: Path) -> None:
    write_device(gaussian_device(3, 0.3), run / "device.nc")


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (without("summary.json"), r"run: is not a finished run \(no summary\.json\)"),
        (without("checkpoint.safetensors"), r"checkpoint\.safetensors: no such file"),
        (without("recipe.toml"), r"recipe\.toml: no such file"),
        (without("device.nc"), r"device\.nc: no such device file"),
        (cut_off("checkpoint.safetensors"), r"checkpoint\.safetensors: is not a whole checkpoint"),
        (cut_off("device.nc"), r"device\.nc: is not a readable NetCDF device file"),
        (
            replaced("hidden = [\n    16,", "hidden = [\n    17,"),
            r"safetensors: does not fit recipe\.toml \(.*size mismatch",
        ),
        (replaced("    16,\n", "    16,\n    16,\n"), r"safetensors: does not fit recipe\.toml \(.*Missing key"),
        (replaced('mode = "in-situ"', 'mode = "in-sito"'), r"recipe\.toml: mode = 'in-sito'"),
        (replaced('mode = "in-situ"', 'mode = "float"'), r"safetensors: does not fit recipe\.toml"),
        (noisier_device, r"checkpoint\.safetensors: .*saved with another device \(spread 0\.25, not 0\.3\)"),
        (replaced("margin = 0.", "margin = 0.0"), r"checkpoint\.safetensors: .*saved with margin = 0\.\d+, not 0\.0"),
        (other_device, r"states = 3 but the device file .*device\.nc has 4 states"),
    ],
)
def test_damaged_run_is_one_line(runs: Path, tmp_path: Path, spoil: Callable[[Path], None], line: str) -> None:
    shutil.copytree(runs / "in-situ", tmp_path / "run")
    load_trained(tmp_path / "run")
    spoil(tmp_path / "run")
    with pytest.raises(InputError, match=line):
        load_trained(tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "chip", "line"),
    [
        ("ex-situ", 2, "chip = 2: .* has the chips 0 to 1"),
        ("ex-situ", -1, "chip = -1: .* has the chips 0 to 1"),
        ("float", 0, "chip = 0: .* is a float run"),
        ("nowhere", None, "nowhere: is not a finished run"),
    ],
)
def test_chip_or_run_that_is_not_there_is_one_line(runs: Path, name: str, chip: int | None, line: str) -> None:
    with pytest.raises(InputError, match=line):
        load_trained(runs / name, chip)
