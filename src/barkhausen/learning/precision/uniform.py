"""Uniform quantisers with an odd number of levels, for the operands of weight gradients.

A quantiser of b bits has the levels −M·s … M·s with M = 2^(b−1) − 1: three levels for 2 bits, 255 for 8. Where numbers
are rounded to the nearest level, the step s is proportional to the root mean square of the tensor, by the factor that
gives normally distributed numbers the smallest mean squared error (J. Max, *Quantizing for minimum distortion*, IRE
Trans. Inf. Theory 6, 7 (1960), here for odd numbers of levels and computed by :func:`best_step`). Where they are
rounded at random, the largest number is the largest level: errors have long tails (the few samples that a network gets
wrong), and clipping them would bias the gradient.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from torch import Tensor

from barkhausen.synapse.crossbar.learning_load import FULL

LEAST = 2
"""Smallest number of bits: −1, 0 and 1."""


def largest_level(bits: int) -> int:
    """Largest level in units of the step, M = 2^(b−1) − 1."""
    return (1 << (bits - 1)) - 1


@cache
def best_step(bits: int) -> float:
    """Step, in units of the standard deviation, with the smallest mean squared error for normal numbers."""
    most = largest_level(bits)

    def error(step: float) -> float:
        edges = np.append((np.arange(most) + 0.5) * step, np.inf)
        first = quad(lambda x: x * x * norm.pdf(x), 0.0, edges[0])[0]
        # The integral of (x − L)² pdf(x) between two edges in closed form.
        density, share = norm.pdf(edges), norm.cdf(edges)
        moment = np.append(edges[:-1] * density[:-1], 0.0)
        mass, ends, tail = np.diff(share), -np.diff(density), -np.diff(moment)
        middle = np.arange(1, most + 1) * step
        # Added up one after another, smallest edge first.
        total = sum((mass + tail - 2 * middle * ends + middle * middle * mass).tolist(), first)
        return float(total)

    return float(minimize_scalar(error, bounds=(0.5 / most, 4.0 / most), method="bounded").x)


def quantised(
    x: Float[Tensor, "*any"], bits: int, *, stochastic: bool = False, generator: torch.Generator | None = None
) -> Float[Tensor, "*any"]:
    """A tensor rounded to the levels of a quantiser that fits it.

    Args:
        x: Tensor of any shape.
        bits: Number of bits, 2 to 16; 32 leaves the tensor as it is.
        stochastic: Whether numbers are rounded up or down at random, with the probabilities that keep their mean.
            Otherwise they are rounded to the nearest level.
        generator: Random stream of the rounding.
    """
    if bits >= FULL:
        return x
    most = largest_level(bits)
    size = x.abs().amax().div_(most) if stochastic else x.square().mean().sqrt_().mul_(best_step(bits))
    # A tensor of zeros stays one.
    step = size.clamp_(min=torch.finfo(x.dtype).tiny)
    level = x / step
    if stochastic:
        level = level.add_(torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=generator)).floor_()
    else:
        level = level.round_()
    return level.clamp_(-most, most).mul_(step)
