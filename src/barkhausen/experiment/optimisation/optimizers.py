"""Optimisers of recipes: how each is made, and how many words it keeps for a weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from barkhausen.learning.precision.layer_rms import LayerRMS

if TYPE_CHECKING:
    from barkhausen.experiment.optimisation.settings import OptimizerRecipe

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class OptimizerKind:
    """One optimiser.

    Attributes:
        make: Function that makes it from parameter groups and the table ``[optimizer]``.
        words: Function from this table to the number of words that it keeps for a weight.
    """

    make: Callable[[Groups, OptimizerRecipe], torch.optim.Optimizer]
    words: Callable[[OptimizerRecipe], int]


OPTIMIZERS = {
    "adam": OptimizerKind(lambda groups, settings: torch.optim.Adam(groups, lr=settings.rate, fused=True), lambda _: 2),
    "adamw": OptimizerKind(
        lambda groups, settings: torch.optim.AdamW(groups, lr=settings.rate, fused=True), lambda _: 2
    ),
    "sgd": OptimizerKind(
        lambda groups, settings: torch.optim.SGD(
            groups, lr=settings.rate, momentum=settings.momentum, nesterov=settings.nesterov, fused=True
        ),
        lambda settings: 1 if settings.momentum else 0,
    ),
    "layer-rms": OptimizerKind(lambda groups, settings: LayerRMS(groups, lr=settings.rate), lambda _: 0),
}
"""Optimisers by their name in a recipe."""
