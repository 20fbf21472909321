"""The network of a recipe: built of float layers, and converted unless it is the float twin."""

from __future__ import annotations

import math

import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.core.seeds import stream
from barkhausen.data.base import Dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import NetworkRecipe, Recipe
from barkhausen.learning import convert
from barkhausen.learning.networks.convolutional import convolutional_network
from barkhausen.learning.networks.parts import Parts
from barkhausen.learning.networks.perceptron import autoencoder, multilayer_perceptron


def build_network(
    recipe: Recipe, dataset: Dataset, device: CharacterisedDevice | None, where: torch.device
) -> nn.Module:
    """The untrained network of a recipe.

    Args:
        recipe: decides topology, margin and seed.
        dataset: gives the sizes of input and output.
        device: statistics of the synapses; None for the float twin.
        where: torch device of the network.

    Raises:
        InputError: images that the network cannot take, or layers to keep float that it has not.
    """
    twin = stream(recipe.seed, "start" if device is None else "start of float layers", where)
    model = float_network(recipe.network, dataset, twin)
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


def float_network(network: NetworkRecipe, dataset: Dataset, generator: torch.Generator) -> nn.Module:
    """Float layers whose weights are drawn with He's variance for ReLU, biases zero.

    Raises:
        InputError: images that the network cannot take.
    """
    parts = Parts(network.activation, network.normalisation, network.activation_levels)

    def linear(inputs: int, outputs: int, bias: bool) -> nn.Module:
        return _drawn(nn.Linear(inputs, outputs, bias=bias, device=generator.device), inputs, generator)

    def convolution(inputs: int, outputs: int, bias: bool) -> nn.Module:
        layer = nn.Conv2d(inputs, outputs, network.kernel, padding="same", bias=bias, device=generator.device)
        return _drawn(layer, inputs * network.kernel**2, generator)

    features = dataset.train_inputs.shape[1]
    model: nn.Module
    if network.kind == "autoencoder":
        model = autoencoder([features, *network.hidden], linear, parts)
    elif network.kind == "cnn":
        image = (1, *dataset.image_shape) if len(dataset.image_shape) == 2 else dataset.image_shape
        if len(image) != 3 or math.prod(image) != features:
            raise InputError(f"network.kind = 'cnn': {dataset.name} has no images")
        try:
            model = convolutional_network(
                (image[0], image[1], image[2]),
                network.channels,
                network.hidden,
                dataset.classes,
                convolution=convolution,
                linear=linear,
                parts=parts,
            )
        except ValueError as error:
            raise InputError(f"network.channels = {network.channels}: {error}") from None
    else:
        model = multilayer_perceptron([features, *network.hidden, dataset.classes], linear, parts)
    return model.to(generator.device)


def _drawn(layer: nn.Linear | nn.Conv2d, fan_in: int, generator: torch.Generator) -> nn.Module:
    # Torch's default would not come from our generator.
    nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in), generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
