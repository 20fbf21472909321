"""Conversion of the weights of a float layer to latent weights and a scale."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.learning.layers.quantiser import Quantiser
from barkhausen.synapse.pulsed.kind import LEVELS

Start = Literal["weights", "fresh"]

CANDIDATES = 64
"""Number of candidate scales, evenly spaced up to the largest weight."""

SAMPLE = 1 << 16
"""Number of weights used; of larger layers every n-th."""


def start_of(
    weight: Float[Tensor, "outputs inputs *kernel"], device: CharacterisedDevice | PulsedDevice, start: Start, name: str
) -> tuple[Float[Tensor, "outputs inputs *kernel"] | None, float | None]:
    """Initial latent weights and scale of a synapse layer. None where its own defaults are to be used.

    Args:
        weight: Weights of the float layer.
        device: Device whose levels represent the weights.
        start: ``"weights"`` to take over the weights, or ``"fresh"``.
        name: Name of the layer in messages.

    Raises:
        InputError: A weight is not finite.
    """
    if start == "fresh":
        return None, None
    if not bool(torch.isfinite(weight).all()):
        raise InputError(f"{name or 'the model'}: holds weights that are not finite")
    scale = fitted_scale(weight, device)
    if scale == 0.0:
        return torch.zeros_like(weight), None
    return (weight / scale).clamp(-1.0, 1.0), scale


def fitted_scale(weight: Float[Tensor, "outputs inputs *kernel"], device: CharacterisedDevice | PulsedDevice) -> float:
    """The scale s with the smallest squared error of s · level(weight/s) against the weights; 0 if all weights are
    zero.

    It is the best of 64 evenly spaced candidates up to the largest weight. Weights beyond the outermost level are
    clipped, so that a few large weights do not make the steps coarse for all others.
    """
    values = weight.flatten().double()
    values = values[:: max(1, len(values) // SAMPLE)]
    largest = float(values.abs().max())
    if largest == 0.0:
        return 0.0
    if isinstance(device, PulsedDevice):
        levels = torch.linspace(-1.0, 1.0, LEVELS, dtype=torch.float64, device=values.device)
    else:
        levels = device.distribution().levels.double().to(values.device)
    quantiser = Quantiser(levels)
    candidates = torch.arange(1, CANDIDATES + 1, dtype=torch.float64) * (largest / CANDIDATES)
    errors = [
        float((levels[quantiser.state((values / s).clamp(-1.0, 1.0))] * s - values).square().mean())
        for s in candidates.tolist()
    ]
    return float(candidates[min(range(CANDIDATES), key=errors.__getitem__)])
