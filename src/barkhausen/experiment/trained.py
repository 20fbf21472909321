"""The network of a finished run, back from its directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.core.seeds import stream
from barkhausen.data.base import Dataset
from barkhausen.data.published import load_dataset
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.experiment.network import build_network
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.run import CHECKPOINT, DEVICE, RECIPE
from barkhausen.learning import fresh_chip

IMAGES = {"digits": (8, 8), "mnist": (28, 28), "fashion-mnist": (28, 28)}
"""Rows and columns of the images of known sets, so that exporting a network does not need its data."""


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What a run has trained, in evaluation mode and on the CPU."""

    model: nn.Module
    sample: tuple[int, ...]
    """Shape of one input."""
    recipe: Recipe
    chip: int | None
    """Which fresh chip it was programmed onto; None for the trained network itself."""

    def about(self) -> dict[str, Any]:
        """Where it comes from, for the metadata of an export."""
        recipe = self.recipe
        return {
            "mode": recipe.mode,
            "seed": recipe.seed,
            "dataset": recipe.dataset.name,
            "network": recipe.network.model_dump(),
            "chip": self.chip,
        }


def load_trained(directory: Path, chip: int | None = None, data_dir: Path | None = None) -> TrainedNetwork:
    """The network of a finished run.

    Args:
        directory: of the run.
        chip: program this one of the run's fresh chips, as the run did. By default an in-situ network is the trained
            one itself, an ex-situ network chip 0: its precursor is on no device.
        data_dir: root of the data sets; looked at only for images of other sets than ``IMAGES``.

    Raises:
        InputError: the run is not finished, a file is missing or damaged, or there is no such chip.
    """
    if not (directory / "summary.json").exists():
        raise InputError(f"{directory}: is not a finished run (no summary.json)")
    recipe = _recipe(directory)
    chip = 0 if chip is None and recipe.mode == "ex-situ" else chip
    _check_chip(recipe, chip, directory)
    path = directory / CHECKPOINT
    if not path.exists():
        raise InputError(f"{path}: no such file")
    checkpoint = load_checkpoint(path)
    device = None if recipe.mode == "float" else build_device(recipe)
    # A chip of a run on CUDA is drawn there; whatever else can be loaded anywhere.
    where = torch.device("cpu" if chip is None else recipe.accelerator)
    if where.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{directory}: its chips were drawn by CUDA, and torch finds no CUDA device here")
    try:
        state = checkpoint["model"]
        sizes = _sizes(recipe, state, data_dir)
        model = build_network(recipe, sizes, device, where)
        model.load_state_dict(state)
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # Torch says in the first line that something is wrong, and in the second what.
        lines = [line.strip() for line in str(error).splitlines()[:2]]
        raise InputError(f"{path}: does not fit {RECIPE} ({' '.join(lines)[:200] or type(error).__name__})") from None
    if chip is not None:
        generator = stream(recipe.seed, f"chip {chip}", where)
        model = fresh_chip(model, generator, max_attempts=recipe.transfer.max_attempts)
    return TrainedNetwork(model.to("cpu").eval(), tuple(sizes.train_inputs.shape[1:]), recipe, chip)


def _recipe(directory: Path) -> Recipe:
    """The recipe of a run, with the copy of the device file that lies beside it."""
    path, device = directory / RECIPE, directory / DEVICE
    values = read_toml(path)
    table = values.get("device")
    if values.get("mode") != "float" and isinstance(table, dict) and table.get("preset") != "gaussian":
        # Read by its own name, so that a missing copy is told as such and another file cannot take its place.
        values["device"] = {**table, "file": str(device)}
    return recipe_from(values, str(path))


def _check_chip(recipe: Recipe, chip: int | None, directory: Path) -> None:
    if chip is None:
        return
    if recipe.mode == "float":
        raise InputError(f"chip = {chip}: {directory} is a float run, which has no devices")
    if not 0 <= chip < recipe.transfer.chips:
        raise InputError(f"chip = {chip}: {directory} has the chips 0 to {recipe.transfer.chips - 1}")


def _sizes(recipe: Recipe, state: Mapping[str, Tensor], data_dir: Path | None) -> Dataset:
    """An empty data set of the sizes that the network was built for: from its weights, where they tell."""
    # First and last of the linear layers and convolutions, digital or not.
    weights = [state[key] for key in state if key.endswith((".latent_weight", ".weight")) and state[key].dim() > 1]
    features, classes, image = int(weights[0].shape[1]), int(weights[-1].shape[0]), None
    name = recipe.dataset.name
    if recipe.network.kind == "cnn":
        # What the pooling left out cannot be told from the weights.
        image = IMAGES.get(name) or load_dataset(name, data_dir).image_shape
        features = int(torch.Size(image).numel())
    inputs, labels = torch.empty(0, features), torch.empty(0, dtype=torch.int64)
    return Dataset(name, "none", inputs, labels, inputs, labels, image or (features,), classes)
