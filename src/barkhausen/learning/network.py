"""The default network: a multilayer perceptron with its normalisation in the digital periphery."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from torch import nn

Activation = Literal["relu", "hardtanh", "tanh"]
Normalisation = Literal["batch", "none"]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "hardtanh": nn.Hardtanh,
    "tanh": nn.Tanh,
}


def multilayer_perceptron(
    sizes: Sequence[int],
    linear: Callable[[int, int, bool], nn.Module],
    *,
    activation: Activation = "relu",
    normalisation: Normalisation = "batch",
) -> nn.Sequential:
    """Build ``sizes[0]``-…-``sizes[-1]``, every linear layer made by ``linear(inputs, outputs, bias)``.

    Float twin and domain-wall network come out of this one function, so that they differ in ``linear`` alone.
    Batch normalisation follows every linear layer, the last one included (its scale sets the confidence of the
    output, which device weights of fixed size could not), and makes biases unnecessary.
    """
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    last = len(sizes) - 2
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        modules[f"linear{number + 1}"] = linear(inputs, outputs, normalisation == "none")
        if normalisation == "batch":
            modules[f"norm{number + 1}"] = nn.BatchNorm1d(outputs)
        if number != last:
            modules[f"activation{number + 1}"] = ACTIVATIONS[activation]()
    return nn.Sequential(modules)
