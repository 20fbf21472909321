"""What time and writing do to the devices of a network."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse.drift import drift

Model = TypeVar("Model", bound=nn.Module)


def wait(
    model: Model, seconds: float, *, temperature: float | None = None, generator: torch.Generator | None = None
) -> Model:
    """Let the walls of all layers wait for ``seconds`` at a temperature: retention loss before or during inference.

    Args:
        model: with layers of devices; their weights and states change in place. ``copy.deepcopy`` keeps the original.
        seconds: how long.
        temperature: in K; that of the characterisation by default.
        generator: of what happens.

    Returns:
        The model.

    Raises:
        InputError: the model has no layer of devices, its device file has no barriers, or the time or temperature
            cannot be.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    if not layers:
        raise InputError("wait: the model has no layer of devices")
    for layer in layers:
        drift(layer.synapses, seconds, temperature, generator)
    return model


def endurance(model: nn.Module) -> Int[np.ndarray, " writes"]:
    """Histogram of how often the devices of a network were written: entry n is the number written n times.

    Attempts count, the initial programming included.

    Raises:
        InputError: a layer was not made with ``count_writes=True``.
    """
    counts: list[Int[np.ndarray, " writes"]] = []
    for name, layer in synapse_layers(model):
        writes = layer.synapses.writes
        if writes is None:
            raise InputError(f"endurance: {name or 'the model'} does not count writes; convert with count_writes=True")
        counts.append(torch.bincount(writes.view(-1).long()).cpu().numpy())
    if not counts:
        raise InputError("endurance: the model has no layer of devices")
    total = np.zeros(max(map(len, counts)), dtype=np.int64)
    for count in counts:
        total[: len(count)] += count
    return total
