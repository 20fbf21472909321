"""Convolutional networks whose blocks have several convolutions before each pooling."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from barkhausen.core.config import Count, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, SavedSizes, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


class BlocksOptions(StrictParameters):
    """The table ``[network.options]`` of a recipe."""

    blocks: Annotated[list[Annotated[list[Count], Field(min_length=1)]], Field(min_length=1)] = Field(
        default=[[64, 64], [64, 64], [64, 64], [128]]
    )
    """Output channels of the convolutions of each block, which ends in 2 x 2 max-pooling."""
    padding: Annotated[int, Field(ge=0, le=64)] = 0
    """Pixels of zeros added on each side of the image, after the samples were scaled."""
    start: Literal["he", "glorot"] = "he"
    """Distribution of the initial weights: He's normal one, or Glorot's uniform one."""


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    options = network.options
    assert isinstance(options, BlocksOptions)
    image = (1, *shapes.image) if len(shapes.image) == 2 else shapes.image
    if len(image) != 3 or math.prod(image) != shapes.features:
        raise InputError(f"network.kind = '{network.kind}': {shapes.dataset} has no images")
    depth, rows, columns = image[0], *(size + 2 * options.padding for size in image[1:])
    modules: OrderedDict[str, nn.Module] = OrderedDict(image=nn.Unflatten(1, image))
    if options.padding:
        modules["padding"] = nn.ZeroPad2d(options.padding)
    parts, number = network.parts, 0

    def follow(features: int, dimensions: int, *, last: bool = False) -> None:
        norm = parts.norm(features, dimensions)
        if norm is not None:
            modules[f"norm{number}"] = norm
        if not last:
            modules[f"activation{number}"] = parts.between()

    for block, channels in enumerate(options.blocks, 1):
        for outputs in channels:
            number += 1
            modules[f"convolution{number}"] = layers.convolution(depth, outputs, network.kernel, parts.bias)
            follow(outputs, 2)
            depth = outputs
        modules[f"pool{block}"] = nn.MaxPool2d(2)
        rows, columns = rows // 2, columns // 2
    if not rows or not columns:
        raise InputError(
            f"network.options.blocks: {len(options.blocks)} blocks: an image of {image[1]} x {image[2]} pixels with "
            f"padding {options.padding} cannot be halved so often"
        )
    modules["flatten"] = nn.Flatten()
    sizes = [depth * rows * columns, *network.hidden, shapes.classes]
    for layer in range(len(sizes) - 1):
        number += 1
        modules[f"linear{layer + 1}"] = layers.linear(sizes[layer], sizes[layer + 1], parts.bias)
        follow(sizes[layer + 1], 0, last=layer == len(sizes) - 2)
    model = nn.Sequential(modules)
    if options.start == "glorot":
        _glorot(model, layers.generator)
    return model


def _glorot(model: nn.Module, generator: torch.Generator) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight, generator=generator)


BLOCKS = NETWORKS.register(
    "conv-blocks",
    Network(
        name="conv-blocks",
        label="network of convolution blocks",
        output=CLASSES,
        build=_build,
        saved_shapes=SavedSizes.from_dataset,
        options=BlocksOptions,
    ),
)
