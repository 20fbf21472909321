"""Spiking networks by recipe: float and on devices, exact resume, and products of all steps at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.network import float_network
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.training import Training
from barkhausen.learning.networks import Shapes
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.networks.spiking import SpikingNetwork

SHAPES = Shapes("digits", 64, 10, (8, 8), samples=1000)


def network(**options: Any) -> SpikingNetwork:
    recipe = NetworkRecipe(kind="spiking", hidden=[20, 16], options={"steps": 12, **options})
    made = float_network(recipe, SHAPES, torch.Generator().manual_seed(0))
    assert isinstance(made, SpikingNetwork)
    return made


def recipe(mode: str = "float", **options: Any) -> dict[str, Any]:
    options = {"steps": 30, "scale": 0.3, **options}
    return {
        "mode": mode,
        "epochs": 3,
        "batch_size": 20,
        "dataset": {"name": "digits", "scaling": "unit"},
        "network": {"kind": "spiking", "hidden": [40], "normalisation": "none", "options": options},
        "optimizer": {"rate": 5e-3},
        "transfer": {"chips": 1},
    }


def test_a_layer_that_is_watched_sees_every_step() -> None:
    """One call for each period of the encoder, or all steps, sample first: the same scores."""
    model, x = network(scale=0.3), torch.rand(5, 64)
    model.eval()
    expected, seen = model(x), []
    for layer in (model.linear1, model.linear2, model.output):
        layer.register_forward_hook(lambda layer, inputs, output: seen.append(output.shape))
    torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-5)
    assert seen == [(5, 12, 20), (5, 12, 16), (5, 12, 10)]


def test_evaluation_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples do not see each other in evaluation."""
    model, x = network(scale=0.3, encoder="latency", read_out="spikes"), torch.rand(7, 64)
    model(x)
    model.eval()
    whole = model(x)
    monkeypatch.setattr("barkhausen.learning.networks.spiking.AT_ONCE", 500)
    torch.testing.assert_close(model(x), whole)
    assert len([name for name, _ in model.named_children() if "cell" in name]) == 3


def test_options_of_cell_and_encoder_are_their_own() -> None:
    """Defaults follow the kind; a key of another kind is refused with its place."""
    made = network(cell="domain-wall", cell_options={"reset": "none", "spread": 0.3}, encoder="poisson", truncation=5)
    assert made.cell1.reset == "none" and made.cell1.truncation == 5 and made.cell1.noisy
    seeds = {int(cell.noise_stream[0]) for cell in (made.cell1, made.cell2, made.encoder)}
    assert len(seeds) == 3
    for wrong, words in (
        ({"cell": "domain-wal"}, "did you mean 'domain-wall'"),
        ({"cell": "if", "cell_options": {"leak": 0.1}}, "leak"),
    ):
        with pytest.raises(InputError, match=words):
            recipe_from(recipe(**wrong), "recipe")
    with pytest.raises(InputError, match=r"'batch' \(at every step\) or 'none'"):
        float_network(NetworkRecipe(kind="spiking", normalisation="shift"), SHAPES, torch.Generator())


def test_domain_wall_neurons_and_synapses_learn_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In situ, with noise in neurons and synapses; a run that is interrupted ends as if it had not been."""
    values = recipe(
        "in-situ", cell="domain-wall", cell_options={"normalised": True, "spread": 0.3, "slope": 5.0, "current": 2e-4}
    )
    values["device"] = {"preset": "racetrack"}
    whole = Run(recipe_from(values, "recipe"), tmp_path / "whole").execute()
    assert whole["test_accuracy"] > 0.6
    assert whole["programming"]["training_events"] > 0
    epoch = Training.run_epoch

    def once(training: Training, *rest: Any) -> Any:
        if training.epoch:
            raise KeyboardInterrupt
        return epoch(training, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "run_epoch", once)
        with pytest.raises(KeyboardInterrupt):
            Run(recipe_from(values, "recipe"), tmp_path / "parts").execute()
    resumed = Run(recipe_from(values, "recipe"), tmp_path / "parts").execute()
    for key in ("test_accuracy", "train_loss", "programming"):
        assert resumed.get(key) == whole.get(key)


@pytest.mark.slow
def test_a_precursor_with_spiking_cells_is_programmed_to_devices(tmp_path: Path) -> None:
    """Ex situ."""
    summary = Run(recipe_from(recipe("ex-situ", cell="if", cell_options={"slope": 5.0}), "recipe"), tmp_path).execute()
    assert summary["test_accuracy"] > 0.5
