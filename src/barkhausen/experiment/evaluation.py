"""What a network does, and what its devices hold."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.learning import synapse_layers

BINS = 120


@torch.no_grad()
def accuracy(
    model: nn.Module,
    inputs: Float[Tensor, "sample feature"],
    labels: Int[Tensor, " sample"],
    batch: int = 2000,
) -> float:
    """Fraction of samples classified correctly, in evaluation mode (the model's mode is restored)."""
    was_training = model.training
    model.eval()
    correct = torch.zeros((), dtype=torch.int64, device=labels.device)
    for start in range(0, len(inputs), batch):
        guess = model(inputs[start : start + batch]).argmax(dim=1)
        correct += (guess == labels[start : start + batch]).sum()
    model.train(was_training)
    return int(correct) / len(inputs)


@torch.no_grad()
def weight_histogram(model: nn.Module) -> Int[Tensor, "state bin"]:
    """Number of synaptic weights in each bin, by the state that the device was programmed to, all layers together.

    The 120 bins share out the range of weights that the track allows (``CharacterisedDevice.weight_range``).
    """
    total: Tensor | None = None
    for _, layer in synapse_layers(model):
        array = layer.synapses
        low, high = array.kind.weight_range
        place = ((array.weight - low) * (BINS / (high - low))).long().clamp_(0, BINS - 1)
        flat = (array.state.long() * BINS + place).view(-1)
        counts = torch.bincount(flat, minlength=array.states * BINS).view(array.states, BINS)
        total = counts if total is None else total + counts
    if total is None:
        raise ValueError("the model has no synapse layer")
    return total
