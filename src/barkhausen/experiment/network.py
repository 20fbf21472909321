"""The network of a recipe: built of float layers, and converted to synapses for a learning rule on devices."""

from __future__ import annotations

import torch
from torch import nn

from barkhausen.core.seeds import stream
from barkhausen.data import Dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import Recipe
from barkhausen.learning import convert
from barkhausen.learning.networks import NETWORKS, Shapes
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.settings import NetworkRecipe


def build_network(recipe: Recipe, shapes: Shapes, device: CharacterisedDevice | None, where: torch.device) -> nn.Module:
    """The untrained network of a recipe.

    Args:
        recipe: Topology, margin and seed.
        shapes: Sizes of input and output.
        device: Statistics of the synapses; None for a network of float layers.
        where: Torch device of the network.

    Raises:
        InputError: The network cannot take these inputs, or has none of the layers to keep float.
    """
    baseline = stream(recipe.seed, "start" if device is None else "start of float layers", where)
    model = float_network(recipe.network, shapes, baseline)
    if device is None:
        return model
    return convert(
        model,
        device,
        recipe.write_verify(),
        keep_float=recipe.network.keep_float,
        start="fresh",
        generator=stream(recipe.seed, "start", where),
        inplace=True,
    )


def float_network(network: NetworkRecipe, shapes: Shapes, generator: torch.Generator) -> nn.Module:
    """The network of float layers, with initial weights drawn from the generator.

    Raises:
        InputError: The network cannot take these inputs.
    """
    return NETWORKS.named(network.kind).build(network, shapes, FloatLayers(generator)).to(generator.device)


def shapes_of(dataset: Dataset) -> Shapes:
    """The sizes that a data set decides."""
    return Shapes(dataset.name, dataset.train_inputs.shape[1], dataset.classes, dataset.image_shape)
