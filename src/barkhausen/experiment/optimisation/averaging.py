"""Averages of a network's parameters over the last part of a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from barkhausen.core.errors import InputError
from barkhausen.experiment.optimisation.settings import AveragingRecipe


class WeightAverage:
    """Running average of all parameters of a network, latent weights included.

    Args:
        model: Network in training.
        settings: The table ``[averaging]``.
        steps: Number of steps of the whole training.
    """

    def __init__(self, model: nn.Module, settings: AveragingRecipe, steps: int) -> None:
        self.model, self.settings = model, settings
        self.first = round(settings.start * steps)
        self.contributions = 0
        self.values = [parameter.detach().clone() for parameter in self._parameters]

    @property
    def _parameters(self) -> list[Tensor]:
        # Looked up anew: a learning rule may give a layer another tensor for its latent weights.
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Take the parameters in, where it is their turn.

        Args:
            step: Number of steps made.
        """
        if step <= self.first or (step - self.first) % self.settings.every:
            return
        self.contributions += 1
        decay = self.settings.decay
        share = 1 / self.contributions if decay is None or self.contributions == 1 else 1 - decay
        for value, parameter in zip(self.values, self._parameters, strict=True):
            value.lerp_(parameter.detach(), share)

    @torch.no_grad()
    def put_in(self) -> None:
        """Replace the parameters of the network by their averages, if there is any."""
        if self.contributions:
            for value, parameter in zip(self.values, self._parameters, strict=True):
                parameter.copy_(value)

    def measure_statistics(self, batches: Iterable[Tensor]) -> None:
        """Measure the running statistics of normalisations anew, on batches of training samples."""
        update_bn(batches, self.model)

    def state_dict(self) -> dict[str, Any]:
        """Averages and number of contributions."""
        return {"contributions": self.contributions, "values": list(self.values)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave.

        Raises:
            InputError: It is of another network.
        """
        if len(state["values"]) != len(self.values):
            raise InputError("the averages in the checkpoint are of another network")
        self.contributions = int(state["contributions"])
        for mine, saved in zip(self.values, state["values"], strict=True):
            mine.copy_(saved)
