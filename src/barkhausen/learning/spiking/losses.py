"""Losses of potentials and spike trains over time."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.learning.spiking.read_out import decoded


def max_over_time_loss(
    potentials: Float[Tensor, "time sample class"], labels: Int[Tensor, " sample"]
) -> Float[Tensor, ""]:
    """Cross entropy of the greatest potential of each class."""
    return F.cross_entropy(decoded(potentials, "max"), labels)


def rate_loss(spikes: Float[Tensor, "time sample class"], labels: Int[Tensor, " sample"]) -> Float[Tensor, ""]:
    """Cross entropy of the numbers of spikes."""
    return F.cross_entropy(spikes.sum(dim=0), labels)


def count_loss(
    spikes: Float[Tensor, "time sample class"],
    labels: Int[Tensor, " sample"],
    correct: float = 0.8,
    incorrect: float = 0.2,
) -> Float[Tensor, ""]:
    """Mean squared difference of the rates of the classes from those wanted.

    Args:
        spikes: Spike trains.
        labels: Classes.
        correct, incorrect: Part of the steps at which the neuron of the class, and any other, is to fire.
    """
    wanted = spikes.new_full(spikes.shape[1:], incorrect).scatter(1, labels[:, None], correct)
    return F.mse_loss(spikes.mean(dim=0), wanted)
