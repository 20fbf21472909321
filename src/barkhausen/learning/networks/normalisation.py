"""Normalisation with shifts instead of multiplications (Hubara et al., JMLR 18, 2018, section 3.3).

The digital periphery of a crossbar then needs adders and shifters only. AP2(x) = sign(x) · 2^round(log2 |x|) is the
nearest power of two, and with the batch mean μ

    c = x − μ,   s² = mean(c · AP2(c)),   y = AP2(gamma) · c · AP2(1/sqrt(s² + eps)) + beta.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


def nearest_power_of_two(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """AP2(x) = sign(x) · 2^round(log2 |x|), and zero for zero; its gradient is taken to be that of x."""
    # In half precision a logarithm could not distinguish neighbouring powers.
    size = x.detach().abs().to(torch.promote_types(x.dtype, torch.float32))
    power = torch.where(size > 0, torch.exp2(torch.round(torch.log2(size.clamp_min(1e-38)))), 0.0).to(x.dtype)
    return x + (torch.sign(x.detach()) * power - x.detach())


class ShiftBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation in which every product is a shift, for inputs [sample, feature, *place].

    Parameters, running statistics and their names are those of :class:`torch.nn.BatchNorm1d`; ``running_var`` holds
    the mean of c · AP2(c). Gradients pass through AP2 as if it were the identity.

    Args:
        num_features: Number of features (channels).
        eps, momentum: As in :class:`torch.nn.BatchNorm1d`.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  # torch's own name
        if input.dim() < 2:
            raise ValueError(f"expected [sample, feature, ...], got {input.dim()} dimensions")

    def forward(self, input: Float[Tensor, "sample feature *place"]) -> Float[Tensor, "sample feature *place"]:  # noqa: A002
        """Normalise with the statistics of the batch, or with the running ones in evaluation mode."""
        self._check_input_dim(input)
        over = [0, *range(2, input.dim())]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        if self.training or self.running_mean is None:
            mean = input.mean(over)
            centred = input - mean.view(shape)
            power = (centred * nearest_power_of_two(centred)).mean(over)
            self._track(mean, power)
        else:
            assert self.running_var is not None
            mean, power = self.running_mean, self.running_var
            centred = input - mean.view(shape)
        out = centred * nearest_power_of_two(torch.rsqrt(power + self.eps)).view(shape)
        if self.weight is not None:
            out = out * nearest_power_of_two(self.weight).view(shape) + self.bias.view(shape)
        return out

    @torch.no_grad()
    def _track(self, mean: Tensor, power: Tensor) -> None:
        if not self.training or self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        rate = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), rate)
        self.running_var.lerp_(power.to(self.running_var.dtype), rate)
