"""Recipes and run directories of version 0.1.0: read with a warning, and the same as those of this version."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.core.renamed import RECIPE_KEYS, STATE_KEYS
from barkhausen.data import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint
from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.evaluation import accuracy
from barkhausen.experiment.export import export_npz, export_safetensors
from barkhausen.experiment.recipe import Recipe, build_device, load_recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.summary import energy_of, upgraded
from barkhausen.experiment.trained import load_trained
from barkhausen.experiment.training import Training
from barkhausen.learning import synapse_layers
from barkhausen.synapse.crossbar.chip import load_chip
from machines import as_kept, rounding

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

OLD = Path(__file__).parent / "0.1.0"
MODES = ("in-situ", "ex-situ")


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(mode: str, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(OLD / f"run-{mode}", tmp_path / "run"))


def with_new_keys(path: Path, to: Path) -> Path:
    """The same recipe with the keys of this version."""
    text = path.read_text()
    for old, new in RECIPE_KEYS.items():
        last = old.rpartition(".")[2]
        assert f"{last} = " in text
        text = text.replace(f"{last} = ", f"{new.rpartition('.')[2]} = ")
    to.write_text(text)
    return to


def summary_of(directory: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((directory / "summary.json").read_text())
    return summary


# --- recipes ------------------------------------------------------------------------------------------------


def test_an_old_recipe_is_the_new_one_and_warns_of_each_old_key(mode: str, tmp_path: Path) -> None:
    old = OLD / f"recipe-{mode}.toml"
    new = with_new_keys(old, tmp_path / "recipe.toml")
    with pytest.warns(DeprecationWarning) as caught:
        recipe = load_recipe(old)
    told = {str(warning.message) for warning in caught}
    assert told == {f"{key} is now {name}; the old name still works" for key, name in RECIPE_KEYS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = load_recipe(new)
    assert recipe == same
    assert recipe.to_toml() == same.to_toml()
    assert recipe.optimizer.latent_rate == 8e-3
    assert recipe.faults.annihilated_walls == 0.01


def test_the_resolved_text_differs_in_nothing_but_the_names(mode: str, tmp_path: Path) -> None:
    resolved = with_new_keys(OLD / f"run-{mode}" / "recipe.toml", tmp_path / "recipe.toml")
    assert load_recipe(OLD / f"recipe-{mode}.toml").to_toml() == resolved.read_text()


@pytest.mark.parametrize("file", ["old", "new"])
def test_a_setting_may_use_the_old_key_or_the_new_one(file: str, tmp_path: Path) -> None:
    path = OLD / "recipe-in-situ.toml"
    path = path if file == "old" else with_new_keys(path, tmp_path / "recipe.toml")
    with pytest.warns(DeprecationWarning, match=r"optimizer\.memory_rate is now optimizer\.latent_rate"):
        old = load_recipe(path, ["optimizer.memory_rate=0.5"])
    assert old == load_recipe(path, ["optimizer.latent_rate=0.5"])
    assert old.optimizer.latent_rate == 0.5


def test_an_old_key_with_a_wrong_value_is_told_under_its_new_name() -> None:
    with pytest.raises(InputError, match=r"optimizer\.latent_rate = -1\.0: input should be greater than 0"):
        recipe_from({"optimizer": {"memory_rate": -1.0}}, "test")


# --- runs ---------------------------------------------------------------------------------------------------


def test_the_trained_network_is_the_one_that_was_saved(mode: str) -> None:
    directory = OLD / f"run-{mode}"
    with pytest.warns(DeprecationWarning, match="memory"):
        trained = load_trained(directory)
    digits = load_dataset("digits").standardised()
    measured = accuracy(trained.model, digits.test_inputs, digits.test_labels)
    assert measured == summary_of(directory)["chips"]["values"][0]
    with safe_open(directory / "checkpoint.safetensors", "pt") as saved:
        for name, layer in synapse_layers(trained.model):
            assert torch.equal(layer.latent_weight, saved.get_tensor(f"model.{name}.memory"))


def test_a_finished_run_returns_its_summary_under_either_recipe(mode: str, run: Path, tmp_path: Path) -> None:
    before = (run / "summary.json").read_bytes()
    new = load_recipe(with_new_keys(OLD / f"recipe-{mode}.toml", tmp_path / "recipe.toml"))
    for recipe in (new, load_recipe(OLD / f"recipe-{mode}.toml")):
        assert Run(recipe, run).execute() == upgraded(json.loads(before))
    assert (run / "summary.json").read_bytes() == before
    other = recipe_from(new.model_dump(exclude_none=True) | {"seed": 1}, "test")
    with pytest.raises(InputError, match="holds a run with seed = 0, this one has 1"):
        Run(other, run).execute()


def assert_same_energy(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """The same energies in J; to the rounding of a sum on a processor whose vectors sum in another order."""
    if as_kept(OLD / "machine.json"):
        assert found == expected
    assert found["labels"] == expected["labels"]
    assert found["by_cause"] == pytest.approx(expected["by_cause"], rel=1e-12)
    for key in ("programming_joule", "per_inference_joule"):
        assert found[key] == pytest.approx(expected[key], rel=1e-12)


def test_a_run_that_is_done_but_for_its_summary_is_finished_to_the_same_numbers(mode: str, run: Path) -> None:
    old = summary_of(run)
    (run / "summary.json").unlink()
    finished = Run(load_recipe(OLD / f"recipe-{mode}.toml"), run).execute()
    expected = upgraded(old)
    for key in ("wall_seconds", "software", "assumed"):
        finished.pop(key)
        expected.pop(key)
    assert "the mean spacing of the 3 levels" in finished["device"].pop("margin_in_words")
    assert finished.pop("monitoring")["reads_per_step"] == (1.0 if mode == "in-situ" else 0.0)
    account = finished.pop("account")
    assert account["per_trained_sample_joule"] > 1e-9
    # The rule of margins reads every device at every step; of an ex-situ training the precursor is billed.
    assert account["learning"] is not None
    assert_same_energy(finished.pop("energy"), expected.pop("energy"))
    assert finished == expected | {"digital_weights": [], "network_code": None}


def test_a_recipe_without_a_device_resumes_its_run_on_the_default_device_of_the_old_version(tmp_path: Path) -> None:
    """Runs of 0.1.0 whose recipe names no device: finished, done but for the summary, and new."""
    recipe = load_recipe(OLD / "recipe-default-device.toml")
    assert recipe.device.preset != "racetrack"
    run = Path(shutil.copytree(OLD / "run-default-device", tmp_path / "run"))
    old = upgraded(summary_of(run))
    with pytest.warns(InputWarning, match=r"holds a run with device.preset = 'racetrack', which it keeps"):
        assert Run(recipe, run).execute() == old
    (run / "summary.json").unlink()
    with pytest.warns(InputWarning, match="which it keeps"):
        finished = Run(recipe, run).execute()
    for key in ("states", "seed", "test_accuracy", "train_accuracy", "programming", "energy", "unseen_chips"):
        if key == "energy":
            assert_same_energy(finished[key], old[key])
        else:
            assert finished[key] == old[key], key
    assert finished["device"]["preset"] == "racetrack-3"
    # The resolved recipe of the run, which names the device, is the same run without a warning.
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        assert Run(load_recipe(OLD / "run-default-device" / "recipe.toml"), run).execute() == finished
    with pytest.raises(InputError, match=r"device\.preset = 'racetrack', this one has 'nonvolatile'"):
        Run(load_recipe(OLD / "recipe-default-device.toml", ["device.preset=nonvolatile"]), run).execute()
    assert torch.equal(
        load_trained(run).model.linear1.synapses.levels,
        build_device(load_recipe(run / "recipe.toml")).distribution().levels,
    )
    new = Run(recipe, tmp_path / "new").execute()
    assert new["device"]["preset"] == "nonvolatile-3"


def test_a_run_interrupted_under_the_old_version_ends_as_it_would_have(mode: str, tmp_path: Path) -> None:
    recipe = load_recipe(OLD / f"recipe-{mode}.toml")
    whole = Run(recipe, tmp_path / "whole").execute()
    # Stopped after the first of two epochs: the state of a training whose keys are those of the old version.
    half = tmp_path / "half"
    half.mkdir()
    shutil.copy(OLD / f"run-{mode}" / "recipe.toml", half)
    save_checkpoint(half / "checkpoint.safetensors", old_state_after_an_epoch(recipe))
    (half / "metrics.jsonl").write_text((tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()[0] + "\n")
    resumed = Run(recipe, half).execute()
    for summary in (whole, resumed):
        summary.pop("wall_seconds")
    assert resumed == whole
    kept = [load_checkpoint(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "half")]
    assert kept[0]["model"].keys() == kept[1]["model"].keys()
    assert all(torch.equal(kept[0]["model"][key], kept[1]["model"][key]) for key in kept[0]["model"])


def old_state_after_an_epoch(recipe: Recipe) -> dict[str, Any]:
    training = Training(recipe, load_dataset("digits").standardised(), build_device(recipe))
    training.run_epoch()
    state = training.state_dict()
    back = {new: old for old, new in STATE_KEYS.items()}
    model = {}
    for key, value in state["model"].items():
        head, dot, last = key.rpartition(".")
        model[f"{head}{dot}{back.get(last, last)}"] = value
    assert any(key.endswith(".memory") for key in model)
    return state | {"model": model}


def test_this_version_trains_to_the_numbers_of_the_old_one(mode: str, tmp_path: Path) -> None:
    old = OLD / f"run-{mode}"
    if not as_kept(OLD / "machine.json"):
        pytest.skip(f"sums are rounded otherwise on this machine ({rounding()}); add it to machine.json if this passes")
    Run(load_recipe(OLD / f"recipe-{mode}.toml"), tmp_path / "run").execute()
    states = [load_checkpoint(directory / "checkpoint.safetensors")["model"] for directory in (old, tmp_path / "run")]
    names = {key: ".".join(STATE_KEYS.get(part, part) for part in key.split(".")) for key in states[0]}
    # What identifies the devices, which the old version did not keep.
    identity = ("sigmas", "device_hash", "margin", "max_attempts")
    added = {f"{layer}.synapses.{name}" for layer in ("linear1", "linear2") for name in identity}
    assert set(names.values()) == set(states[1]) - added
    assert all(torch.equal(states[0][key], states[1][names[key]]) for key in names)


def test_an_old_network_infers_on_a_chip(mode: str) -> None:
    result = infer_on_chip(OLD / f"run-{mode}", load_chip())
    assert result.ideal == summary_of(OLD / f"run-{mode}")["chips"]["values"][0]
    assert (result.training is not None) == (mode == "in-situ")


def test_an_old_network_is_exported(mode: str, tmp_path: Path) -> None:
    model = load_trained(OLD / f"run-{mode}").model
    export_npz(model, tmp_path / "out.npz")
    export_safetensors(model, tmp_path / "out.safetensors")
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["linear1.conductance"].shape == (8, 64)


# --- summaries ----------------------------------------------------------------------------------------------


def test_an_old_summary_has_its_numbers_under_the_new_names(mode: str) -> None:
    old = summary_of(OLD / f"run-{mode}")
    new = upgraded(old)
    assert new["schema"] == 2
    assert new.get("unseen_chips") == old.get("fresh_chip_copy")
    assert new["energy"]["by_cause"] == {cause: old["energy"][f"{cause}_joule"] for cause in ("sot", "gate", "read")}
    assert new["energy"]["labels"] == {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}
    assert new["energy"]["programming_joule"] == old["energy"]["programming_joule"]
    assert energy_of(old) == energy_of(new)
    assert energy_of(old).total == pytest.approx(old["energy"]["programming_joule"], rel=1e-12)
    assert new["recipe"]["optimizer"]["latent_rate"] == old["recipe"]["optimizer"]["memory_rate"]
    assert upgraded(new) == new
    same = old.keys() - {"schema", "fresh_chip_copy", "energy", "recipe"}
    assert {key: new[key] for key in same} == {key: old[key] for key in same}
