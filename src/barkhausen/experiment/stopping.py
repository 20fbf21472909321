"""Early stopping: the epoch with the least loss on samples set aside is kept, and training ends when none follows."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.experiment.tasks import Task

BATCH = 2000


class EarlyStopping:
    """Watch over the loss on samples set aside.

    The loss of the untrained network is the first to be beaten. A network that is read stochastically gives a loss that
    is itself random; it is drawn once an epoch.

    Args:
        patience: Epochs without a lower loss after which training ends.
        task: Task whose held-out samples are those set aside.
    """

    def __init__(self, patience: int, task: Task) -> None:
        self.patience, self.task = patience, task
        self.loss = math.inf
        """Least loss so far."""
        self.epoch = 0
        """Number of epochs trained when it was reached."""
        self.waited = 0
        """Epochs since."""
        self._model: dict[str, Tensor] = {}

    @property
    def ended(self) -> bool:
        """Whether training ends."""
        return self.waited >= self.patience

    def note(self, model: nn.Module, epoch: int) -> float:
        """Measure the loss of a network after that many epochs, and keep the network if it is the best.

        Returns:
            The loss.
        """
        loss = held_out_loss(self.task, model)
        if loss < self.loss or not self._model:
            self.loss, self.epoch, self.waited = loss, epoch, 0
            self._model = {name: value.detach().clone() for name, value in model.state_dict().items()}
        else:
            self.waited += 1
        return loss

    def restore(self, model: nn.Module) -> None:
        """Give a network the state of its best epoch."""
        model.load_state_dict(self._model)

    def summary(self, samples: int) -> dict[str, Any]:
        """What a summary says of it."""
        return {"best_epoch": self.epoch, "best_loss": self.loss, "waited": self.waited, "samples": samples}

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes."""
        return {"loss": self.loss, "epoch": self.epoch, "waited": self.waited, "model": dict(self._model)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.loss, self.epoch, self.waited = float(state["loss"]), int(state["epoch"]), int(state["waited"])
        self._model = dict(state["model"])


@torch.no_grad()
def held_out_loss(task: Task, model: nn.Module) -> float:
    """Mean loss over the held-out samples, in evaluation mode; infinite where it is not a number."""
    was_training = model.training
    model.eval()
    inputs, labels = task.samples_of_loss()
    total = torch.zeros((), device=inputs.device, dtype=torch.float64)
    for start in range(0, len(inputs), BATCH):
        x, y = inputs[start : start + BATCH], labels[start : start + BATCH]
        total += task.loss(model(x), x, y).double() * len(x)
    model.train(was_training)
    loss = float(total) / len(inputs)
    return loss if math.isfinite(loss) else math.inf
