"""Autoencoders: an encoder and its mirror image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import nn

from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.parts import USUAL, Parts
from barkhausen.learning.networks.perceptron import multilayer_perceptron
from barkhausen.learning.networks.registry import NETWORKS, RECONSTRUCTION, Network, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


def autoencoder(
    sizes: Sequence[int], linear: Callable[[int, int, bool], nn.Module], parts: Parts = USUAL
) -> nn.Sequential:
    """Autoencoder: an encoder ``sizes[0]``-…-``sizes[-1]`` and its mirror image, built like
    :func:`.multilayer_perceptron`.

    The output is linear. The last normalisation (or a bias) gives the scale and offset of each feature.
    """
    return multilayer_perceptron([*sizes, *sizes[-2::-1]], linear, parts)


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    return autoencoder([shapes.features, *network.hidden], layers.linear, network.parts)


AUTOENCODER = NETWORKS.register(
    "autoencoder",
    Network(name="autoencoder", label="autoencoder", output=RECONSTRUCTION, build=_build, least_hidden=1),
)
