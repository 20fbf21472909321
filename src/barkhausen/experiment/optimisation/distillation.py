"""Distillation: a network learns the outputs of a trained one beside the labels."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor


def distillation_loss(
    output: Float[Tensor, "sample classes"], wanted: Float[Tensor, "sample classes"], temperature: float
) -> Tensor:
    """Kullback-Leibler divergence of a network's probabilities from those of its teacher, at a temperature.

    T² KL(softmax(teacher/T) ‖ softmax(output/T)), a mean over samples. The factor T² keeps the size of the gradient
    (G. Hinton, O. Vinyals, J. Dean, arXiv:1503.02531).

    Args:
        output: Outputs of the network before softmax.
        wanted: Those of the teacher.
        temperature: Temperature T.
    """
    theirs, mine = (F.log_softmax(each / temperature, dim=1) for each in (wanted, output))
    return temperature**2 * F.kl_div(mine, theirs, reduction="batchmean", log_target=True)
