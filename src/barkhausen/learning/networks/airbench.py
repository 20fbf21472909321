"""The network of cifar10-airbench: whitened patches, then three blocks of two convolutions.

K. Jordan, *94 % on CIFAR-10 in 3.29 seconds on a single GPU*, arXiv:2404.00498. A block is a convolution, 2 × 2
max-pooling, normalisation, activation, a second convolution, normalisation and activation. Pooling over what is left
of the image and one linear layer follow. Normalisations shift but do not scale: a scale would have no effect before the
next normalisation.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from torch import nn

from barkhausen.core.config import Positive, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.gain import Gain
from barkhausen.learning.networks.images import Images, image_of, saved_shapes
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, Shapes
from barkhausen.learning.networks.whitening import PatchWhitening

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


class AirbenchOptions(StrictParameters):
    """The table ``[network.options]`` of a recipe."""

    whitening: bool = True
    """Whether the first layer whitens patches of 2 x 2 pixels; it is fitted to training images and stays digital."""
    convolutions: Annotated[int, Field(ge=1)] = 2
    """Convolutions of a block."""
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Share of a batch in the running statistics of batch normalisation."""
    gain: Positive = 1 / 9
    """Factor on the outputs. On devices, whose weights do not grow, it must be larger than the default."""
    learn_gain: bool = False
    """Whether this factor is learnt."""
    identity: bool = True
    """Whether float convolutions begin as the identity on their first channels."""


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    options, where = network.options, layers.generator.device
    assert isinstance(options, AirbenchOptions)
    image = image_of(shapes, network.kind)
    depth, rows, columns = image
    modules: OrderedDict[str, nn.Module] = OrderedDict(image=Images(image))
    if options.whitening:
        whitening = PatchWhitening(depth, device=where)
        modules["whitening"], modules["activation0"] = whitening, network.parts.between()
        depth, rows, columns = whitening.outputs, rows - 1, columns - 1
        layers.footprint.values += depth * rows * columns
    number = 0
    for block, outputs in enumerate(network.channels, 1):
        for place in range(options.convolutions):
            number += 1
            modules[f"convolution{number}"] = _convolution(network, layers, (depth, outputs), rows * columns)
            if place == 0:
                rows, columns = rows // 2, columns // 2
                modules[f"pool{block}"] = nn.MaxPool2d(2)
            norm = _normalisation(network, outputs)
            if norm is not None:
                modules[f"norm{number}"] = norm
            modules[f"activation{number}"] = network.parts.between()
            depth = outputs
    if not rows or not columns:
        raise InputError(
            f"network.channels = {network.channels}: an image of {image[1]} x {image[2]} pixels cannot be halved so "
            "often"
        )
    modules["pool"], modules["flatten"] = nn.MaxPool2d((rows, columns)), nn.Flatten()
    modules["linear"] = layers.linear(depth, shapes.classes, False)
    modules["gain"] = Gain(options.gain, learnt=options.learn_gain, device=where)
    return nn.Sequential(modules)


def _convolution(network: NetworkRecipe, layers: FloatLayers, channels: tuple[int, int], pixels: int) -> nn.Conv2d:
    layer = layers.convolution(*channels, network.kernel, network.parts.bias, pixels)
    assert isinstance(network.options, AirbenchOptions)
    if network.options.identity:
        nn.init.dirac_(layer.weight.data[: min(channels)])
    return layer


def _normalisation(network: NetworkRecipe, outputs: int) -> nn.Module | None:
    norm = network.parts.norm(outputs, 2)
    if isinstance(norm, nn.BatchNorm2d):
        assert isinstance(network.options, AirbenchOptions)
        norm.momentum = network.options.momentum
        norm.weight.requires_grad_(False)
    return norm


AIRBENCH = NETWORKS.register(
    "airbench",
    Network(
        name="airbench",
        label="network of cifar10-airbench",
        output=CLASSES,
        build=_build,
        saved_shapes=saved_shapes,
        options=AirbenchOptions,
    ),
)
