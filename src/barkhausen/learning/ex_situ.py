"""Ex-situ learning: train a precursor on the device model, then program chips that were never seen.

An in-situ network adapts to the frozen errors of its own devices, and its levels mean little to another chip.
The precursor must not: the weight of every synapse is drawn afresh at every step from the distribution of
*written* weights (fresh device, write-verify with the same margin), so that what it learns holds for any chip.
"""

from __future__ import annotations

import torch
from torch import nn

from barkhausen.device import CharacterisedDevice
from barkhausen.learning.learner import Learner
from barkhausen.synapse import WrittenWeights


class Precursor(Learner):
    """Training of the precursor around any torch optimiser; used like the optimiser itself.

    After each step: the memory is clipped to [−1, 1], and every weight is redrawn for the state nearest to its
    memory. Nothing is counted: this happens in software, on no device.

    Args:
        optimizer: any torch optimiser over the model's parameters.
        model: a module with domain-wall layers anywhere inside.
        device: statistics of the devices that the chips will be made of.
        margin, max_attempts: of the write-verify that will program the chips.
        generator: of the redrawn weights.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        device: CharacterisedDevice,
        *,
        margin: float,
        max_attempts: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(optimizer, model, generator)
        self.written = WrittenWeights(device, margin=margin, max_attempts=max_attempts, generator=generator)
        self.update_devices()
        for layer in self.layers:
            layer.synapses.counters.reset()

    @torch.no_grad()
    def update_devices(self) -> None:
        """Draw the weight of every synapse for the state nearest to its memory."""
        for layer in self.layers:
            state = layer.quantiser.state(layer.memory.clamp_(-1.0, 1.0))
            layer.synapses.weight.copy_(self.written.draw(state, self.generator))
            layer.synapses.state.copy_(state)
