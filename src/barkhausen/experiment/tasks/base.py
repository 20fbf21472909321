"""What a network is trained for, and how it is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.data import Dataset
from barkhausen.experiment.optimisation.settings import LossRecipe
from barkhausen.experiment.score import ACCURACY, Score


class Task(ABC):
    """A data set on the torch device of the network, and what is asked of the network.

    Args:
        dataset: Standardised data set.
        where: Torch device.
    """

    inputs: Float[Tensor, "sample feature"]
    """What the network learns from."""
    labels: Int[Tensor, " sample"] | Float[Tensor, "sample number"]

    def __init__(self, dataset: Dataset, where: torch.device) -> None:
        self.dataset = dataset
        self.inputs, self.labels = dataset.train_inputs.to(where), dataset.train_labels.to(where)
        self.test_inputs, self.test_labels = dataset.test_inputs.to(where), dataset.test_labels.to(where)

    def learn_with(self, settings: LossRecipe) -> None:
        """Take the settings of the loss.

        Raises:
            InputError: The task has no use for them.
        """
        if settings != LossRecipe():
            raise InputError(f"loss: the loss of {self.dataset.task} has no settings")

    @abstractmethod
    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """The quantity to minimise, a mean over the batch."""

    @abstractmethod
    def correct(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """Number of correct samples of a training batch; None where one batch does not decide it."""

    @property
    def score(self) -> Score:
        """The number by which networks are judged, an accuracy unless a task says otherwise."""
        return ACCURACY

    def held_out_score(self, model: nn.Module) -> float:
        """The score on the test set, or on the validation samples where some are set aside."""
        return self.held_out_accuracy(model)

    def train_score(self, model: nn.Module) -> float:
        """The score on training samples."""
        return self.train_accuracy(model)

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Accuracy on the test set or the validation samples, of a task that is judged by it."""
        raise self._no_accuracy()

    def train_accuracy(self, model: nn.Module) -> float:
        """Accuracy on training samples, of a task that is judged by it."""
        raise self._no_accuracy()

    def logits(self, output: Tensor) -> Tensor:
        """Outputs whose softmax is the probability of each class.

        Raises:
            InputError: The task has no classes.
        """
        raise InputError(f"{self.dataset.task} has no classes, whose probabilities uncertainty is measured by")

    def samples_of_loss(self) -> tuple[Tensor, Tensor]:
        """Held-out inputs and labels over which a held-out loss is a mean."""
        return self.test_inputs, self.test_labels

    def _no_accuracy(self) -> Exception:
        """The error of a task that is judged by another score, or that lacks the method."""
        if self.score == ACCURACY:
            return NotImplementedError(f"task '{self.dataset.task}' must have held_out_accuracy and train_accuracy")
        return InputError(
            f"{self.dataset.task} is judged by its {self.score.label} and has no accuracy, which is measured here; the "
            "chips of the training itself are in its summary"
        )

    def figures(self, model: nn.Module) -> dict[str, float]:
        """Further figures of the held-out samples, by name."""
        return {}
