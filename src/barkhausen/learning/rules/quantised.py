"""Quantised learning in software: binary or ternary weights, trained by the optimiser through a straight-through
estimator.

No device takes part: the trained network is mapped to devices afterwards (:mod:`barkhausen.experiment.chip.mapping`).
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator

from barkhausen.core.config import StrictParameters
from barkhausen.learning.layers.quantised import Quantisation, QuantisedLayers, Values
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule


class QuantisedOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    values: Values = "binary"
    """Values of the weights: ``binary`` (−1, 1) or ``ternary`` (−1, middle, 1), times a scale for each layer."""
    middle: Annotated[float, Field(gt=-1, lt=1)] = 0.0
    """Level of the middle value of ternary weights."""

    @model_validator(mode="after")
    def _middle_is_of_three(self) -> QuantisedOptions:
        if self.middle and self.values == "binary":
            raise ValueError(f"middle = {self.middle:g}: belongs to values = 'ternary'")
        return self


def _learner(parts: LearnerParts) -> torch.optim.Optimizer:
    return parts.optimizer


def _layers(options: QuantisedOptions, generator: torch.Generator) -> QuantisedLayers:
    return QuantisedLayers(generator, quantisation=Quantisation(options.values, options.middle))


QUANTISED = RULES.register(
    "quantised",
    Rule(
        name="quantised",
        label="quantised in software",
        about="Weights have two or three levels times a scale for each layer. They are trained in software; the "
        "network is mapped to devices afterwards.",
        on_devices=False,
        learner=_learner,
        layers=_layers,
        options=QuantisedOptions,
        colours="other",
    ),
)
