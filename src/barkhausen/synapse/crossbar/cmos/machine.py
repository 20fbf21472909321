"""One way to build a network in hardware: its area, and energy and time of an inference and of a training step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Work:
    """What is computed, beside the loads of the layers.

    Args:
        batch: Samples of a training step.
        writes: Weights that are written in a training step.
        programming: Energy in J of writing them on devices.
    """

    batch: int = 100
    writes: float = 0.0
    programming: float = 0.0


@dataclass(frozen=True)
class Machine:
    """Area, energy and time of one way to build a network.

    Args:
        name: Name in tables.
        area: Area in m² by part, for inference.
        inference: Energy in J of one inference by cause.
        latency: Time in s from an input to its result.
        interval: Time in s between results of a stream of inputs: that of the slowest layer where all layers work at
            the same time (pipelining), else the latency.
        training_area: Area in m² by part, with the memory of latent weights and optimiser.
        step: Energy in J of one training step by cause.
        step_time: Duration in s of a training step, one sample after the other and without the writing of weights.
    """

    name: str
    area: Mapping[str, float]
    inference: Mapping[str, float]
    latency: float
    interval: float
    training_area: Mapping[str, float] = field(default_factory=dict)
    step: Mapping[str, float] = field(default_factory=dict)
    step_time: float = 0.0

    @property
    def area_total(self) -> float:
        """Area in m² for inference."""
        return math.fsum(self.area.values())

    @property
    def training_area_total(self) -> float:
        """Area in m² for training."""
        return math.fsum(self.training_area.values())

    @property
    def inference_total(self) -> float:
        """Energy in J of one inference."""
        return math.fsum(self.inference.values())

    @property
    def step_total(self) -> float:
        """Energy in J of one training step."""
        return math.fsum(self.step.values())
