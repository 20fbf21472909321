"""Hardware-aware fine-tuning: further training of a network with the chip in its forward pass.

The forward pass includes wires, converters and read noise, and the gradient goes to the digital latent weights. The
rule of the run programs the devices of the chip itself, or the margin rule where that of the run programs none.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from barkhausen.core.config import NoOptions
from barkhausen.data import Dataset
from barkhausen.experiment.optimisation.settings import AveragingRecipe, LossRecipe
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.recipe.defaults import latent_rate_of
from barkhausen.experiment.training import Training
from barkhausen.learning import synapse_layers
from barkhausen.learning.layers.crossbar import refresh
from barkhausen.learning.rules.in_situ import IN_SITU

RATE = 0.3
"""Ratio of the initial learning rates of the cosine schedule to those of the recipe."""


def fine_tune(
    placed: nn.Module,
    recipe: Recipe,
    dataset: Dataset,
    epochs: int,
    advance: Callable[[int], None] = lambda steps: None,
    *,
    purpose: str = "fine-tuning ",
) -> nn.Module:
    """Train a network on a chip (:func:`.on_crossbar`) for further epochs, in place.

    Wires are solved again every 50 steps; see :mod:`barkhausen.learning.layers.crossbar`.

    Args:
        placed: Network on a chip, whose latent weights and devices change.
        recipe: Recipe of the run, which gives batch size, optimiser, learning rates (times ``RATE``, falling to zero)
            and seed.
        dataset: Standardised data set.
        epochs: Number of epochs.
        advance: Function called regularly with the number of steps since its last call.
        purpose: Prefix of the names of the random streams (order and programming noise).

    Returns:
        Network in evaluation mode.
    """
    optimizer = recipe.optimizer
    slower = optimizer.model_copy(
        update={
            "rate": RATE * optimizer.rate,
            "latent_rate": RATE * latent_rate_of(recipe),
            "schedule": "cosine",
            "latent_schedule": None,
        }
    )
    plain = LossRecipe(kind=recipe.loss.kind, label_smoothing=recipe.loss.label_smoothing)
    mine = recipe.model_copy(
        update={
            "epochs": epochs,
            "optimizer": slower,
            "accelerator": "cpu",
            "averaging": AveragingRecipe(),
            "loss": plain,
        }
    )
    if not recipe.learning_rule.programs_while_training:
        mine = mine.model_copy(update={"mode": IN_SITU.name, "rule": NoOptions()})
    device = next(layer for _, layer in synapse_layers(placed)).synapses.kind.device
    training = Training(mine, dataset, device, model=placed, purpose=purpose)

    def every_50(steps: int) -> None:
        refresh(placed)
        advance(steps)

    for _ in range(epochs):
        training.run_epoch(every_50)
    return placed.eval()
