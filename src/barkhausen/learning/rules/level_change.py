"""In-situ learning without reads: a device is programmed when the level nearest to its latent weight changes."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Bool, Int, UInt8
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.config import NotNegative, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.rules.group import Group
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.rules.monitoring import Monitoring, bits_of
from barkhausen.learning.rules.programming import ProgrammingLearner
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse.decay import Decay

USUAL = 0.8
"""Default hysteresis in units of the widest, half the distance from an outermost level to its neighbour. Chosen on
validation data (recipe ``nonvolatile-level-change``)."""


class LevelChange(ProgrammingLearner):
    """In-situ learning that programs a device when the level nearest to its latent weight changes.

    After each step of the optimiser, for every synapse with latent weight a whose device was last programmed to state
    k:

    1. a is clipped to [−1, 1];
    2. if a is beyond the threshold between k and its neighbour by the hysteresis or more, the device is reset and
       programmed to the state k* whose level is nearest to a, and k* is kept as its held state.

    The rule must know k, a digital number of few bits, and no weight of any device. What the network computes with is
    the held states, which are also what is programmed onto other chips. A device that missed the margin, or has lost
    its state, stays as it is until its next event, unless all devices are read now and then (``read_every``).

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        hysteresis: Distance beyond the threshold in latent weight units. Default: 0.8 times half the distance from an
            outermost level of the device to its neighbour (0.2 for five evenly spaced levels).
        read_every: Steps from one read of all devices to the next, at which those outside the margin of their held
            state are programmed to it again. 0: they are never read.
        margin_schedule, decay: As in :class:`.InSitu`; the margin is that of write-verify.

    Raises:
        InputError: The hysteresis or the number of steps is negative, or an outermost level could never be reached.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        hysteresis: float | None = None,
        read_every: int = 0,
        margin_schedule: MarginSchedule | None = None,
        decay: Decay | None = None,
    ) -> None:
        if hysteresis is not None and not hysteresis >= 0:
            raise InputError(f"hysteresis = {hysteresis!r}: must be zero or positive")
        if isinstance(read_every, bool) or not isinstance(read_every, int) or read_every < 0:
            raise InputError(f"read_every = {read_every!r}: must be a whole number of steps, or 0 for no reads")
        self.hysteresis, self.read_every = hysteresis, read_every
        super().__init__(optimizer, model, generator, margin_schedule=margin_schedule, decay=decay)

    def group_of(self, layers: list[SynapseLayer], margin: float) -> Group:
        """Group whose devices are due where the level of the latent weight has changed."""
        return LevelGroup(layers, margin, self.hysteresis)

    def update_group(self, group: LevelGroup) -> None:
        """Program the devices whose level has changed, and at every so many steps those outside the margin."""
        super().update_group(group)
        if self.read_every and (self.steps + 1) % self.read_every == 0:
            group.restore(self.generator)


class LevelGroup(Group):
    """Group whose devices are due when their latent weight has left the range of their held state."""

    copies = ("held_state",)

    def __init__(self, layers: list[SynapseLayer], margin: float, hysteresis: float | None = None) -> None:
        super().__init__(layers, margin)
        widest = self.quantiser.widest_hysteresis()
        hysteresis = USUAL * widest if hysteresis is None else hysteresis
        if not hysteresis < widest:
            raise InputError(
                f"hysteresis = {hysteresis:g}: must be less than {widest:.3g}, half the distance from an outermost "
                "level of the device to its neighbour, or that level could never be reached"
            )
        self.hysteresis = hysteresis
        for layer in layers:
            layer.hysteresis = hysteresis
        self.held: UInt8[Tensor, " synapse"] = self.keep(
            "held_state", self.quantiser.state(self.surplus).to(torch.uint8), _held_state
        )

    def due(self) -> tuple[Int[Tensor, " event"], Int[Tensor, " event"]]:
        """Clip the latent weights, and return flat positions and targets of those that left their held state."""
        if self.scan.serves(self.latent_weight):
            index = self.scan.left(self.latent_weight, self.held, self.hysteresis)
            target = self.quantiser.state(self.latent_weight.index_select(0, index))
            # Where rounding decides about a threshold, nothing would change.
            changes = target != self.held.index_select(0, index)
            return index[changes], target[changes]
        self.latent_weight.clamp_(-1.0, 1.0)
        index = self.quantiser.left(self.latent_weight, self.held, self.hysteresis).nonzero().squeeze(1)
        return index, self.quantiser.state(self.latent_weight.index_select(0, index))

    def due_in(self, layer: SynapseLayer) -> tuple[Bool[Tensor, "*synapse"], Int[Tensor, "*synapse"]]:
        """Devices whose latent weight has left their held state."""
        assert layer.held_state is not None
        where = self.quantiser.left(layer.latent_weight, layer.held_state, self.hysteresis)
        return where, self.quantiser.state(layer.latent_weight)

    def programmed(self, index: Int[Tensor, " event"], target: Int[Tensor, " event"]) -> None:
        """Keep the new states."""
        self.held.index_copy_(0, index, target.to(torch.uint8))

    def programmed_in(
        self, layer: SynapseLayer, where: Bool[Tensor, "*synapse"], target: Int[Tensor, "*synapse"]
    ) -> None:
        """Keep the new states."""
        assert layer.held_state is not None
        layer.held_state.copy_(torch.where(where, target.to(torch.uint8), layer.held_state))

    def restore(self, generator: torch.Generator | None) -> None:
        """Read every device, and program those outside the margin of their held state to it again."""
        levels, margin = self.bank.kind.statistics.levels, self.bank.kind.margin
        if self.latent_weight.device.type == "cpu":
            target = self.held.to(torch.int32)
            outside = (self.bank.weight - levels.index_select(0, target)).abs_() > margin
            index = outside[: self.bank.synapses].nonzero().squeeze(1)
            if len(index):
                self.bank.program_at(index, target.index_select(0, index).to(torch.int64), generator)
            return
        for layer in self.layers:
            goal = layer.target_state()
            layer.synapses.program(goal, (layer.synapses.weight - levels[goal]).abs_() > margin, generator)


def _held_state(layer: SynapseLayer) -> UInt8[Tensor, "*synapse"]:
    """State that each device was last programmed to, where no rule has kept it so far."""
    array = layer.synapses
    if array.stuck is None:
        found: Tensor = array.state
        return found
    # A stuck device does not show what was last asked of it.
    nearest = layer.quantiser.state(layer.latent_weight.detach().clamp(-1.0, 1.0))
    return torch.where(array.stuck, nearest.to(torch.uint8), array.state)


class LevelChangeOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    hysteresis: NotNegative | None = None
    """Distance of a latent weight beyond the threshold between two levels before its device is programmed. Default:
    0.8 times half the distance from an outermost level to its neighbour."""
    read_every: Annotated[int, Field(ge=0)] = 0
    """Steps from one read of all devices to the next, at which those outside the margin are programmed again; 0: they
    are never read."""


def _learner(parts: LearnerParts) -> LevelChange:
    options = parts.options
    return LevelChange(
        parts.optimizer,
        parts.model,
        parts.generator,
        hysteresis=options.hysteresis,
        read_every=options.read_every,
        margin_schedule=parts.margin_schedule,
        decay=parts.decay,
    )


def _monitoring(options: LevelChangeOptions, states: int) -> Monitoring:
    return Monitoring(
        reads_per_step=1.0 / options.read_every if options.read_every else 0.0,
        copy_bits=bits_of(states),
        copy_reads_per_step=1.0,
        copy_writes_per_event=1.0,
        verifies_last_attempt=False,
    )


LEVEL_CHANGE = RULES.register(
    "level-change",
    Rule(
        name="level-change",
        label="level change",
        on_devices=True,
        learner=_learner,
        programs_while_training=True,
        decays=True,
        histograms=("after the initial programming", "after training"),
        options=LevelChangeOptions,
        monitoring=_monitoring,
        latent_rate=2e-2,
        defaults={"device": {"max_attempts": 5}},
        colours="cool",
    ),
)
