"""Runs that start from the weights of another run or of a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.starting.initial import initial_state
from barkhausen.experiment.training import Training
from barkhausen.learning import synapse_layers
from barkhausen.synapse import Phase

pytestmark = pytest.mark.usefixtures("one_thread")

OLD = Path(__file__).parents[2] / "old_versions" / "0.1.0"


def recipe(**more: Any) -> Recipe:
    values: dict[str, Any] = {
        "states": 5,
        "epochs": 1,
        "threads": 1,
        "dataset": {"name": "digits"},
        "network": {"hidden": [8]},
        "device": {"preset": "gaussian"},
        "transfer": {"chips": 1},
    }
    return recipe_from({**values, **more}, "test")


def untrained(given: Recipe) -> Training:
    device = build_device(given) if given.learning_rule.on_devices else None
    assert given.init_from is not None
    return Training(given, load_dataset("digits").standardised(), device, initial=initial_state(Path(given.init_from)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished runs, one for each learning rule."""
    folder = tmp_path_factory.mktemp("runs")
    for mode in ("in-situ", "ex-situ", "float"):
        Run(recipe(mode=mode, epochs=2), folder / mode).execute()
    return folder


@pytest.mark.parametrize("source", ["in-situ", "ex-situ"])
@pytest.mark.parametrize("mode", ["in-situ", "ex-situ"])
def test_latent_weights_are_those_of_the_other_run_and_devices_are_new(source: str, mode: str, runs: Path) -> None:
    state = load_checkpoint(runs / source / "checkpoint.safetensors")["model"]
    training = untrained(recipe(mode=mode, seed=3, init_from=str(runs / source)))
    for name, layer in synapse_layers(training.model):
        assert torch.equal(layer.latent_weight, state[f"{name}.latent_weight"])
        assert torch.equal(layer.scale, state[f"{name}.scale"])
        assert not torch.equal(layer.synapses.centres, state[f"{name}.synapses.centres"])
        if mode == "in-situ":
            # Each device was programmed once, to the state nearest to its latent weight.
            events = layer.synapses.counters.attempts
            assert events[Phase.INITIAL].sum() == layer.synapses.weight.numel()
            assert events[Phase.TRAINING].sum() == 0
            assert torch.equal(layer.synapses.state.long(), layer.quantiser.state(layer.latent_weight))
    assert torch.equal(training.model.state_dict()["norm1.running_mean"], state["norm1.running_mean"])


def test_a_float_run_goes_on_where_the_other_ended(runs: Path) -> None:
    training = untrained(recipe(mode="float", init_from=str(runs / "float" / "checkpoint.safetensors")))
    state = load_checkpoint(runs / "float" / "checkpoint.safetensors")["model"]
    assert all(torch.equal(value, state[key]) for key, value in training.model.state_dict().items())


def test_float_weights_become_devices_and_devices_float_weights(runs: Path) -> None:
    weights = load_checkpoint(runs / "float" / "checkpoint.safetensors")["model"]
    training = untrained(recipe(states=16, device={"sigma": 0.0}, init_from=str(runs / "float")))
    for name, layer in synapse_layers(training.model):
        error = (layer.weight - weights[f"{name}.weight"]).square().mean().sqrt()
        # Sixteen exact levels: a step of 2/15 of the scale.
        assert error < 0.1 * float(layer.scale)
    back = untrained(recipe(mode="float", init_from=str(runs / "in-situ")))
    state = load_checkpoint(runs / "in-situ" / "checkpoint.safetensors")["model"]
    for name in ("linear1", "linear2"):
        expected = state[f"{name}.synapses.weight"] * state[f"{name}.scale"]
        torch.testing.assert_close(back.model.state_dict()[f"{name}.weight"], expected, rtol=0, atol=0)


def test_interrupted_before_its_first_epoch_it_ends_the_same(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "in-situ", tmp_path / "source")
    given = recipe(seed=1, init_from=str(tmp_path / "source"))
    whole = Run(given, tmp_path / "whole").execute()
    half = tmp_path / "half"
    half.mkdir()
    for name in ("recipe.toml", "initial.safetensors"):
        shutil.copy(tmp_path / "whole" / name, half)
    # The other run may have gone meanwhile: the directory holds what it starts from.
    shutil.rmtree(tmp_path / "source")
    again = Run(given, half).execute()
    assert {**again, "wall_seconds": 0} == {**whole, "wall_seconds": 0}
    assert (half / "checkpoint.safetensors").read_bytes() == (
        tmp_path / "whole" / "checkpoint.safetensors"
    ).read_bytes()


def test_a_run_of_an_earlier_version_can_be_started_from() -> None:
    device = {"preset": "gaussian", "sigma": 0.2}
    training = untrained(recipe(states=3, device=device, init_from=str(OLD / "run-in-situ")))
    old = load_checkpoint(OLD / "run-in-situ" / "checkpoint.safetensors")["model"]
    assert torch.equal(training.model.linear1.latent_weight, old["linear1.memory"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"network": {"hidden": [16]}},
            r"init_from = '.*in-situ': linear1 has the sizes \(8, 64\) there and \(16, 64\)",
        ),
        ({"network": {"hidden": [8, 8]}}, r"init_from = .*: linear2 has the sizes|has no linear3"),
        ({"network": {"hidden": [8], "normalisation": "none"}}, r"has a layer 'norm1', which this network lacks"),
    ],
)
def test_another_network_is_refused(more: dict[str, Any], message: str, runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        Run(recipe(init_from=str(runs / "in-situ"), **more), tmp_path / "run").execute()
    assert not (tmp_path / "run").exists()


def test_a_source_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save_checkpoint(tmp_path / "other.safetensors", {"epoch": 1})
    (tmp_path / "device.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    for source, message in (
        ("nowhere", "no such file or run"),
        ("empty", r"is no run with a finished epoch \(it holds no checkpoint\)"),
        ("other.safetensors", "holds no network"),
        ("device.nc", r"init_from = .*: is not a whole checkpoint \([^;]*\)$"),
    ):
        with pytest.raises(InputError, match=message):
            Run(recipe(init_from=str(tmp_path / source)), tmp_path / "run").execute()
