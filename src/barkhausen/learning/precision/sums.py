"""Gradients of a batch between their sum and the optimiser: read out by converters, and the small ones dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.precision.settings import Precision
from barkhausen.learning.precision.uniform import largest_level
from barkhausen.synapse.crossbar.learning_load import FULL


class GradientSums:
    """What becomes of the gradient of a batch before the optimiser sees it.

    With ``gradient_bits`` the products of errors and inputs are summed on analogue accumulators in a crossbar and
    converted once for each batch: noise is added, and the sums are rounded to the nearest level. The largest sum of a
    layer is the largest level, as if a peak detector had set the range of the converters.

    With ``update_share`` or ``update_threshold`` only the largest gradients of a layer are kept, those of the share or
    of the multiple of its root mean square; the others are dropped, and no residue of them is kept.

    Args:
        layers: Layers whose latent weights are learnt.
        precision: Bits, noise, share and threshold.
        generator: Random stream of the noise.
    """

    def __init__(self, layers: Sequence[SynapseLayer], precision: Precision, generator: torch.Generator) -> None:
        self.layers, self.precision, self.generator = list(layers), precision, generator

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Change the gradients before every step of an optimiser."""
        optimizer.register_step_pre_hook(self._change)

    @torch.no_grad()
    def _change(self, *_: Any) -> None:
        for layer in self.layers:
            gradient = layer.latent_weight.grad
            if gradient is not None:
                self.converted(gradient)
                self.largest(gradient)

    def converted(self, gradient: Tensor) -> None:
        """Round a gradient to the levels of the converters, in place."""
        precision = self.precision
        if precision.gradient_bits >= FULL:
            return
        most = largest_level(precision.gradient_bits)
        step = (gradient.abs().amax() / most).clamp_(min=torch.finfo(gradient.dtype).tiny)
        gradient.div_(step)
        if precision.gradient_noise:
            noise = torch.empty_like(gradient).normal_(generator=self.generator)
            gradient.add_(noise, alpha=most * precision.gradient_noise)
        gradient.round_().clamp_(-most, most).mul_(step)

    def largest(self, gradient: Tensor) -> None:
        """Set all but the largest gradients to zero, in place."""
        precision, size = self.precision, gradient.abs()
        if precision.update_threshold:
            gradient.masked_fill_(size < precision.update_threshold * gradient.square().mean().sqrt(), 0.0)
        if precision.update_share < 1:
            kept = max(round(precision.update_share * gradient.numel()), 1)
            least = size.flatten().kthvalue(gradient.numel() - kept + 1).values
            gradient.masked_fill_(size < least, 0.0)
