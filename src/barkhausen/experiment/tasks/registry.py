"""Tasks by name: what a network is trained for, and which networks can do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from barkhausen.core.errors import InputError
from barkhausen.core.registry import Registry, load_extensions
from barkhausen.data import Dataset
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.score import ACCURACY, Score
from barkhausen.experiment.tasks.base import Task
from barkhausen.learning.networks import NETWORKS
from barkhausen.learning.networks.registry import ANY


@dataclass(frozen=True)
class TaskEntry:
    """One task.

    Attributes:
        name: Name by which a data set asks for the task.
        label: Name in messages and on pages.
        output: Output that a network must give (``Network.output``).
        build: Function that puts a data set on the torch device of the network.
        scores: What its networks are judged by, the score of tables and plots first. Values of the others are among
            the task's figures, by name.
    """

    name: str
    label: str
    output: str
    build: Callable[[Dataset, torch.device], Task]
    scores: tuple[Score, ...] = (ACCURACY,)

    @property
    def networks(self) -> list[str]:
        """Names of the networks that can do the task."""
        load_extensions()
        return [name for name, network in NETWORKS.items() if network.output == self.output]


TASKS: Registry[TaskEntry] = Registry("task", "task of the data set")
"""Tasks."""


def task_of(recipe: Recipe, dataset: Dataset, where: torch.device) -> Task:
    """The task of a data set.

    Raises:
        InputError: The recipe's network cannot do it, or its loss does not have the recipe's settings.
    """
    entry, kind = TASKS.named(dataset.task), recipe.network.kind
    if NETWORKS.named(kind).output not in (entry.output, ANY):
        raise InputError(
            f"network.kind = {kind!r}: {dataset.name} is for {entry.label}, which needs "
            f"{' or '.join(map(repr, entry.networks)) or f'a network whose output is its {entry.output}'}"
        )
    task = entry.build(dataset, where)
    task.learn_with(recipe.loss)
    return task
