"""Batch normalisation at every time step."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.learning.spiking import kernel


class StepNorm(nn.BatchNorm1d):
    """Batch normalisation of [time, sample, feature], with the mean and variance of each time step in training.

    The same as calling ``torch.nn.BatchNorm1d`` step after step: running statistics are updated at every step, so with
    the usual momentum of 0.1 they are those of the last steps of the last batches.
    """

    def forward(self, x: Float[Tensor, "time sample feature"]) -> Float[Tensor, "time sample feature"]:
        """Normalise."""
        if x.dim() != 3:
            return super().forward(x)
        if not self.training:
            assert self.running_mean is not None and self.running_var is not None
            scale = self.weight / torch.sqrt(self.running_var + self.eps)
            return x * scale + (self.bias - self.running_mean * scale)
        if kernel.serves(x, self.weight, self.bias):
            out, mean, variance = kernel.step_norm(x, self.weight, self.bias, self.eps)
        else:
            variance, mean = torch.var_mean(x, dim=1, correction=0)
            out = (x - mean[:, None]) / torch.sqrt(variance[:, None] + self.eps) * self.weight + self.bias
        self._follow(mean.detach(), variance.detach() * (x.shape[1] / max(x.shape[1] - 1, 1)))
        return out

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics by those of all steps in turn."""
        steps = len(mean)
        momentum = 0.1 if self.momentum is None else self.momentum
        ages = torch.arange(steps - 1, -1, -1, device=mean.device)
        weights = momentum * (1.0 - momentum) ** ages.to(mean.dtype)
        for running, values in ((self.running_mean, mean), (self.running_var, variance)):
            assert running is not None
            running.mul_((1.0 - momentum) ** steps).add_(weights @ values)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += steps
