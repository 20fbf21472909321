"""The network of a recipe: built of float layers, and converted to synapses for a learning rule on devices."""

from __future__ import annotations

import math

import torch
from torch import nn

from barkhausen.core.limits import check_memory
from barkhausen.core.seeds import stream
from barkhausen.data import Dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import Recipe, with_device_defaults
from barkhausen.learning import convert
from barkhausen.learning.networks import NETWORKS, Shapes
from barkhausen.learning.networks.float_layers import BYTES_OF_A_VALUE, FloatLayers
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
    model = float_network(recipe.network, shapes, baseline, recipe.batch_size)
    if device is None:
        return model
    return convert(
        model,
        device,
        with_device_defaults(recipe, device).write_verify(),
        keep_float=recipe.network.keep_float,
        start="fresh",
        generator=stream(recipe.seed, "start", where),
        inplace=True,
    )


def float_network(network: NetworkRecipe, shapes: Shapes, generator: torch.Generator, batch_size: int = 1) -> nn.Module:
    """The network of float layers, with initial weights drawn from the generator.

    Args:
        network: Topology.
        shapes: Sizes of input and output.
        generator: Random stream of the weights.
        batch_size: Samples that go through the network at once, at most those of the data set.

    Raises:
        InputError: The network cannot take these inputs, or would take too much memory.
    """
    layers = FloatLayers(generator)
    model = NETWORKS.named(network.kind).build(network, shapes, layers)
    samples = min(batch_size, shapes.samples)
    check_memory(
        BYTES_OF_A_VALUE * float(samples) * layers.footprint.values_of(math.prod(shapes.image[-2:])),
        f"batch_size = {batch_size}: what {samples} samples leave between the layers",
    )
    return model.to(generator.device)


def shapes_of(dataset: Dataset) -> Shapes:
    """The sizes that a data set decides."""
    return Shapes(
        dataset.name,
        dataset.train_inputs.shape[1],
        dataset.classes,
        dataset.image_shape,
        samples=len(dataset.train_inputs),
    )
