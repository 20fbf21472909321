"""The margin rule with fewer reads: all devices are read, and programmed where due, at every k-th step only."""

from __future__ import annotations

import torch
from torch import nn

from barkhausen.core.config import Count, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.rules.group import Group
from barkhausen.learning.rules.in_situ import InSitu
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse.decay import Decay


class PeriodicInSitu(InSitu):
    """The margin rule of :class:`.InSitu` at every k-th step; between them only the latent weights change.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        every: Number of steps k from one read of all devices to the next.
        margin_schedule, decay: As in :class:`.InSitu`.

    Raises:
        InputError: The number of steps is less than 1.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        every: int = 10,
        margin_schedule: MarginSchedule | None = None,
        decay: Decay | None = None,
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"every = {every!r}: must be a whole number of steps, 1 or more")
        super().__init__(optimizer, model, generator, margin_schedule=margin_schedule, decay=decay)
        self.every = every

    def update_group(self, group: Group) -> None:
        """Program the devices that are due at every k-th step, and clip the latent weights at the others."""
        if (self.steps + 1) % self.every == 0:
            super().update_group(group)
        else:
            group.latent_weight.clamp_(-1.0, 1.0)


class PeriodicOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    every: Count = 10
    """Steps from one read of all devices to the next."""


def _learner(parts: LearnerParts) -> PeriodicInSitu:
    return PeriodicInSitu(
        parts.optimizer,
        parts.model,
        parts.generator,
        every=parts.options.every,
        margin_schedule=parts.margin_schedule,
        decay=parts.decay,
    )


def _monitoring(options: PeriodicOptions, states: int) -> Monitoring:
    return Monitoring(reads_per_step=1.0 / options.every)


PERIODIC = RULES.register(
    "periodic",
    Rule(
        name="periodic",
        label="periodic margin",
        on_devices=True,
        learner=_learner,
        programs_while_training=True,
        decays=True,
        histograms=("after the initial programming", "after training"),
        options=PeriodicOptions,
        monitoring=_monitoring,
        colours="cool",
    ),
)
