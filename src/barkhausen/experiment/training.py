"""One network in training: built from a recipe, advanced epoch by epoch, saved and restored whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.seeds import stream
from barkhausen.data import Dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.checkpoint import load_model
from barkhausen.experiment.defaults import latent_rate_of, margin_of
from barkhausen.experiment.evaluation import weight_histogram
from barkhausen.experiment.initial import start_from
from barkhausen.experiment.network import build_network, shapes_of
from barkhausen.experiment.optimizers import OPTIMIZERS
from barkhausen.experiment.recipe import Recipe, with_device_defaults
from barkhausen.experiment.tasks import task_of
from barkhausen.learning import synapse_layers
from barkhausen.learning.precision.lowered import learn_at
from barkhausen.learning.rules import LearnerParts

RATE_AT_THE_END = 1e-3
"""The cosine schedule ends at this fraction of the rate it starts with."""


class Training:
    """A model, its learner and its random streams.

    Args:
        recipe: Everything that decides the training.
        dataset: Standardised data set.
        device: Statistics of the synapses; None for a learning rule without devices.
        model: Trained network to continue with. Default: a fresh one.
        initial: State of the network that a fresh one starts from; see :func:`.start_from`.
        purpose: Prefix of the names of the random streams, so that a second training draws other numbers.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        device: CharacterisedDevice | None,
        *,
        model: nn.Module | None = None,
        initial: Mapping[str, Tensor] | None = None,
        purpose: str = "",
    ) -> None:
        self.recipe = recipe = with_device_defaults(recipe, device)
        self.dataset = dataset
        where = torch.device(recipe.accelerator)
        if where.type == "cuda" and not torch.cuda.is_available():
            raise InputError("accelerator = 'cuda': torch finds no CUDA device here")
        self.task = task_of(recipe, dataset, where)
        self.inputs, self.labels = self.task.inputs, self.task.labels
        self.order = stream(recipe.seed, f"{purpose}order")
        self.noise = stream(recipe.seed, f"{purpose}noise", where)
        self.epoch = 0
        self.model = build_network(recipe, shapes_of(dataset), device, where) if model is None else model
        if initial is not None:
            start_from(
                self.model, initial, stream(recipe.seed, "start from", where), f"init_from = {recipe.init_from!r}"
            )
        self.histogram_before: Tensor | None = None
        if device is not None:
            self.histogram_before = weight_histogram(self.model).cpu()
        self.learner = self._learner(device)

    def _learner(self, device: CharacterisedDevice | None) -> torch.optim.Optimizer:
        """The optimiser of the recipe, wrapped by its learning rule."""
        recipe = self.recipe
        latent_weight = [layer.latent_weight for _, layer in synapse_layers(self.model)]
        latent = {id(parameter) for parameter in latent_weight}
        digital = [p for p in self.model.parameters() if id(p) not in latent]
        settings = recipe.optimizer
        groups: list[dict[str, Any]] = [{"params": digital, "lr": settings.rate, "weight_decay": settings.weight_decay}]
        if latent_weight:
            groups.append({"params": latent_weight, "lr": latent_rate_of(recipe), "weight_decay": 0.0})
        optimizer = OPTIMIZERS[settings.name].make(groups, settings)
        learn_at(self.model, optimizer, recipe.precision, self.noise)
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
        return recipe.learning_rule.learner(
            LearnerParts(
                optimizer=optimizer,
                model=self.model,
                device=device,
                margin=margin_of(recipe, device),
                transfer_attempts=recipe.transfer.max_attempts,
                generator=self.noise,
                decay=recipe.decay.during_steps(),
                options=recipe.rule,
            )
        )

    @property
    def batches(self) -> int:
        """Steps in one epoch."""
        samples, size = len(self.inputs), self.recipe.batch_size
        batches = -(-samples // size)
        # Batch normalisation cannot train on a last batch of a single sample.
        lonely = samples % size == 1 and self.recipe.network.normalisation != "none"
        return batches - 1 if lonely else batches

    def run_epoch(self, advance: Callable[[int], None] = lambda steps: None) -> dict[str, float]:
        """Train for one epoch.

        Nothing is read back from the device inside; loss and accuracy are summed there.

        Args:
            advance: Function called now and then with the number of steps made since.

        Returns:
            ``train_loss`` and, for a task that has it, ``train_accuracy``, both running means over the epoch.
        """
        factor = 1.0
        if self.recipe.optimizer.schedule == "cosine":
            wave = 0.5 * (1 + math.cos(math.pi * self.epoch / self.recipe.epochs))
            factor = RATE_AT_THE_END + (1 - RATE_AT_THE_END) * wave
        elif self.recipe.optimizer.schedule == "exponential":
            factor = self.recipe.optimizer.rate_decay**self.epoch
        for group in self.learner.param_groups:
            group["lr"] = group["full_rate"] * factor
        self.model.train()
        order = torch.randperm(len(self.inputs), generator=self.order).to(self.inputs.device)
        size, batches = self.recipe.batch_size, self.batches
        loss_sum = torch.zeros((), device=self.inputs.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.inputs.device)
        hits: Tensor | None = None
        for batch in range(batches):
            index = order[batch * size : (batch + 1) * size]
            inputs, labels = self.inputs.index_select(0, index), self.labels.index_select(0, index)
            output = self.model(inputs)
            loss = self.task.loss(output, inputs, labels)
            loss.backward()
            self.learner.step()
            self.learner.zero_grad()
            loss_sum += loss.detach() * len(index)
            hits = self.task.correct(output.detach(), labels)
            if hits is not None:
                correct += hits
            if batch % 50 == 49:
                advance(50)
        advance(batches % 50)
        self.epoch += 1
        seen = min(batches * size, len(self.inputs))
        result = {"train_loss": float(loss_sum) / seen}
        return result if hits is None else {**result, "train_accuracy": int(correct) / seen}

    def held_out_score(self, model: nn.Module | None = None) -> float:
        """The score on the test set, or on the validation samples where the recipe sets some aside.

        Raises:
            InputError: The value is impossible, such as an accuracy that is no fraction.
        """
        value = self.task.held_out_score(self.model if model is None else model)
        return self.task.score.checked(value, self.dataset.task)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes during training; for :func:`~.checkpoint.save_checkpoint`."""
        return {
            "epoch": self.epoch,
            "model": dict(self.model.state_dict()),
            "learner": self.learner.state_dict(),
            "order": self.order.get_state(),
            "noise": self.noise.get_state(),
            "histogram_before": self.histogram_before,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Raises:
            InputError: The state is of another network.
        """
        try:
            load_model(self.model, state["model"])
            self.learner.load_state_dict(state["learner"])
            self.order.set_state(state["order"])
            self.noise.set_state(state["noise"])
            before, epoch = state["histogram_before"], int(state["epoch"])
            if not 0 <= epoch <= self.recipe.epochs:
                raise ValueError(f"epoch {epoch} of {self.recipe.epochs}")
            if self.histogram_before is not None and before.shape != self.histogram_before.shape:
                raise ValueError("its histogram has another shape")
            self.histogram_before, self.epoch = before, epoch
        except (KeyError, RuntimeError, ValueError) as error:
            line = str(error).splitlines()[0]
            raise InputError(f"the checkpoint does not fit this recipe ({line})") from None
