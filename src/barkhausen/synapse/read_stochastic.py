"""Devices that are written and read anew at every use: their columns deliver sums of random outcomes.

With N reads of each device, column j delivers Y_j = Σ_i J_ij, where J_ij is Binomial(N, p_ij)/N and p_ij = x_i f_ij the
probability that the device passes at the input x_i in [0, 1] (Ellis et al., arXiv:2303.01886).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.synapse.compiled import reads as compiled

DRAWS_AT_A_TIME = 1 << 21
"""Devices × rows drawn at once by torch."""

MOST_READS = 1 << 20


def read_columns(
    inputs: Float[Tensor, "row input"],
    probability: Float[Tensor, "output input"],
    reads: int,
    generator: torch.Generator | None = None,
    *,
    use_compiled: bool = True,
) -> Float[Tensor, "row output"]:
    """Draw the sum of every column for every row of inputs.

    The result depends on the state of the generator alone, not on the number of threads.

    Args:
        inputs: Inputs from 0 to 1.
        probability: Probability of each device to pass at an input of 1.
        reads: Number of reads of each device.
        generator: Random stream, on the torch device of the inputs. Default: torch's own.
        use_compiled: Whether compiled code may draw, where it was built and supports the tensors.

    Raises:
        InputError: The number of reads is impossible.
    """
    check_reads(reads)
    if use_compiled and compiled.serves(inputs, probability):
        seed = int(torch.randint(0, 2**62, (), generator=generator))
        return compiled.read_sums(inputs, probability, reads, seed)
    rows = max(1, DRAWS_AT_A_TIME // max(1, probability.numel()))
    return torch.cat([_by_torch(part, probability, reads, generator) for part in inputs.split(rows)])


def check_reads(reads: int) -> None:
    """Refuse an impossible number of reads."""
    if not 1 <= reads <= MOST_READS:
        raise InputError(f"reads = {reads}: must be from 1 to {MOST_READS}")


def _by_torch(
    inputs: Tensor, probability: Tensor, reads: int, generator: torch.Generator | None
) -> Float[Tensor, "row output"]:
    p = (inputs[:, None, :] * probability[None]).clamp_(0.0, 1.0)
    drawn = torch.binomial(torch.full_like(p, float(reads)), p, generator=generator)
    return drawn.sum(dim=2).div_(reads)
