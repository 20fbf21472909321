"""Anomaly detection by the reconstruction error of an autoencoder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.data import Dataset
from barkhausen.experiment.tasks.anomaly_scores import anomaly_figures, reconstruction_error, separating_threshold
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.tasks.registry import TASKS, TaskEntry
from barkhausen.learning import outputs_of
from barkhausen.learning.networks.registry import RECONSTRUCTION

# Parts of the definition of the split: other values are another split.
_THRESHOLD_SEED: Final = 20_241_124
_THRESHOLD_SHARE: Final = 0.2


class AnomalyDetection(Task):
    """Anomaly detection: an autoencoder learns normal samples, and what it reproduces badly is an anomaly.

    The threshold is chosen for every network on training rows that it did not learn from (:func:`anomaly_rows`,
    :func:`.separating_threshold`); the held-out samples play no part in it.
    """

    def __init__(self, dataset: Dataset, where: torch.device) -> None:
        super().__init__(dataset, where)
        learned, apart = anomaly_rows(dataset)
        self.threshold_inputs, self.threshold_labels = self.inputs[apart], self.labels[apart]
        self.threshold_kinds = dataset.train_kinds.to(where)[apart]
        self.inputs, self.labels = self.inputs[learned], self.labels[learned]

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean squared difference between inputs and their reconstruction."""
        return F.mse_loss(output, inputs)

    def correct(self, output: Tensor, labels: Tensor) -> None:
        """Normal samples alone have no accuracy."""
        return

    def samples_of_loss(self) -> tuple[Tensor, Tensor]:
        """Normal samples: the network learns to reproduce them alone."""
        normal = self.test_labels == 0
        return self.test_inputs[normal], self.test_labels[normal]

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of held-out samples detected correctly, normal or anomalous."""
        return self.figures(model)["accuracy"]

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of correctly detected samples among those that the threshold is chosen on."""
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


def anomaly_rows(dataset: Dataset) -> tuple[Int[Tensor, " learned"], Int[Tensor, " held_out"]]:
    """Training rows that an autoencoder learns from, and those that its threshold is chosen on.

    It learns from four fifths of the normal rows. The other fifth, in a choice that is fixed for their number, and all
    anomalies are for the threshold; the network learns from none of them.

    Raises:
        ValueError: The data set has no kinds of samples.
    """
    if not dataset.kinds:
        raise ValueError(f"{dataset.name} has no kinds of samples, and so no anomalies")
    labels = dataset.train_labels.cpu()
    normal, anomalous = (labels == 0).nonzero().squeeze(1), labels.nonzero().squeeze(1)
    generator = np.random.Generator(np.random.PCG64(_THRESHOLD_SEED))
    held_out = torch.zeros(len(normal), dtype=torch.bool)
    chosen = generator.permutation(len(normal))[: round(_THRESHOLD_SHARE * len(normal))]
    held_out[torch.from_numpy(chosen)] = True
    threshold = torch.cat([normal[held_out], anomalous]).sort().values
    return normal[~held_out].to(dataset.train_labels.device), threshold.to(dataset.train_labels.device)


TASKS.register(
    "anomaly-detection", TaskEntry("anomaly-detection", "anomaly detection", RECONSTRUCTION, AnomalyDetection)
)
