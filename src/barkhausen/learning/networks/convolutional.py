"""A small convolutional network for images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.images import image_of, saved_shapes
from barkhausen.learning.networks.parts import USUAL, Parts
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


def convolutional_network(
    image: tuple[int, int, int],
    channels: Sequence[int],
    hidden: Sequence[int],
    classes: int,
    *,
    convolution: Callable[[int, int, bool], nn.Module],
    linear: Callable[[int, int, bool], nn.Module],
    parts: Parts = USUAL,
) -> nn.Sequential:
    """Blocks of convolution, normalisation, activation and 2 × 2 max-pooling, then a multilayer perceptron.

    Args:
        image: Channels, rows and columns of the images, which come as rows of pixels.
        channels: Output channels of the blocks' convolutions; each block halves rows and columns (rounding down).
        hidden: Sizes of the hidden linear layers.
        classes: Number of outputs.
        convolution: Function of (inputs, outputs, bias) that makes a convolution that keeps rows and columns.
        linear: Function of (inputs, outputs, bias) that makes a linear layer.
        parts: Normalisation after every layer, the last one included, and activation after all but the last.

    Raises:
        ValueError: More blocks than the image can be halved.
    """
    depth, rows, columns = image
    modules: OrderedDict[str, nn.Module] = OrderedDict(image=nn.Unflatten(1, image))

    def follow(number: int, features: int, dimensions: int, *, last: bool = False) -> None:
        norm = parts.norm(features, dimensions)
        if norm is not None:
            modules[f"norm{number}"] = norm
        if not last:
            modules[f"activation{number}"] = parts.between()

    for number, outputs in enumerate(channels, 1):
        modules[f"convolution{number}"] = convolution(depth, outputs, parts.bias)
        follow(number, outputs, 2)
        modules[f"pool{number}"] = nn.MaxPool2d(2)
        depth, rows, columns = outputs, rows // 2, columns // 2
    if not rows or not columns:
        raise ValueError(
            f"{len(channels)} blocks: an image of {image[1]} x {image[2]} pixels cannot be halved so often"
        )
    modules["flatten"] = nn.Flatten()
    sizes = [depth * rows * columns, *hidden, classes]
    for layer in range(len(sizes) - 1):
        modules[f"linear{layer + 1}"] = linear(sizes[layer], sizes[layer + 1], parts.bias)
        follow(len(channels) + layer + 1, sizes[layer + 1], 0, last=layer == len(sizes) - 2)
    return nn.Sequential(modules)


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    image = image_of(shapes, network.kind)
    try:
        return convolutional_network(
            image,
            network.channels,
            network.hidden,
            shapes.classes,
            convolution=lambda inputs, outputs, bias: layers.convolution(inputs, outputs, network.kernel, bias),
            linear=layers.linear,
            parts=network.parts,
        )
    except ValueError as error:
        raise InputError(f"network.channels = {network.channels}: {error}") from None


CNN = NETWORKS.register(
    "cnn",
    Network(name="cnn", label="convolutional network", output=CLASSES, build=_build, saved_shapes=saved_shapes),
)
