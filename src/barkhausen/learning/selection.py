"""Choice of the layers that learn."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer

WEIGHTED = (SynapseLayer, nn.Linear, nn.Conv1d, nn.Conv2d)
"""Layers that ``first`` and ``last`` count."""


def only_learn(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Freeze all parameters except those of some layers, in place.

    Args:
        model: Network, converted or not.
        names: Names as in ``model.named_modules()``, patterns with ``*`` and ``?``, and ``"first"`` and ``"last"`` for
            the first and the last layer with a weight matrix.

    Returns:
        Names of the layers that learn.

    Raises:
        InputError: A name matches no layer with a weight matrix.
    """
    layers = [name for name, module in model.named_modules() if isinstance(module, WEIGHTED)]
    ends = {"first": layers[:1], "last": layers[-1:]}
    chosen: set[str] = set()
    for name in names:
        found = [layer for layer in layers if fnmatchcase(layer, name)] or ends.get(name, [])
        if not found:
            raise InputError(f"learn: {name!r} matches no layer; there are {', '.join(layers)}")
        chosen |= set(found)
    for layer, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(layer in chosen)
    return [layer for layer in layers if layer in chosen]
