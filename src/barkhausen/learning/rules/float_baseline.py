"""The float baseline: the same network with float weights, trained by the optimiser alone."""

from __future__ import annotations

import torch

from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule


def _learner(parts: LearnerParts) -> torch.optim.Optimizer:
    return parts.optimizer


FLOAT = RULES.register(
    "float",
    Rule(
        name="float",
        label="float",
        about="The same topology, optimiser and epochs with ordinary weights: what is attainable without devices.",
        on_devices=False,
        baseline=True,
        learner=_learner,
        colours="grey",
    ),
)
