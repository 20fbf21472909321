"""The margin rule on the last verified weight: a digital copy instead of a read of every device at every step."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.config import StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.rules.group import Group
from barkhausen.learning.rules.in_situ import InSitu, MarginGroup
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse.decay import Decay

MOST_BITS = 16


class LastVerified(InSitu):
    """The margin rule of :class:`.InSitu` on what the last verify read of each device gave.

    The copy of a weight has b bits over the range of the device. Devices that change by themselves are not noticed.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        bits: Bits b of the copy, and of the verify read that it is made of.
        margin_schedule, decay: As in :class:`.InSitu`.

    Raises:
        InputError: The number of bits is not from 1 to 16.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        bits: int = 6,
        margin_schedule: MarginSchedule | None = None,
        decay: Decay | None = None,
    ) -> None:
        if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= MOST_BITS:
            raise InputError(f"bits = {bits!r}: must be a whole number from 1 to {MOST_BITS}")
        self.bits = bits
        super().__init__(optimizer, model, generator, margin_schedule=margin_schedule, decay=decay)

    def group_of(self, layers: list[SynapseLayer], margin: float) -> Group:
        """Group whose devices are due where their last verified weight is outside the margin."""
        return VerifiedGroup(layers, margin, self.bits)


class VerifiedGroup(MarginGroup):
    """Group whose devices are due when their last verified weight is outside the margin of their target."""

    copies = ("verified_weight",)

    def __init__(self, layers: list[SynapseLayer], margin: float, bits: int) -> None:
        super().__init__(layers, margin)
        low, high = self.bank.kind.weight_range
        self.low, self.step = low, (high - low) / (2**bits - 1)
        level = self.quantiser.level(self.surplus)
        self.verified = self.keep("verified_weight", level, lambda layer: self.rounded(layer.synapses.weight))

    def rounded(self, weight: Float[Tensor, "*synapse"]) -> Float[Tensor, "*synapse"]:
        """Weights as a verify read of so many bits gives them."""
        steps: Tensor = ((weight - self.low) / self.step).round_()
        return steps.mul_(self.step).add_(self.low)

    @property
    def known(self) -> Float[Tensor, " synapse"]:
        """Last verified weights of all devices, with the surplus of the bank."""
        return self.verified

    def known_in(self, layer: SynapseLayer) -> Float[Tensor, "*synapse"]:
        """The same of one layer."""
        assert layer.verified_weight is not None
        return layer.verified_weight

    def programmed(self, index: Int[Tensor, " event"], target: Int[Tensor, " event"]) -> None:
        """Keep what the verify reads gave."""
        self.verified.index_copy_(0, index, self.rounded(self.bank.weight.index_select(0, index)))

    def programmed_in(
        self, layer: SynapseLayer, where: Bool[Tensor, "*synapse"], target: Int[Tensor, "*synapse"]
    ) -> None:
        """Keep what the verify reads gave."""
        known = self.known_in(layer)
        known.copy_(torch.where(where, self.rounded(layer.synapses.weight), known))


class LastVerifiedOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    bits: Annotated[int, Field(ge=1, le=MOST_BITS)] = 6
    """Bits of the copy of each weight, and of the verify read that it is made of."""


def _learner(parts: LearnerParts) -> LastVerified:
    return LastVerified(
        parts.optimizer,
        parts.model,
        parts.generator,
        bits=parts.options.bits,
        margin_schedule=parts.margin_schedule,
        decay=parts.decay,
    )


def _monitoring(options: LastVerifiedOptions, states: int) -> Monitoring:
    return Monitoring(
        copy_bits=options.bits, copy_reads_per_step=1.0, copy_writes_per_event=1.0, verify_bits=options.bits
    )


LAST_VERIFIED = RULES.register(
    "last-verified",
    Rule(
        name="last-verified",
        label="last verified",
        on_devices=True,
        learner=_learner,
        programs_while_training=True,
        decays=True,
        histograms=("after the initial programming", "after training"),
        options=LastVerifiedOptions,
        monitoring=_monitoring,
        colours="cool",
    ),
)
