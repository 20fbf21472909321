"""A learning rule, a network, a data set and a task, as a module outside the package adds them."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.config import Count, StrictParameters
from barkhausen.data import DATASETS, Dataset, DatasetEntry
from barkhausen.experiment.tasks import TASKS, Task, TaskEntry
from barkhausen.learning import InSitu, outputs_of
from barkhausen.learning.networks import NETWORKS, Network, Shapes
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.rules import RULES, LearnerParts, Rule


class RarelyOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    every: Count = 4
    """Steps of the optimiser for one update of the devices."""


class Rarely(InSitu):
    """In-situ learning that updates the devices only now and then."""

    every = 1
    calls = 0

    def update_devices(self) -> None:
        """Update the devices after every so many steps."""
        self.calls += 1
        if self.calls % self.every == 0:
            super().update_devices()


def rarely(parts: LearnerParts) -> Rarely:
    """The learner of a recipe."""
    learner = Rarely(parts.optimizer, parts.model, parts.generator)
    learner.every = parts.options.every
    return learner


RULES.register(
    "rarely",
    Rule(
        name="rarely",
        label="now and then",
        on_devices=True,
        learner=rarely,
        programs_while_training=True,
        defaults={"device": {"margin": 0.3}},
        options=RarelyOptions,
    ),
)


class CommitteeOptions(StrictParameters):
    """The table ``[network.options]`` of a recipe."""

    members: int = Field(default=3, ge=1)


def committee(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    """Members that vote, and one output that sums the votes."""
    assert isinstance(network.options, CommitteeOptions)
    members = network.options.members
    return nn.Sequential(layers.linear(shapes.features, members, True), nn.Tanh(), layers.linear(members, 1, True))


NETWORKS.register(
    "committee",
    Network(name="committee", label="committee machine", output="sign", build=committee, options=CommitteeOptions),
)


def stripes(data_dir: Path | None, allow_download: bool) -> Dataset:
    """Noisy 4 × 4 images with a bright column on the left or on the right."""
    generator = torch.Generator().manual_seed(1)
    images = 0.1 * torch.rand(300, 4, 4, generator=generator)
    labels = torch.arange(300) % 2
    column = 2 * labels + torch.randint(2, (300,), generator=generator)
    images[torch.arange(300), :, column] += 1.0
    rows = images.flatten(1)
    return Dataset("stripes", "made up", rows[:240], labels[:240], rows[240:], labels[240:], (4, 4), 2, task="side")


DATASETS.register(
    "stripes", DatasetEntry(name="stripes", label="stripes", load=stripes, task="side", image_shape=(4, 4), classes=2)
)


class Side(Task):
    """Two classes told apart by the sign of one output."""

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Hinge loss."""
        return (1 - output[:, 0] * (2 * labels - 1)).clamp(min=0).mean()

    def correct(self, output: Tensor, labels: Tensor) -> Tensor:
        """Number of samples on their side."""
        return ((output[:, 0] > 0) == (labels == 1)).sum()

    def held_out_accuracy(self, model: nn.Module) -> float:
        """Share of test samples on their side."""
        return int(self.correct(outputs_of(model, self.test_inputs), self.test_labels)) / len(self.test_labels)

    def train_accuracy(self, model: nn.Module) -> float:
        """Share of training samples on their side."""
        return int(self.correct(outputs_of(model, self.inputs), self.labels)) / len(self.labels)

    def figures(self, model: nn.Module) -> dict[str, float]:
        """The mean size of the output."""
        return {"mean_output": float(outputs_of(model, self.test_inputs).abs().mean())}


TASKS.register("side", TaskEntry(name="side", label="telling two sides", output="sign", build=Side))
