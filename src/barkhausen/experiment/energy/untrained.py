"""Loads of a network that has not been trained: sizes from its recipe, conductances and inputs from assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.seeds import stream
from barkhausen.data import DATASETS
from barkhausen.device.conductance import ConductanceMap
from barkhausen.experiment.network import float_network
from barkhausen.experiment.recipe import Recipe, build_device
from barkhausen.learning.convert import layers_to_convert
from barkhausen.learning.networks import Shapes
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_load import LayerLoad

MEAN_SQUARE = 0.1
"""Mean square of the inputs of a layer, relative to the largest input: an assumption."""


@dataclass(frozen=True)
class UntrainedNetwork:
    """Loads of a network and what they assume.

    Args:
        loads: Loads of the layers on devices, in order.
        states: Number of states of a device.
        assumed: Assumptions, a line each.
    """

    loads: list[LayerLoad]
    states: int
    assumed: list[str]


def untrained_loads(recipe: Recipe, chip: Chip, mean_square: float = MEAN_SQUARE) -> UntrainedNetwork:
    """Loads of the network of a recipe, without data and training.

    Args:
        recipe: Recipe of a training on devices.
        chip: Chip.
        mean_square: Mean square of the inputs of a layer, relative to the largest.

    Raises:
        InputError: The recipe has no devices, or the sizes of its data set are not known without its files.
    """
    if not recipe.learning_rule.on_devices:
        raise InputError(f"mode = '{recipe.mode}': has no devices, and so no chip")
    if not 0 < mean_square <= 1:
        raise InputError(f"mean square of inputs = {mean_square:g}: must be above 0 and at most 1")
    entry = DATASETS.named(recipe.dataset.name)
    if entry.image_shape is None or entry.classes is None:
        raise InputError(
            f"dataset.name = '{entry.name}': its sizes are not known without its files; name a finished run instead"
        )
    features = int(torch.tensor(entry.image_shape).prod())
    shapes = Shapes(entry.name, features, entry.classes, entry.image_shape, task=entry.task)
    model = float_network(recipe.network, shapes, stream(recipe.seed, "start")).eval()
    device = build_device(recipe)
    conductances = ConductanceMap.of(device).scaled(chip.conductance_factor(device.read_out.resistance_area))
    voltage = chip.read_voltage(device.read_out.voltage)
    loads: list[LayerLoad] = []

    def record(name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not isinstance(layer, (nn.Linear, nn.Conv2d)) or getattr(layer, "groups", 1) != 1:
            raise InputError(f"{name}: a crossbar takes linear layers and 2-D convolutions without groups")
        loads.append(
            LayerLoad(
                layer.weight.shape[0],
                layer.weight[0].numel(),
                mean_conductance=conductances.reference,
                mean_square_voltage=mean_square * voltage**2,
                uses=output[0, 0].numel(),
                name=name,
                largest_voltage=voltage,
            )
        )

    modules = dict(model.named_modules())
    hooks = [
        modules[name].register_forward_hook(partial(record, name))
        for name in layers_to_convert(model, recipe.network.keep_float)
    ]
    with torch.no_grad():
        model(torch.zeros(1, features))
    for hook in hooks:
        hook.remove()
    return UntrainedNetwork(
        loads,
        device.states,
        [
            f"mean square of the inputs of a layer = {mean_square:g} times that of its largest input",
            "mean conductance of the devices = that halfway between the outermost states",
        ],
    )
