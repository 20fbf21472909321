"""Product with devices that are read stochastically, and its two-moment gradient.

The sum of a column is taken to be mean plus deviation, Y = μ + ε σ with

    μ_j = Σ_i p_ij,   σ_j² = Σ_i p_ij (1 − p_ij)/N + 1e-4,   p_ij = x_i f_ij,

and ε is held constant in the backward pass (Ellis et al., arXiv:2303.01886), which gives

    dY_j/dp_ij = 1 + (Y_j − μ_j)(1 − 2 p_ij)/(2 N σ_j²).

Averaged over reads, the second term vanishes, and the gradient is that of the mean. With a loss that is not linear in Y
it carries, to second order, the effect of the spread on the mean of the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from barkhausen.synapse.read_stochastic import read_columns

FLOOR = 1e-4
"""Variance added to that of a column, which may have none."""


class TwoMoment(torch.autograd.Function):
    """Sums of columns that are drawn, with the gradients of input and probability."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, probability: Tensor, reads: int, generator: torch.Generator | None
    ) -> Float[Tensor, "row output"]:
        """Draw the sums."""
        sums = read_columns(x, probability, reads, generator)
        ctx.save_for_backward(x, probability, sums)
        ctx.reads = reads
        return sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Gradients of the input and of the probability."""
        x, f, sums = ctx.saved_tensors
        mean = torch.mm(x, f.t())
        variance = (mean - torch.mm(x.square(), f.square().t())).div_(ctx.reads).add_(FLOOR)
        # dY/dp = 1 + e (1 − 2 p), p = x f.
        e = (sums - mean).div_(variance.mul_(2 * ctx.reads))
        of_spread = gradients[0] * e
        of_both = gradients[0] + of_spread
        to_input = to_probability = None
        if ctx.needs_input_grad[0]:
            to_input = torch.mm(of_both, f) - 2 * x * torch.mm(of_spread, f.square())
        if ctx.needs_input_grad[1]:
            to_probability = torch.mm(of_both.t(), x) - 2 * f * torch.mm(of_spread.t(), x.square())
        return to_input, to_probability, None, None


def read_product(
    x: Float[Tensor, "*batch input"],
    probability: Float[Tensor, "output input"],
    reads: int,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*batch output"]:
    """Sums of columns for every row of inputs, drawn; the gradient is the two-moment one.

    Args:
        x: Inputs. They are clipped to [0, 1]; no gradient passes where they are.
        probability: Probability of each device to pass at an input of 1, in [0, 1].
        reads: Number N of reads of each device.
        generator: Random stream of the reads. Default: torch's own.
    """
    rows = x.reshape(-1, x.shape[-1]).clamp(0.0, 1.0).to(probability.dtype)
    out: Tensor = TwoMoment.apply(rows, probability, reads, generator)
    return out.view(*x.shape[:-1], probability.shape[0])


def mean_product(
    x: Float[Tensor, "*batch input"], probability: Float[Tensor, "output input"]
) -> Float[Tensor, "*batch output"]:
    """Expectation of :func:`read_product`."""
    return torch.matmul(x.clamp(0.0, 1.0), probability.t())
