"""Layers whose weights are domain-wall devices."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice
from barkhausen.learning.quantiser import Quantiser
from barkhausen.learning.straight_through import device_linear
from barkhausen.synapse import Phase, SynapseArray


class DomainWallLinear(nn.Module):
    """A linear layer that computes with device weights and learns in a digital memory.

    The parameter ``memory`` [out, in], in [−1, 1], is the high-precision memory a; ``synapses.weight``
    [out, in] is the analogue device weight w. The layer computes ``scale · (x wᵀ) + bias`` and hands the
    gradient with respect to w to the memory (straight-through). At construction the memory is uniform on
    [−spread, spread] and every device is programmed to the state nearest to its memory: these are the initial
    programming events.

    Args:
        inputs, outputs: size of the layer.
        device: statistics of the synapses.
        margin: tolerance margin in weight units.
        max_attempts: of write-verify at each programming event.
        bias: add a digital bias (not needed before a normalisation).
        scale: fixed factor between device weights and network weights; 1.5 / sqrt(inputs) by default, which
            gives uniform memory on [−0.5, 0.5] with five states about the variance of He's initialisation.
        spread: of the initial memory.
        generator: draws memory, devices and programming noise.
    """

    memory: nn.Parameter

    def __init__(
        self,
        inputs: int,
        outputs: int,
        device: CharacterisedDevice,
        *,
        margin: float,
        max_attempts: int = 1,
        bias: bool = True,
        scale: float | None = None,
        spread: float = 0.5,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.scale = 1.5 / math.sqrt(inputs) if scale is None else scale
        self.synapses = SynapseArray(
            (outputs, inputs), device, margin=margin, max_attempts=max_attempts, generator=generator
        )
        self.quantiser = Quantiser(self.synapses.levels)
        uniform = torch.rand((outputs, inputs), generator=generator, device=self.synapses.weight.device)
        self.memory = nn.Parameter(uniform.mul_(2 * spread).sub_(spread))
        self.bias = nn.Parameter(torch.zeros(outputs, device=uniform.device)) if bias else None
        self.program_all(generator, phase=Phase.INITIAL)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Compute with what the devices hold."""
        out = device_linear(x, self.memory, self.synapses.weight, self.scale)
        return out if self.bias is None else out + self.bias

    @torch.no_grad()
    def program_all(self, generator: torch.Generator | None, *, phase: Phase) -> None:
        """Program every device to the state nearest to its memory."""
        self.synapses.program(self.quantiser.state(self.memory), generator=generator, phase=phase)

    def extra_repr(self) -> str:
        """Size, states and margin, as ``print(model)`` shows them."""
        outputs, inputs = self.memory.shape
        array = self.synapses
        return f"{inputs}, {outputs}, states={array.states}, margin={array.margin:g}, scale={self.scale:.4g}"


def domain_wall_layers(model: nn.Module) -> Iterator[tuple[str, DomainWallLinear]]:
    """Name and layer of every domain-wall layer in a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, DomainWallLinear):
            yield name, module
