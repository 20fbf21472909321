"""Classification: the largest output names the class."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from barkhausen.experiment.evaluation import accuracy
from barkhausen.experiment.optimisation.settings import LossRecipe
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.tasks.registry import TASKS, TaskEntry
from barkhausen.learning.networks.registry import CLASSES


class Classification(Task):
    """Classification with cross-entropy or squared error; the largest output names the class."""

    settings = LossRecipe()

    def learn_with(self, settings: LossRecipe) -> None:
        """Take the settings of the loss."""
        self.settings = settings

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy, or half the sum of the squared differences from the targets."""
        smoothing = self.settings.label_smoothing
        if self.settings.kind == "cross-entropy":
            return F.cross_entropy(output, labels, label_smoothing=smoothing)
        classes = output.shape[1]
        targets = F.one_hot(labels, classes).to(output.dtype).mul_(1 - smoothing).add_(smoothing / classes)
        return 0.5 * (output - targets).square().sum(dim=1).mean()

    def correct(self, output: Tensor, labels: Tensor) -> Tensor:
        """Number of correctly classified samples."""
        return (output.argmax(dim=1) == labels).sum()

    def logits(self, output: Tensor) -> Tensor:
        """The outputs themselves, those of a network trained by squared error too."""
        return output

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of held-out samples classified correctly."""
        return accuracy(model, self.test_inputs, self.test_labels)

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of training samples classified correctly."""
        return accuracy(model, self.inputs, self.labels)


TASKS.register("classification", TaskEntry("classification", "classification", CLASSES, Classification))
