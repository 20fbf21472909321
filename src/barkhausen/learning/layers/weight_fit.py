"""From the weights of a float layer to the latent weight of its devices."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice
from barkhausen.learning.layers.quantiser import Quantiser

Start = Literal["weights", "fresh"]

CANDIDATES = 64
"""Scales tried, evenly spaced up to the largest weight."""

SAMPLE = 1 << 16
"""Weights looked at; of larger layers every n-th."""


def start_of(
    weight: Float[Tensor, "outputs inputs *kernel"], device: CharacterisedDevice, start: Start, name: str
) -> tuple[Float[Tensor, "outputs inputs *kernel"] | None, float | None]:
    """Latent weight and scale that a layer of devices starts with; None where its own defaults are to be used.

    Args:
        weight: of the float layer.
        device: whose levels the weights are to be written in.
        start: ``"fresh"``, or ``"weights"`` to take them over.
        name: of the layer, for errors.

    Raises:
        InputError: a weight is not a number.
    """
    if start == "fresh":
        return None, None
    if not bool(torch.isfinite(weight).all()):
        raise InputError(f"{name or 'the model'}: holds weights that are not finite")
    scale = fitted_scale(weight, device)
    if scale == 0.0:
        return torch.zeros_like(weight), None
    return (weight / scale).clamp(-1.0, 1.0), scale


def fitted_scale(weight: Float[Tensor, "outputs inputs *kernel"], device: CharacterisedDevice) -> float:
    """The scale s with the least squared error of s · level(weight/s) against the weights; 0 if all are zero.

    The best of 64 evenly spaced candidates up to the largest weight. Beyond the outermost level a weight is clipped,
    so that few large weights do not coarsen the steps of all the others.
    """
    values = weight.flatten().double()
    values = values[:: max(1, len(values) // SAMPLE)]
    largest = float(values.abs().max())
    if largest == 0.0:
        return 0.0
    levels = device.distribution().levels.double().to(values.device)
    quantiser = Quantiser(levels)
    candidates = torch.arange(1, CANDIDATES + 1, dtype=torch.float64) * (largest / CANDIDATES)
    errors = [
        float((levels[quantiser.state((values / s).clamp(-1.0, 1.0))] * s - values).square().mean())
        for s in candidates.tolist()
    ]
    return float(candidates[min(range(CANDIDATES), key=errors.__getitem__)])
