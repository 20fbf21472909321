"""The teacher of a distillation: the network of a finished run, beside whose outputs another one learns."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.files.reading import read_bytes
from barkhausen.core.seeds import stream
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint
from barkhausen.experiment.device_of_run import DEVICE, RECIPE
from barkhausen.experiment.optimisation.distillation import distillation_loss
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.starting.initial import CHECKPOINT
from barkhausen.experiment.trained import load_trained, network_of
from barkhausen.learning.layers.drawing import drawing_from

TEACHER = "teacher"
"""Copy of the teacher in the directory of a run."""

ANY_SAMPLES = {"test_every_epoch", "mirrored_test"}
"""Keys of the data set that do not change what a network is shown."""


class Teacher:
    """A trained network in evaluation mode, without gradients.

    Args:
        model: Network.
        temperature: Temperature of the probabilities that are compared.
        weight: Weight of the comparison in the loss; the loss of the labels has the rest.
        generator: Random stream of a network that is read stochastically.
    """

    def __init__(self, model: nn.Module, temperature: float, weight: float, generator: torch.Generator) -> None:
        self.model = model.eval().requires_grad_(False)
        self.temperature, self.weight, self.generator = temperature, weight, generator

    @torch.no_grad()
    def outputs(self, inputs: Tensor) -> Tensor:
        """Outputs for a batch."""
        with drawing_from(self.model, self.generator):
            found: Tensor = self.model(inputs)
        return found

    def blended(self, loss: Tensor, output: Tensor, wanted: Tensor) -> Tensor:
        """The loss of the labels and the distance from the outputs of the teacher, by their weights."""
        distance = distillation_loss(output, wanted.to(output.dtype), self.temperature)
        return (1 - self.weight) * loss + self.weight * distance


def teacher_of(recipe: Recipe, where: torch.device, copy: Path | None = None) -> Teacher | None:
    """The teacher of a recipe, or None.

    Args:
        recipe: Recipe of the training.
        where: Torch device of the network.
        copy: Directory with a whole copy of the teacher, where there is one. Default: the run that the recipe names.

    Raises:
        InputError: That run is not finished, or learnt from other data.
    """
    if recipe.loss.teacher is None:
        return None
    named = f"loss.teacher = {recipe.loss.teacher!r}"
    try:
        found = load_trained(recipe.loss.teacher) if copy is None else network_of(copy)
    except InputError as error:
        raise InputError(f"{named}: {error}") from None
    mine, theirs = (each.dataset.model_dump(exclude=ANY_SAMPLES) for each in (recipe, found.recipe))
    other = next((key for key in mine if mine[key] != theirs[key]), None)
    if other is not None:
        raise InputError(
            f"{named}: learnt with dataset.{other} = {theirs[other]!r}, here it is {mine[other]!r}; must be the same"
        )
    reads = stream(recipe.seed, "teacher", where)
    return Teacher(found.model.to(where), recipe.loss.temperature, recipe.loss.weight, reads)


def held_copy(directory: Path) -> Path | None:
    """The copy of the teacher in the directory of a run, if it is whole."""
    copy = directory / TEACHER
    return copy if (copy / RECIPE).is_file() else None


def keep_teacher(source: Path, directory: Path) -> None:
    """Copy what a teacher needs into the directory of a run; its recipe last, which makes the copy whole.

    Args:
        source: Directory of the finished run.
        directory: Claimed directory of the run that learns.
    """
    if held_copy(directory) is not None:
        return
    copy = directory / TEACHER
    copy.mkdir(exist_ok=True)
    save_checkpoint(copy / CHECKPOINT, {"model": load_checkpoint(source / CHECKPOINT)["model"]})
    for name in (DEVICE, RECIPE):
        if (source / name).is_file():
            atomic_write(copy / name, read_bytes(source / name, binary=True))


def decides_teacher(source: Path) -> list[Path]:
    """The files of a finished run whose content decides the outputs of its network.

    Args:
        source: Directory of the run.

    Raises:
        InputError: It is none, or not finished.
    """
    if not (source / "summary.json").is_file():
        raise InputError(f"loss.teacher = {str(source)!r}: is not a finished run (no summary.json)")
    return [path for name in (RECIPE, CHECKPOINT, DEVICE) if (path := source / name).is_file()]
