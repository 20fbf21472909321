"""In-situ learning: latent weights accumulate the gradients, and the margin decides when a device is programmed."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from barkhausen.learning.compiled import Scan
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.margin import warn_of_wide
from barkhausen.learning.rules.base import Learner
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse import SynapseBank

PIECE = 80 * 1024
"""Number of synapses checked at a time on a CPU: small enough to need little memory, large enough for two threads."""

BLOCK = 32
"""Number of synapses in a block when searching for the few that are outside the margin."""


class InSitu(Learner):
    """The in-situ rule around any torch optimiser (arXiv:2111.07284, after Hubara et al., JMLR 18, 2018).

    After each step of the optimiser, for every synapse with latent weight a and synaptic weight w:

    1. a is clipped to [−1, 1];
    2. the target k* is the state whose level L is nearest to a;
    3. the device is reset and programmed to k* if and only if |w − L_k*| > margin.

    Use it in place of the optimiser::

        learner = InSitu(torch.optim.Adam(model.parameters(), lr=1e-2), model, generator)
        loss.backward()
        learner.step()
        learner.zero_grad()

    It also works with schedulers, gradient scalers and training frameworks. For training on several processes
    (``DistributedDataParallel``), give all generators the same seed: gradients are averaged, so all processes then
    program the same devices to the same weights. Torch sends all buffers, including the devices, at every step; if no
    layer has running statistics, ``broadcast_buffers=False`` avoids this.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        margin_schedule: Function from the number of steps made to the factor on each layer's own margin
            (:class:`.LinearMargin`, :class:`.CosineMargin`, or any other). Default: a factor of 1.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        margin_schedule: MarginSchedule | None = None,
    ) -> None:
        super().__init__(optimizer, model, generator)
        # The margins that the schedule's factor multiplies: not what an earlier schedule has left.
        self.margins = [layer.synapses.made_with.margin for layer in self.layers]
        for margin, layer in zip(self.margins, self.layers, strict=True):
            warn_of_wide(margin, layer.synapses.kind.device)
        self.groups = _groups_of_one_kind(self.layers, self.margins)
        self.margin_schedule = margin_schedule
        self.steps = 0

    @torch.no_grad()
    def update_devices(self) -> None:
        """Program the devices that are outside the margin of their target, except those of frozen layers."""
        if not all(group.intact() for group in self.groups):
            self.groups = _groups_of_one_kind(self.layers, self.margins)
        factor = 1.0 if self.margin_schedule is None else self.margin_schedule(self.steps)
        for group in self.groups:
            group.scale_margin(factor)
            if group.learning:
                group.program(self.generator)
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser, with the number of steps made (for the margin schedule) under ``in_situ``."""
        return {**super().state_dict(), "in_situ": {"steps": self.steps}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state, or that of a bare optimiser."""
        rest = dict(state_dict)
        self.steps = int(rest.pop("in_situ", {"steps": 0})["steps"])
        super().load_state_dict(rest)


def _groups_of_one_kind(layers: list[SynapseLayer], margins: list[float]) -> list[_Group]:
    groups: list[tuple[float, list[SynapseLayer]]] = []
    for layer, margin in zip(layers, margins, strict=True):
        for base, group in groups:
            if base == margin and _alike(group[0], layer):
                group.append(layer)
                break
        else:
            groups.append((margin, [layer]))
    return [_Group(group, margin) for margin, group in groups]


def _alike(one: SynapseLayer, other: SynapseLayer) -> bool:
    return (
        one.synapses.kind.same_as(other.synapses.kind)
        and one.synapses.weight.dtype == other.synapses.weight.dtype
        and one.latent_weight.requires_grad == other.latent_weight.requires_grad
    )


class _Group:
    """Layers whose synapses are of one kind, with their devices in one bank and their latent weights in one flat
    tensor."""

    def __init__(self, layers: list[SynapseLayer], margin: float) -> None:
        self.layers = layers
        self.margin = margin
        self.learning = layers[0].latent_weight.requires_grad
        self.bank = SynapseBank([layer.synapses for layer in layers], padding=BLOCK)
        self.quantiser = layers[0].quantiser
        self.scan = Scan(self.quantiser)
        self.latent_weight = torch.zeros_like(self.bank.weight)
        # The surplus at the end lies exactly on its level and is never programmed, for any margin.
        self.bank.weight[self.bank.synapses :] = self.quantiser.level(self.latent_weight[self.bank.synapses :])
        start = 0
        for layer, size in zip(layers, self.bank.sizes, strict=True):
            part = self.latent_weight[start : start + size].view(layer.latent_weight.shape)
            part.copy_(layer.latent_weight.detach())
            layer.latent_weight.data = part
            start += size
        self._pointers = [layer.latent_weight.data_ptr() for layer in layers]

    def __getstate__(self) -> dict[str, Any]:
        # A copy has its own tensors, which might by chance lie at the old addresses.
        return {**self.__dict__, "_pointers": [-1] * len(self.layers)}

    def intact(self) -> bool:
        """Whether latent weights and devices are still views of this group's tensors."""
        here = all(x.latent_weight.data_ptr() == at for x, at in zip(self.layers, self._pointers, strict=True))
        same = all(x.synapses is array for x, array in zip(self.layers, self.bank.arrays, strict=True))
        frozen = all(x.latent_weight.requires_grad == self.learning for x in self.layers)
        return here and same and frozen and self.bank.intact()

    def scale_margin(self, factor: float) -> None:
        """Multiply the initial margin of the layers."""
        if factor * self.margin != self.bank.kind.margin:
            self.bank.set_margin(factor * self.margin)

    def program(self, generator: torch.Generator | None) -> None:
        if self.latent_weight.device.type == "cpu":
            index, target = self._outside()
            if len(index):
                self.bank.program_at(index, target, generator)
            return
        self.latent_weight.clamp_(-1.0, 1.0)
        for layer in self.layers:
            where = self.quantiser.error(layer.latent_weight, layer.synapses.weight) > layer.synapses.margin
            layer.synapses.program(self.quantiser.state(layer.latent_weight), where, generator)

    def _outside(self) -> tuple[Int[Tensor, " event"], Int[Tensor, " event"]]:
        """Clip the latent weights, and return flat positions and targets of the devices outside the margin, ascending.

        Few devices are outside. Without compiled code only blocks whose largest error is above the margin are searched,
        which is several times faster than a comparison and ``nonzero`` over all devices.
        """
        if self.scan.serves(self.latent_weight):
            return self.scan.outside(self.latent_weight, self.bank.weight, self.bank.kind.margin)
        self.latent_weight.clamp_(-1.0, 1.0)
        margin, weight = self.bank.kind.margin, self.bank.weight
        scratch = torch.empty(min(PIECE, len(weight)), dtype=weight.dtype)
        pieces = zip(self.latent_weight.split(PIECE), weight.split(PIECE), strict=True)
        worst = [self.quantiser.error(a, w, out=scratch[: len(a)]).view(-1, BLOCK).amax(dim=1) for a, w in pieces]
        found = []
        for hit in (torch.cat(worst) > margin).nonzero().squeeze(1).split(PIECE // BLOCK):
            a, w = (x.view(-1, BLOCK).index_select(0, hit) for x in (self.latent_weight, weight))
            inside = (self.quantiser.error(a, w, out=a) > margin).nonzero()
            found.append(hit.index_select(0, inside[:, 0]).mul_(BLOCK).add_(inside[:, 1]))
        index = torch.cat(found)
        return index, self.quantiser.state(self.latent_weight.index_select(0, index))


def _learner(parts: LearnerParts) -> InSitu:
    return InSitu(parts.optimizer, parts.model, parts.generator)


IN_SITU = RULES.register(
    "in-situ",
    Rule(
        name="in-situ",
        label="in-situ",
        on_devices=True,
        learner=_learner,
        programs_while_training=True,
        histograms=("after the initial programming", "after training"),
        colours="cool",
    ),
)
