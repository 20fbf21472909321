"""In-situ learning: latent weights accumulate the gradients, and the margin decides when a device is programmed."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.config import NoOptions
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.rules.group import BLOCK, Group
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.programming import ProgrammingLearner
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule

PIECE = 80 * 1024
"""Number of synapses checked at a time on a CPU: small enough to need little memory, large enough for two threads."""


class InSitu(ProgrammingLearner):
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

    The rule must know every weight w at every step, so every device is read at every step.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of the programming noise.
        margin_schedule: Function from the number of steps made to the factor on each layer's own margin
            (:class:`.LinearMargin`, :class:`.CosineMargin`, or any other). Default: a factor of 1.
        decay: Time that passes after each step, in which devices may lose their states
            (:class:`barkhausen.synapse.Decay`). Default: none.
    """

    def group_of(self, layers: list[SynapseLayer], margin: float) -> Group:
        """Group whose devices are due outside the margin."""
        return MarginGroup(layers, margin)


class MarginGroup(Group):
    """Group whose devices are due when their weight is outside the margin of their target."""

    @property
    def known(self) -> Float[Tensor, " synapse"]:
        """Weights of all devices as the rule knows them, with the surplus of the bank."""
        return self.bank.weight

    def known_in(self, layer: SynapseLayer) -> Float[Tensor, "*synapse"]:
        """The same of one layer."""
        found: Tensor = layer.synapses.weight
        return found

    def due_in(self, layer: SynapseLayer) -> tuple[Bool[Tensor, "*synapse"], Int[Tensor, "*synapse"]]:
        """Devices outside the margin of the state nearest to their latent weight."""
        where = self.quantiser.error(layer.latent_weight, self.known_in(layer)) > layer.synapses.margin
        return where, self.quantiser.state(layer.latent_weight)

    def due(self) -> tuple[Int[Tensor, " event"], Int[Tensor, " event"]]:
        """Clip the latent weights, and return flat positions and targets of the devices outside the margin, ascending.

        Few devices are outside. Without compiled code only blocks whose largest error is above the margin are searched,
        which is several times faster than a comparison and ``nonzero`` over all devices.
        """
        margin, weight = self.bank.kind.margin, self.known
        if self.scan.serves(self.latent_weight):
            return self.scan.outside(self.latent_weight, weight, margin)
        self.latent_weight.clamp_(-1.0, 1.0)
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
    return InSitu(
        parts.optimizer, parts.model, parts.generator, margin_schedule=parts.margin_schedule, decay=parts.decay
    )


def _monitoring(options: NoOptions, states: int) -> Monitoring:
    return Monitoring(reads_per_step=1.0)


IN_SITU = RULES.register(
    "in-situ",
    Rule(
        name="in-situ",
        label="in-situ",
        on_devices=True,
        learner=_learner,
        programs_while_training=True,
        decays=True,
        histograms=("after the initial programming", "after training"),
        monitoring=_monitoring,
        colours="cool",
    ),
)
