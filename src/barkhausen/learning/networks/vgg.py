"""Plain stacks of 3 × 3 convolutions and pooling, after VGG (K. Simonyan and A. Zisserman, ICLR 2015)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from torch import nn

from barkhausen.core.config import Count, LaterKeys
from barkhausen.core.errors import InputError
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.gain import Gain
from barkhausen.learning.networks.images import Images, image_of, saved_shapes
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe

POOL: Literal["pool"] = "pool"

Layer = int | Literal["pool"]

VGG8: tuple[Layer, ...] = (128, 128, POOL, 256, 256, POOL, 512, 512, POOL)
"""Layers of the VGG8 of DNN+NeuroSim (X. Peng et al., IEDM 2019); with a hidden layer of 1024 it has 12.97 million
weights for images of 3 x 32 x 32 pixels and ten classes."""


class VggOptions(LaterKeys):
    """The table ``[network.options]`` of a recipe."""

    layers: Annotated[list[Count | Literal["pool"]], Field(min_length=1)] = Field(default=list(VGG8))
    """Output channels of each convolution, and ``"pool"`` for 2 x 2 max-pooling."""
    bias: bool | None = None
    """Whether layers have a bias. Default: where there is no normalisation."""
    learn_scales: bool = False
    """Whether a factor on the outputs of each layer, 1 at first, is learnt: with devices a scale of their weights. A
    normalisation makes it superfluous."""

    @classmethod
    def later(cls) -> tuple[str, ...]:
        """Keys that came later."""
        return ("learn_scales",)


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    options, parts = network.options, network.parts
    assert isinstance(options, VggOptions)
    image = image_of(shapes, network.kind)
    depth, rows, columns = image
    bias = parts.bias if options.bias is None else options.bias
    modules: OrderedDict[str, nn.Module] = OrderedDict(image=Images(image))
    number = pools = 0

    def follow(features: int, dimensions: int, *, last: bool = False) -> None:
        if options.learn_scales:
            modules[f"scale{number}"] = Gain(1.0, learnt=True, device=layers.generator.device)
        norm = parts.norm(features, dimensions)
        if norm is not None:
            modules[f"norm{number}"] = norm
        if not last:
            modules[f"activation{number}"] = parts.between()

    for outputs in options.layers:
        if outputs == POOL:
            pools += 1
            modules[f"pool{pools}"] = nn.MaxPool2d(2)
            rows, columns = rows // 2, columns // 2
            continue
        assert isinstance(outputs, int)
        number += 1
        modules[f"convolution{number}"] = layers.convolution(depth, outputs, network.kernel, bias, rows * columns)
        follow(outputs, 2)
        depth = outputs
    if not rows or not columns:
        raise InputError(
            f"network.options.layers: an image of {image[1]} x {image[2]} pixels cannot be halved {pools} times"
        )
    modules["flatten"] = nn.Flatten()
    sizes = [depth * rows * columns, *network.hidden, shapes.classes]
    for place in range(len(sizes) - 1):
        number += 1
        modules[f"linear{place + 1}"] = layers.linear(sizes[place], sizes[place + 1], bias)
        follow(sizes[place + 1], 0, last=place == len(sizes) - 2)
    return nn.Sequential(modules)


VGG = NETWORKS.register(
    "vgg",
    Network(
        name="vgg",
        label="stack of convolutions after VGG",
        output=CLASSES,
        build=_build,
        saved_shapes=saved_shapes,
        options=VggOptions,
    ),
)
