"""What a network is trained for, and how it is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.data import Dataset


class Task(ABC):
    """A data set on the torch device of the network, and what is asked of the network.

    Args:
        dataset: Standardised data set.
        where: Torch device.
    """

    inputs: Float[Tensor, "sample feature"]
    """What the network learns from."""
    labels: Int[Tensor, " sample"]

    def __init__(self, dataset: Dataset, where: torch.device) -> None:
        self.dataset = dataset
        self.inputs, self.labels = dataset.train_inputs.to(where), dataset.train_labels.to(where)
        self.test_inputs, self.test_labels = dataset.test_inputs.to(where), dataset.test_labels.to(where)

    @abstractmethod
    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """The quantity to minimise, a mean over the batch."""

    @abstractmethod
    def correct(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """Number of correct samples of a training batch; None where one batch does not decide it."""

    @abstractmethod
    def held_out_accuracy(self, model: nn.Module) -> float:
        """Accuracy on the test set, or on the validation samples where some are set aside."""

    @abstractmethod
    def train_accuracy(self, model: nn.Module) -> float:
        """Accuracy on training samples."""

    def figures(self, model: nn.Module) -> dict[str, float]:
        """Further figures of the held-out samples, by name."""
        return {}
