"""Latent weights of few bits: every update is rounded at random to the grid of the stored numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.precision.uniform import largest_level

TINY = 1e-5
"""Part of a step by which a number may miss its grid point and still count as on it."""


class LatentGrid:
    """The grid of latent weights of b bits, −1 to 1 in steps of 1/(2^(b−1) − 1), and the rounding to it.

    An update is rounded up or down with the probabilities that keep its mean (S. Gupta et al., *Deep learning with
    limited numerical precision*, ICML 2015). Updates much smaller than a step thus change a few latent weights by a
    whole step; the others need not be written.

    Args:
        layers: Layers whose latent weights are stored so; their :class:`.LowPrecision` counts the updates.
        bits: Number of bits.
        generator: Random stream of the rounding.
    """

    def __init__(self, layers: Sequence[SynapseLayer], bits: int, generator: torch.Generator) -> None:
        self.layers, self.bits, self.generator = list(layers), bits, generator
        self.steps = largest_level(bits)
        self._before: list[Tensor] = []

    @torch.no_grad()
    def round(self) -> None:
        """Round all latent weights to the nearest point of the grid."""
        for layer in self.layers:
            layer.latent_weight.clamp_(-1.0, 1.0).mul_(self.steps).round_().div_(self.steps)

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Round the latent weights after every step of an optimiser, before devices are programmed."""
        optimizer.register_step_pre_hook(self._keep)
        optimizer.register_step_post_hook(self._round_update)

    @torch.no_grad()
    def _keep(self, *_: Any) -> None:
        if not self._before:
            self._before = [torch.empty_like(layer.latent_weight) for layer in self.layers]
        for layer, before in zip(self.layers, self._before, strict=True):
            before.copy_(layer.latent_weight)

    @torch.no_grad()
    def _round_update(self, *_: Any) -> None:
        for layer, before in zip(self.layers, self._before, strict=True):
            latent = layer.latent_weight
            luck = torch.rand(latent.shape, dtype=latent.dtype, device=latent.device, generator=self.generator)
            # A number on the grid stays, although neither it nor the sum is exact in floating point.
            luck.mul_(1 - 2 * TINY).add_(TINY)
            latent.clamp_(-1.0, 1.0).mul_(self.steps).add_(luck).floor_().div_(self.steps)
            low = layer.low_precision
            if low is not None:
                low.updates[0] += (latent != before).sum()
                low.updates[1] += float(latent.numel())
