"""Rows of pixels as images, in the order in memory in which convolutions are fastest."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.networks.registry import SavedSizes, Shapes


class Images(nn.Module):
    """Rows of pixels as images, channels last in memory.

    On a processor convolutions, normalisations and pooling then take about two thirds of the time
    (``benchmarks/networks/cifar_epoch.py``); results are the same up to rounding.

    Args:
        shape: Channels, rows and columns.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample channel row column"]:
        """Images."""
        return x.view(-1, *self.shape).contiguous(memory_format=torch.channels_last)

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return " x ".join(map(str, self.shape))


class Mirrored(nn.Module):
    """A network whose outputs are the mean of those for an image and for its mirror image.

    Args:
        model: Network that takes images as rows of pixels.
        columns: Columns of an image.
    """

    def __init__(self, model: nn.Module, columns: int) -> None:
        super().__init__()
        self.model, self.columns = model, columns
        self.train(model.training)

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample output"]:
        """Mean outputs."""
        mirror = x.view(len(x), -1, self.columns).flip(2).flatten(1)
        mean: Tensor = (self.model(x) + self.model(mirror)) / 2
        return mean


def image_of(shapes: Shapes, kind: str) -> tuple[int, int, int]:
    """Channels, rows and columns of the images of a data set.

    Args:
        shapes: Sizes that the data set decides.
        kind: Kind of network for messages.

    Raises:
        InputError: It has no images.
    """
    image = (1, *shapes.image) if len(shapes.image) == 2 else shapes.image
    if len(image) != 3 or math.prod(image) != shapes.features:
        raise InputError(f"network.kind = '{kind}': {shapes.dataset} has no images")
    return image[0], image[1], image[2]


def saved_shapes(saved: SavedSizes) -> Shapes:
    """Sizes of a saved network of images: those of its data set, and the outputs of its last layer."""
    # Rows and columns that pooling left out do not show in the weights.
    image = saved.image()
    return Shapes(saved.dataset, math.prod(image), saved.weights[-1][0], image)
