"""Multilayer perceptrons and autoencoders with their normalisation in the digital periphery."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from barkhausen.learning.networks.parts import USUAL, Parts


def multilayer_perceptron(
    sizes: Sequence[int], linear: Callable[[int, int, bool], nn.Module], parts: Parts = USUAL
) -> nn.Sequential:
    """Build ``sizes[0]``-…-``sizes[-1]``, every linear layer made by ``linear(inputs, outputs, bias)``.

    A normalisation follows every linear layer, the last one included (its scale sets the confidence of the output,
    which device weights of fixed size could not), and makes biases unnecessary; an activation all but the last.
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


def autoencoder(
    sizes: Sequence[int], linear: Callable[[int, int, bool], nn.Module], parts: Parts = USUAL
) -> nn.Sequential:
    """An encoder ``sizes[0]``-…-``sizes[-1]`` and its mirror image, in the way of :func:`multilayer_perceptron`.

    The output is linear, with the scale and offset of each feature from the last normalisation (or a bias).
    """
    return multilayer_perceptron([*sizes, *sizes[-2::-1]], linear, parts)
