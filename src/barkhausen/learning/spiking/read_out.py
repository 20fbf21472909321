"""Read-outs: from the currents or spikes of the last layer to one number for each class."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError

Decoding = Literal["max", "mean", "last"]


class LeakyReadOut(nn.Module):
    """Neurons that integrate and never fire: j = i + input, v ← v + g (j − v), i ← decay · j; their potentials [time,
    sample, class].

    The potential is linear in the inputs, so all steps are one product with a triangular matrix.

    Args:
        gain: g.
        decay: Factor of the synaptic current for one step.
    """

    def __init__(self, gain: float = 0.1, decay: float = 0.8) -> None:
        super().__init__()
        if not (0 < gain <= 1 and 0 <= decay < 1):
            raise InputError(f"gain must be in (0, 1] and decay in [0, 1), got {gain:g} and {decay:g}")
        self.gain, self.decay = gain, decay

    def forward(self, inputs: Float[Tensor, "time sample number"]) -> Float[Tensor, "time sample number"]:
        """Potentials of all steps."""
        response = self.response(len(inputs)).to(inputs)
        age = torch.arange(len(inputs), device=inputs.device)
        age = age.view(-1, 1) - age
        matrix = torch.where(age >= 0, response[age.clamp(min=0)], response.new_zeros(()))
        return (matrix @ inputs.flatten(1)).view(inputs.shape)

    def response(self, steps: int) -> Float[Tensor, " time"]:
        """Potential after a single input of 1, in double precision."""
        values, potential, current = [], 0.0, 1.0
        for _ in range(steps):
            potential += self.gain * (current - potential)
            current *= self.decay
            values.append(potential)
        return torch.tensor(values, dtype=torch.float64)

    def extra_repr(self) -> str:
        """Numbers, as ``print(model)`` shows them."""
        return f"gain={self.gain:g}, decay={self.decay:g}"


def decoded(potentials: Float[Tensor, "time sample number"], how: Decoding = "max") -> Float[Tensor, "sample number"]:
    """The maximum over time, the mean over time or the last value of potentials or spikes."""
    if how == "max":
        return potentials.amax(dim=0)
    if how == "mean":
        return potentials.mean(dim=0)
    if how == "last":
        return potentials[-1]
    raise InputError(f"decoding = {how!r}: must be max, mean or last")
