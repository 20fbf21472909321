"""Multilayer perceptrons with normalisation in the digital periphery."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.parts import USUAL, Parts
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


def multilayer_perceptron(
    sizes: Sequence[int], linear: Callable[[int, int, bool], nn.Module], parts: Parts = USUAL
) -> nn.Sequential:
    """Multilayer perceptron ``sizes[0]``-…-``sizes[-1]`` whose layers are made by ``linear(inputs, outputs, bias)``.

    A normalisation follows every linear layer and makes biases unnecessary. The last layer has one too: its scale sets
    the confidence of the output, which synaptic weights in a fixed range could not. An activation follows every layer
    except the last.
    """
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    last = len(sizes) - 2
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        modules[f"linear{number + 1}"] = linear(inputs, outputs, parts.bias)
        norm = parts.norm(outputs)
        if norm is not None:
            modules[f"norm{number + 1}"] = norm
        if number != last:
            modules[f"activation{number + 1}"] = parts.between()
    return nn.Sequential(modules)


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    return multilayer_perceptron([shapes.features, *network.hidden, shapes.classes], layers.linear, network.parts)


MLP = NETWORKS.register("mlp", Network(name="mlp", label="multilayer perceptron", output=CLASSES, build=_build))
