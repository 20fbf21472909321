"""Runs whose rule keeps something of its devices: resumed, lengthened, transferred, and taken over by other runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.data import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.experiment.chip.fine_tuning import fine_tune
from barkhausen.experiment.recipe import Recipe, build_device, load_recipe, recipe_from
from barkhausen.experiment.recipe.earlier import recipe_for
from barkhausen.experiment.run import Run
from barkhausen.experiment.starting.initial import initial_state
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.experiment.training import Training
from barkhausen.learning import SynapseLayer, synapse_layers
from barkhausen.report.runs.page import write_report

pytestmark = pytest.mark.usefixtures("one_thread")

MODES: dict[str, dict[str, Any]] = {
    "level-change": {"hysteresis": 0.15},
    "last-verified": {"bits": 5},
    "periodic": {"every": 3},
}


def recipe(mode: str, **changes: Any) -> Recipe:
    values = {
        "mode": mode,
        "rule": MODES.get(mode, {}),
        "threads": 1,
        "epochs": 3,
        "dataset": {"name": "digits"},
        "network": {"hidden": [32, 16]},
        "transfer": {"chips": 2},
    }
    return recipe_from(values | changes, "test")


def held_of(layer: SynapseLayer) -> torch.Tensor:
    assert layer.held_state is not None
    return layer.held_state


@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_is_lengthened_and_one_in_one_go_are_the_same(tmp_path: Path, mode: str) -> None:
    given = recipe(mode, epochs=4, optimizer={"schedule": "constant"})
    Run(given, tmp_path / "whole").execute()
    Run(given.model_copy(update={"epochs": 2}), tmp_path / "parts").execute()
    Run(given, tmp_path / "parts", lengthen=True).execute()
    states = [load_checkpoint(tmp_path / name / "checkpoint.safetensors")["model"] for name in ("whole", "parts")]
    assert states[0].keys() == states[1].keys()
    for key, tensor in states[0].items():
        assert torch.equal(tensor, states[1][key]), key


@pytest.mark.parametrize("mode", MODES)
def test_a_run_says_its_rule_and_what_that_must_know(tmp_path: Path, mode: str) -> None:
    given = recipe(mode)
    summary = Run(given, tmp_path / "run").execute()
    assert summary["mode"] == mode
    assert summary["recipe"]["rule"].items() >= MODES[mode].items()
    rule = given.learning_rule
    assert summary["monitoring"] == vars(rule.monitoring(given.rule, 5))
    assert summary == json.loads((tmp_path / "run" / "summary.json").read_text())
    write_report([tmp_path / "run"], tmp_path / "report.html")
    assert mode in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_held_states_are_transferred_and_loaded(tmp_path: Path) -> None:
    given = recipe("level-change", device={"preset": "nonvolatile"}, epochs=12)
    summary = Run(given, tmp_path / "run").execute()
    # The states nearest to the latent weights would lose far more on these devices.
    assert summary["unseen_chips"]["mean"] > summary["test_accuracy"] - 0.03
    task = task_of(given, load_dataset("digits").standardised(), torch.device("cpu"))
    assert task.held_out_accuracy(load_trained(tmp_path / "run").model) == summary["test_accuracy"]
    chip = load_trained(tmp_path / "run", 1).model
    assert task.held_out_accuracy(chip) == summary["unseen_chips"]["values"][1]
    held = {name: held_of(layer) for name, layer in synapse_layers(load_trained(tmp_path / "run").model)}
    apart = 0
    for name, layer in synapse_layers(chip):
        assert torch.equal(layer.synapses.state, held[name])
        apart += int((layer.quantiser.state(layer.latent_weight) != held[name]).sum())
    assert apart > 100


def test_a_run_that_starts_from_another_takes_its_held_states(tmp_path: Path) -> None:
    Run(recipe("level-change"), tmp_path / "run").execute()
    state = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")["model"]
    for mode in ("level-change", "in-situ", "ex-situ"):
        given = recipe(mode, init_from=str(tmp_path / "run"))
        source = initial_state(tmp_path / "run")
        training = Training(given, load_dataset("digits").standardised(), build_device(given), initial=source)
        for name, layer in synapse_layers(training.model):
            assert (layer.held_state is not None) == (mode == "level-change")
            if mode != "ex-situ":
                assert torch.equal(layer.synapses.state, state[f"{name}.held_state"])
    # A device of another number of states cannot hold them.
    given = recipe("level-change", init_from=str(tmp_path / "run"), states=3)
    source = initial_state(tmp_path / "run")
    training = Training(given, load_dataset("digits").standardised(), build_device(given), initial=source)
    for _, layer in synapse_layers(training.model):
        assert torch.equal(held_of(layer).long(), layer.quantiser.state(layer.latent_weight.detach()))


def test_fine_tuning_goes_on_with_the_rule_of_the_run(tmp_path: Path) -> None:
    given = recipe("level-change")
    Run(given, tmp_path / "run").execute()
    model = load_trained(tmp_path / "run").model
    before = {name: held_of(layer).clone() for name, layer in synapse_layers(model)}
    fine_tune(model, given, load_dataset("digits").standardised(), 1)
    layers = dict(synapse_layers(model))
    changed = sum(int((held_of(layer) != before[name]).sum()) for name, layer in layers.items())
    # Those whose latent weight is nearest to another state are not programmed at once.
    assert 0 < changed < 0.2 * sum(held_of(layer).numel() for layer in layers.values())


@pytest.mark.parametrize(
    ("mode", "rule", "message"),
    [
        ("level-change", {"hysteresis": -0.1}, r"rule\.hysteresis = -0\.1: .*greater than or equal to 0"),
        ("level-change", {"hysterisis": 0.1}, r"unknown key .rule\.hysterisis."),
        ("level-change", {"read_every": -1}, r"rule\.read_every = -1: .*greater than or equal to 0"),
        ("last-verified", {"bits": 17}, r"rule\.bits = 17: .*less than or equal to 16"),
        ("periodic", {"every": 0}, r"rule\.every = 0: .*greater than or equal to 1"),
        ("in-situ", {"every": 2}, r"unknown key .rule\.every."),
    ],
)
def test_wrong_options_are_told_in_one_line(mode: str, rule: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        recipe(mode, rule=rule)
    assert "\n" not in str(told.value)


def test_a_hysteresis_that_is_too_wide_for_the_device_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hysteresis = 0\.3: must be less than 0\.2\d+, half the distance"):
        Run(recipe("level-change", rule={"hysteresis": 0.3}), tmp_path / "run").execute()
    assert not (tmp_path / "run").exists()


def test_decay_in_training_is_a_part_of_the_recipe(tmp_path: Path) -> None:
    volatile = {"preset": "racetrack", "margin": 0.4}
    plain = recipe("in-situ", device=volatile)
    assert "[decay]" not in plain.to_toml()
    given = recipe("in-situ", device=volatile, decay={"step_time": 1e-3})
    assert "step_time = 0.001" in given.to_toml()
    without, decaying = (Run(each, tmp_path / name).execute() for name, each in (("a", plain), ("b", given)))
    # Most walls of the outer states are lost at every step, and programmed again.
    assert decaying["programming"]["training_events"] > 2 * without["programming"]["training_events"]
    assert decaying["energy"]["programming_joule"] > 1.5 * without["energy"]["programming_joule"]
    assert decaying["recipe"]["decay"] == {"step_time": 1e-3, "temperature": None}
    assert Run(given, tmp_path / "b").execute() == decaying
    write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "report.html")
    assert "decay.step time 0.001" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mode", "decay", "message"),
    [
        ("in-situ", {"step_time": 0.0}, r"decay\.step_time = 0\.0: .*greater than 0"),
        ("in-situ", {"temperature": 300.0}, r"decay: .*temperature has no effect without step_time"),
        ("ex-situ", {"step_time": 1e-6}, r"decay\.step_time = 1e-06: mode = 'ex-situ' trains no devices"),
        ("float", {"step_time": 1e-6}, r"those that do are in-situ, level-change, last-verified, periodic"),
    ],
)
def test_a_decay_that_cannot_be_is_told_in_one_line(mode: str, decay: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        recipe(mode, decay=decay)
    assert "\n" not in str(told.value)


def test_a_run_that_began_with_the_margin_rule_of_the_recipe_goes_on_with_it(tmp_path: Path) -> None:
    run, settings = tmp_path / "run", ["dataset.name=digits", "network.hidden=[8]"]
    assert recipe_for("mnist-in-situ", settings, run).mode == "level-change"
    run.mkdir()
    (run / "recipe.toml").write_text(load_recipe("mnist-margin", settings).to_toml())
    # As a run of an earlier version has left it: the same command resumes it.
    with pytest.warns(InputWarning, match="began with an earlier mnist-in-situ, whose rule was in-situ"):
        assert recipe_for("mnist-in-situ", settings, run) == load_recipe("mnist-margin", settings)
    # A run of this version, and a file of the user's own, are what they say.
    (run / "recipe.toml").write_text(load_recipe("mnist-in-situ", settings).to_toml())
    assert recipe_for("mnist-in-situ", settings, run).mode == "level-change"
    assert recipe_for("mnist-margin", settings, run).mode == "in-situ"
