"""Every optimiser of a recipe learns, in situ and without devices."""

from __future__ import annotations

import pytest

from barkhausen.data import load_dataset
from barkhausen.experiment.recipe import build_device, recipe_from
from barkhausen.experiment.training import Training


@pytest.mark.parametrize("mode", ["in-situ", "float"])
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "adam"},
        {"name": "adamw"},
        {"name": "adamw", "weight_decay": 0.1},
        {"name": "sgd", "rate": 0.1, "latent_rate": 0.3},
        {"name": "layer-rms"},
    ],
    ids=lambda table: "-".join(map(str, table.values())),
)
def test_it_learns_the_digits(mode: str, optimizer: dict[str, object], one_thread: None) -> None:
    values = {
        "mode": mode,
        "states": 5,
        "epochs": 10,
        "threads": 1,
        "dataset": {"name": "digits"},
        "network": {"hidden": [64]},
        "device": {"sigma": 0.1},
        "optimizer": {"rate": 5e-3, "latent_rate": 2e-2, **optimizer},
    }
    recipe = recipe_from(values, "test")
    device = build_device(recipe) if recipe.learning_rule.on_devices else None
    training = Training(recipe, load_dataset("digits").with_validation(300).standardised(), device)
    for _ in range(recipe.epochs):
        training.run_epoch()
    # Ten classes: chance is 0.1.
    assert training.held_out_score() > 0.93
