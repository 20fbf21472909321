"""What a network is trained for, and how it is judged: classification, or telling anomalies by their reconstruction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.data.base import Dataset
from barkhausen.experiment.evaluation import accuracy
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.tasks.anomaly_scores import anomaly_figures, reconstruction_error, separating_threshold
from barkhausen.learning import outputs_of


class Task(ABC):
    """A data set on the torch device of the network, and what is asked of the network.

    Args:
        dataset: prepared inputs.
        where: torch device.
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
        """What is made small, a mean over the batch."""

    @abstractmethod
    def right(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """How many samples of a training batch are told rightly; None where that cannot be said of one batch."""

    @abstractmethod
    def held_out_accuracy(self, model: nn.Module) -> float:
        """Accuracy on the test set, or on the validation samples where some are set aside."""

    @abstractmethod
    def train_accuracy(self, model: nn.Module) -> float:
        """Accuracy on training samples."""

    def figures(self, model: nn.Module) -> dict[str, float]:
        """More figures of the held-out samples, by name; none for a classification."""
        return {}


class Classification(Task):
    """Cross-entropy; the largest output names the class."""

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy."""
        return F.cross_entropy(output, labels)

    def right(self, output: Tensor, labels: Tensor) -> Tensor:
        """How many samples are classified rightly."""
        return (output.argmax(dim=1) == labels).sum()

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of held-out samples classified rightly."""
        return accuracy(model, self.test_inputs, self.test_labels)

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of training samples classified rightly."""
        return accuracy(model, self.inputs, self.labels)


class AnomalyDetection(Task):
    """An autoencoder learns normal samples; what it reproduces worse than a threshold is an anomaly.

    The threshold is chosen anew for every network, on training rows that it did not learn from
    (:meth:`.Dataset.anomaly_rows`, :func:`.separating_threshold`); the held-out samples have no say.
    """

    def __init__(self, dataset: Dataset, where: torch.device) -> None:
        super().__init__(dataset, where)
        learned, apart = dataset.anomaly_rows()
        self.threshold_inputs, self.threshold_labels = self.inputs[apart], self.labels[apart]
        self.threshold_kinds = dataset.train_kinds.to(where)[apart]
        self.inputs, self.labels = self.inputs[learned], self.labels[learned]

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean squared difference between inputs and their reconstruction."""
        return F.mse_loss(output, inputs)

    def right(self, output: Tensor, labels: Tensor) -> None:
        """Normal samples alone have no accuracy."""
        return

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of held-out samples told rightly."""
        return self.figures(model)["accuracy"]

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of the rows that the threshold is chosen on told rightly."""
        errors = self._errors(model, self.threshold_inputs)
        threshold = separating_threshold(errors, self.threshold_kinds)
        return anomaly_figures(errors, self.threshold_labels, threshold).accuracy

    def figures(self, model: nn.Module) -> dict[str, float]:
        """Threshold, accuracy, precision, recall, F1, false alarms and AUC."""
        threshold = separating_threshold(self._errors(model, self.threshold_inputs), self.threshold_kinds)
        found = anomaly_figures(self._errors(model, self.test_inputs), self.test_labels, threshold)
        return {"threshold": threshold, **asdict(found)}

    @staticmethod
    def _errors(model: nn.Module, inputs: Tensor) -> Float[Tensor, " sample"]:
        return reconstruction_error(inputs, outputs_of(model, inputs)).cpu()


def task_of(recipe: Recipe, dataset: Dataset, where: torch.device) -> Task:
    """The task of a data set.

    Raises:
        InputError: the recipe's network cannot do it.
    """
    able = recipe.network.kind == "autoencoder"
    if able and dataset.task != "anomaly":
        raise InputError(f"network.kind = 'autoencoder': is for telling anomalies; {dataset.name} is a classification")
    if not able and dataset.task == "anomaly":
        raise InputError(
            f"network.kind = {recipe.network.kind!r}: telling the anomalies of {dataset.name} needs an 'autoencoder'"
        )
    return AnomalyDetection(dataset, where) if able else Classification(dataset, where)
