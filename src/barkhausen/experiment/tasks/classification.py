"""Classification: the largest output names the class."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from barkhausen.experiment.evaluation import accuracy
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.tasks.registry import TASKS, TaskEntry
from barkhausen.learning.networks.registry import CLASSES


class Classification(Task):
    """Classification with cross-entropy; the largest output names the class."""

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy."""
        return F.cross_entropy(output, labels)

    def correct(self, output: Tensor, labels: Tensor) -> Tensor:
        """Number of correctly classified samples."""
        return (output.argmax(dim=1) == labels).sum()

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of held-out samples classified correctly."""
        return accuracy(model, self.test_inputs, self.test_labels)

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of training samples classified correctly."""
        return accuracy(model, self.inputs, self.labels)


TASKS.register("classification", TaskEntry("classification", "classification", CLASSES, Classification))
