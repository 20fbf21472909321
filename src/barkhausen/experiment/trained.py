"""The network of a finished run, back from its directory."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.core.renamed import STATE_KEYS
from barkhausen.core.seeds import stream
from barkhausen.data import DATASETS, load_dataset
from barkhausen.experiment.checkpoint import fitting, load_checkpoint, load_model
from barkhausen.experiment.device_of_run import DEVICE, RECIPE
from barkhausen.experiment.network import build_network, shapes_of
from barkhausen.experiment.network_code import pinned
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.starting.initial import CHECKPOINT
from barkhausen.learning import fresh_chip
from barkhausen.learning.networks import NETWORKS, SavedSizes, Shapes
from barkhausen.learning.rules import RULES, Rule
from barkhausen.learning.rules.registry import PULSES
from barkhausen.learning.selection import only_learn

WEIGHTS = tuple(f".{name}" for name in ("weight", "latent_weight", *STATE_KEYS))
"""Ends of the keys of weights in a saved network, of this version and of earlier ones."""


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network that a run has trained, in evaluation mode and on the CPU."""

    model: nn.Module
    sample: tuple[int, ...]
    """Shape of one input."""
    recipe: Recipe
    chip: int | None
    """Number of the fresh chip that it was programmed onto; None for the trained network itself."""

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


def load_trained(directory: str | Path, chip: int | None = None, data_dir: str | Path | None = None) -> TrainedNetwork:
    """The network of a finished run.

    Args:
        directory: Directory of the run.
        chip: Number of the run's fresh chip to program, as the run did. Default: the trained network itself, or chip 0
            where the run was measured on new chips (the precursor of an ex-situ run is on no device).
        data_dir: Root directory of the data sets; used only where the shape of images is not known without the files.

    Raises:
        InputError: The run is not finished, a file is missing or damaged, or there is no such chip.
    """
    directory = Path(directory)
    if not (directory / "summary.json").exists():
        raise InputError(f"{directory}: is not a finished run (no summary.json)")
    return network_of(directory, chip, data_dir)


def network_of(directory: Path, chip: int | None = None, data_dir: str | Path | None = None) -> TrainedNetwork:
    """The network of a directory that holds recipe, checkpoint and device of a finished run, as :func:`load_trained`.

    Args:
        directory: Directory.
        chip, data_dir: Arguments of :func:`load_trained`.

    Raises:
        InputError: A file is missing or damaged, or there is no such chip.
    """
    data_dir = None if data_dir is None else Path(data_dir)
    recipe = pinned(_recipe(directory))
    chip = 0 if chip is None and recipe.learning_rule.measured_on_new_chips else chip
    _check_chip(recipe, chip, directory)
    path = directory / CHECKPOINT
    checkpoint = load_checkpoint(path)
    device = build_device(recipe) if recipe.learning_rule.on_devices else None
    # A chip of a run on CUDA is drawn there; whatever else can be loaded anywhere.
    where = torch.device("cpu" if chip is None else recipe.accelerator)
    if where.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{directory}: its chips were drawn by CUDA, and torch finds no CUDA device here")
    with fitting(path, RECIPE), _said_of(path):
        state = checkpoint["model"]
        shapes = _saved_shapes(recipe, state, data_dir)
        model = build_network(recipe, shapes, device, where)
        load_model(model, state)
        if recipe.learn:
            only_learn(model, recipe.learn)
    if chip is not None:
        generator = stream(recipe.seed, f"chip {chip}", where)
        model = fresh_chip(model, generator, max_attempts=recipe.transfer.max_attempts)
    return TrainedNetwork(model.to("cpu").eval(), (shapes.features,), recipe, chip)


@contextlib.contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Prefix input errors with the checkpoint."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None


def _recipe(directory: Path) -> Recipe:
    """The recipe of a run, with the copy of the device file that lies beside it."""
    path, device = directory / RECIPE, directory / DEVICE
    values = read_toml(path)
    table, rule = values.get("device"), RULES.find(values.get("mode"))
    textbook = isinstance(table, dict) and (table.get("preset") == "gaussian" or not _has_file(rule, table))
    if rule is not None and rule.on_devices and isinstance(table, dict) and not textbook:
        # Read by its own name, so that a missing copy is reported as such and no other file can take its place.
        rest = {key: value for key, value in table.items() if key != "preset"}
        values["device"] = {**rest, "file": str(device)}
    return recipe_from(values, str(path))


def _has_file(rule: Rule | None, table: Mapping[str, Any]) -> bool:
    """Whether the device of a run lies in a file: a textbook device that is moved by pulses has none."""
    return rule is None or rule.devices != PULSES or "file" in table


def _check_chip(recipe: Recipe, chip: int | None, directory: Path) -> None:
    if chip is None:
        return
    if not recipe.learning_rule.on_devices:
        raise InputError(f"chip = {chip}: {directory} is a {recipe.mode} run, which has no devices")
    if not 0 <= chip < recipe.transfer.chips:
        raise InputError(f"chip = {chip}: {directory} has the chips 0 to {recipe.transfer.chips - 1}")


def _saved_shapes(recipe: Recipe, state: Mapping[str, Tensor], data_dir: Path | None) -> Shapes:
    """The sizes that the network was built for, without its data set where possible."""
    weights = [
        tuple(state[key].shape) for key in sorted(state, key=_natural) if key.endswith(WEIGHTS) and state[key].dim() > 1
    ]
    name, options = recipe.dataset.name, recipe.dataset.options

    def image() -> tuple[int, ...]:
        known = DATASETS.named(name).shape_of_image(options) if recipe.dataset.pool == 1 else ()
        return known or recipe.dataset.shaped(load_dataset(name, data_dir, options=options)).image_shape

    def shapes() -> Shapes:
        return shapes_of(recipe.dataset.shaped(load_dataset(name, data_dir, options=options)))

    return NETWORKS.named(recipe.network.kind).saved_shapes(SavedSizes(name, weights, image, shapes))


def _natural(key: str) -> list[tuple[str, int]]:
    # A checkpoint has its keys in alphabetical order, in which linear10 comes before linear2.
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", key)]
