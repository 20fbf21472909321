"""Base class of rules that program devices at training steps."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import nn

from barkhausen.learning.layers.base import COPIES, SynapseLayer, synapse_layers
from barkhausen.learning.margin import warn_of_wide
from barkhausen.learning.rules.base import Learner
from barkhausen.learning.rules.group import Group, groups_of_one_kind
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.synapse.decay import BankDecay, Decay
from barkhausen.synapse.escape import Escape, escape_of


class ProgrammingLearner(Learner):
    """A learner whose steps program those devices that its rule finds due.

    Layers of one kind are handled together, as one :class:`Group` of the rule's own.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        margin_schedule: Function from the number of steps made to the factor on each layer's own margin
            (:class:`.LinearMargin`, :class:`.CosineMargin`, or any other). Default: a factor of 1.
        decay: Time that passes after each step, in which devices may lose their states. Default: none.

    Raises:
        InputError: As :class:`.Learner`, or devices are to decay whose file has no barriers.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        margin_schedule: MarginSchedule | None = None,
        decay: Decay | None = None,
    ) -> None:
        super().__init__(optimizer, model, generator)
        # The margins that the schedule's factor multiplies: not what an earlier schedule has left.
        self.margins = [layer.synapses.made_with.margin for layer in self.layers]
        for margin, layer in zip(self.margins, self.layers, strict=True):
            warn_of_wide(margin, layer.synapses.kind.device)
        # Layers that share the devices of one of self.layers share its digital copies too.
        first = {id(layer.synapses): layer for layer in self.layers}
        self._sharing = [
            (layer, first[id(layer.synapses)])
            for _, layer in synapse_layers(model)
            if layer is not first[id(layer.synapses)]
        ]
        self.decay = decay
        self._escapes: dict[int, Escape] = {}
        self.groups = self._grouped()
        self.margin_schedule = margin_schedule
        self.steps = 0

    @abstractmethod
    def group_of(self, layers: list[SynapseLayer], margin: float) -> Group:
        """The rule's group of layers whose synapses are of one kind."""

    def _grouped(self) -> list[Group]:
        groups = groups_of_one_kind(self.layers, self.margins, self.group_of)
        for layer, first in self._sharing:
            layer.hysteresis = first.hysteresis
            for name in COPIES:
                setattr(layer, name, getattr(first, name))
        if self.decay is not None:
            for group in groups:
                device = group.bank.kind.device
                if id(device) not in self._escapes:
                    # At another temperature than the file's they may take seconds.
                    self._escapes[id(device)] = escape_of(device, self.decay.temperature)
                group.decay = BankDecay(group.bank, self.decay, self._escapes[id(device)])
        return groups

    @torch.no_grad()
    def update_devices(self) -> None:
        """Program the devices that are due, except those of frozen layers; then let all of them decay for a step."""
        if not all(group.intact() for group in self.groups):
            self.groups = self._grouped()
        factor = 1.0 if self.margin_schedule is None else self.margin_schedule(self.steps)
        for group in self.groups:
            group.scale_margin(factor)
            if group.learning:
                self.update_group(group)
            if group.decay is not None:
                group.decay.step(self.generator)
        self.steps += 1

    def update_group(self, group: Any) -> None:
        """Program the devices of one group that are due."""
        group.program(self.generator)

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser, with the number of steps made (for the margin schedule) under ``in_situ``."""
        return {**super().state_dict(), "in_situ": {"steps": self.steps}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state, or that of a bare optimiser."""
        rest = dict(state_dict)
        self.steps = int(rest.pop("in_situ", {"steps": 0})["steps"])
        super().load_state_dict(rest)
