"""Hardware-aware fine-tuning: a trained network goes on learning with the chip in its forward pass.

Forward the network computes with wires, converters and read noise; the gradient goes to the digital latent weight; the
margin rule of in-situ training programs the devices that the chip itself holds.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from barkhausen.core.config import NoOptions
from barkhausen.data import Dataset
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.training import Training
from barkhausen.learning import synapse_layers
from barkhausen.learning.layers.crossbar import refresh
from barkhausen.learning.rules.in_situ import IN_SITU

RATE = 0.3
"""Learning rates over those of the recipe, at the beginning of the cosine."""


def fine_tune(
    placed: nn.Module,
    recipe: Recipe,
    dataset: Dataset,
    epochs: int,
    advance: Callable[[int], None] = lambda steps: None,
    *,
    purpose: str = "fine-tuning ",
) -> nn.Module:
    """Train a network that is on a chip (:func:`.on_crossbar`) for some epochs more, in place.

    Wires are solved again every 50 steps; see :mod:`barkhausen.learning.layers.crossbar`.

    Args:
        placed: its devices are programmed, its latent weights moved.
        recipe: of the run: batch size, optimiser with its rates (times ``RATE``, falling to zero), seed.
        dataset: standardised.
        epochs: how many.
        advance: called now and then with the number of steps made since.
        purpose: before the names of the random streams (order and programming noise).

    Returns:
        The network, in evaluation mode.
    """
    optimizer = recipe.optimizer
    slower = optimizer.model_copy(
        update={"rate": RATE * optimizer.rate, "latent_rate": RATE * optimizer.latent_rate, "schedule": "cosine"}
    )
    mine = recipe.model_copy(
        update={"mode": IN_SITU.name, "rule": NoOptions(), "epochs": epochs, "optimizer": slower, "accelerator": "cpu"}
    )
    device = next(layer for _, layer in synapse_layers(placed)).synapses.kind.device
    training = Training(mine, dataset, device, model=placed, purpose=purpose)

    def every_50(steps: int) -> None:
        refresh(placed)
        advance(steps)

    for _ in range(epochs):
        training.run_epoch(every_50)
    return placed.eval()
