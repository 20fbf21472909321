"""In-situ learning: the memory accumulates the gradients, the margin decides when a device is programmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.learning.layers import domain_wall_layers

BLOCK = 64
"""Values looked at together when searching for the few above the margin."""


class InSitu:
    """The in-situ rule around any torch optimiser (arXiv:2111.07284, after Hubara et al., JMLR 18, 2018).

    After each step of the optimiser, for every synapse with memory a and device weight w:

    1. a is clipped to [−1, 1];
    2. the target k* is the state whose level L is nearest to a;
    3. the device is reset and programmed to k* if and only if |w − L_k*| > margin.

    Use it in place of the optimiser::

        learner = InSitu(torch.optim.Adam(model.parameters(), lr=1e-2), model, generator)
        loss.backward()
        learner.step()
        learner.zero_grad()

    Args:
        optimizer: any torch optimiser over the model's parameters.
        model: a module with domain-wall layers anywhere inside.
        generator: of the programming noise.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, model: nn.Module, generator: torch.Generator | None = None
    ) -> None:
        self.optimizer = optimizer
        self.generator = generator
        self.layers = [layer for _, layer in domain_wall_layers(model)]

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step of the optimiser, then the programming events it causes."""
        loss = self.optimizer.step() if closure is None else self.optimizer.step(closure)
        self.program()
        return loss

    @torch.no_grad()
    def program(self) -> None:
        """Program the devices that are outside the margin of their target."""
        for layer in self.layers:
            memory, array = layer.memory.clamp_(-1.0, 1.0), layer.synapses
            error = layer.quantiser.error(memory, array.weight)
            if error.device.type == "cpu":
                index = positions_above(error.view(-1), array.margin)
                if len(index):
                    target = layer.quantiser.state(memory.view(-1).index_select(0, index))
                    array.program_at(index, target, self.generator)
            else:
                array.program(layer.quantiser.state(memory), error > array.margin, self.generator)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        self.optimizer.zero_grad(set_to_none)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The optimiser's own, for learning-rate schedules."""
        return self.optimizer.param_groups

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's state; devices and memories are in the model's, the noise in the generator's."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the optimiser's state."""
        self.optimizer.load_state_dict(state)


def positions_above(values: Float[Tensor, "value"], bound: float) -> Int[Tensor, "found"]:
    """Positions (int64, ascending) of the few values above a bound, on a CPU.

    As ``(values > bound).nonzero()``, but several times faster where few are found: only blocks whose maximum is
    above the bound are searched.
    """
    blocks = len(values) // BLOCK
    if blocks < 2:
        return (values > bound).nonzero().squeeze(1)
    body = values[: blocks * BLOCK].view(blocks, BLOCK)
    hit = (body.amax(dim=1) > bound).nonzero().squeeze(1)
    inside = (body.index_select(0, hit) > bound).nonzero()
    found = hit.index_select(0, inside[:, 0]).mul_(BLOCK).add_(inside[:, 1])
    if blocks * BLOCK == len(values):
        return found
    rest = (values[blocks * BLOCK :] > bound).nonzero().squeeze(1)
    return torch.cat([found, rest.add_(blocks * BLOCK)])
