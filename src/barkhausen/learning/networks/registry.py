"""Networks by name: how one is built, for which output, and how its sizes are found from saved weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from barkhausen.core.config import NoOptions, Parameters
from barkhausen.core.registry import Registry
from barkhausen.learning.networks.float_layers import FloatLayers

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe

CLASSES = "classes"
"""Output of a network that gives one score for each class, or one number for each that is to be predicted."""
RECONSTRUCTION = "reconstruction"
"""Output of a network that reproduces its input."""
ANY = "any"
"""Output of a network of which it is not known; it is checked by its size."""


@dataclass(frozen=True)
class Shapes:
    """Sizes that the data set decides.

    Attributes:
        dataset: Name of the data set, for messages.
        features: Inputs of a sample, which comes as one row.
        classes: Number of classes, or of numbers to predict.
        image: Rows and columns of the image that a row is, or channels, rows and columns; the number of features alone
            where samples are no images.
        samples: Number of training samples, which limits a batch.
        task: Name of the task of the data set, such as ``classification``.
    """

    dataset: str
    features: int
    classes: int
    image: tuple[int, ...]
    samples: int = 1
    task: str = "classification"


@dataclass(frozen=True)
class SavedSizes:
    """What is known of a saved network without its data set.

    Attributes:
        dataset: Name of the data set.
        weights: Shapes of the weights of linear layers and convolutions, digital or not, first layer first.
        image: Function that finds the shape of an image of the data set, from its files if need be.
        shapes: Function that finds all sizes that the data set decides, from its files.
    """

    dataset: str
    weights: Sequence[tuple[int, ...]]
    image: Callable[[], tuple[int, ...]]

    shapes: Callable[[], Shapes] | None = None

    def from_dataset(self) -> Shapes:
        """The sizes that the data set decides, from its files."""
        assert self.shapes is not None
        return self.shapes()

    def from_weights(self) -> Shapes:
        """Inputs of the first layer and outputs of the last."""
        features = self.weights[0][1]
        return Shapes(self.dataset, features, self.weights[-1][0], (features,))


@dataclass(frozen=True)
class Network:
    """One kind of network.

    Attributes:
        name: Value of ``network.kind`` in a recipe.
        label: Name in messages and on pages.
        output: What the network returns for a sample; a task asks for one kind of output.
        build: Function that builds the network of float layers.
        saved_shapes: Function that finds the sizes that a saved network was built for.
        options: Model of the recipe's table ``[network.options]``.
        least_hidden: Smallest number of hidden layers.
    """

    name: str
    label: str
    output: str
    build: Callable[[NetworkRecipe, Shapes, FloatLayers], nn.Module]
    saved_shapes: Callable[[SavedSizes], Shapes] = SavedSizes.from_weights
    options: type[Parameters] = NoOptions
    least_hidden: int = 0


NETWORKS: Registry[Network] = Registry("network", "network.kind")
"""Kinds of network."""
