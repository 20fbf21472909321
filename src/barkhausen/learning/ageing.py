"""Ageing of the devices of a network: retention loss over time, and wear by writing."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse.drift import drift
from barkhausen.synapse.escape import Escape, escape_of

Model = TypeVar("Model", bound=nn.Module)


def wait(
    model: Model,
    seconds: float,
    *,
    temperature: float | None = None,
    generator: torch.Generator | None = None,
    escape: Escape | None = None,
) -> Model:
    """Let the walls of all layers drift for ``seconds`` at a temperature: retention loss before or during inference.

    Args:
        model: Network with synapse layers. Their weights and states change in place; ``copy.deepcopy`` keeps the
            original.
        seconds: Waiting time in s.
        temperature: Temperature in K. Default: that of the characterisation.
        generator: Random stream of the transitions.
        escape: Escape rates of the device of all layers, where they are at hand (:func:`.escape_of`); then the
            temperature is theirs.

    Returns:
        The model.

    Raises:
        InputError: The model has no synapse layer, its device file has no barriers, or the time is negative or the
            temperature not positive.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    if not layers:
        raise InputError("wait: the model has no synapse layer")
    # Layers share their device, whose rates at another temperature take seconds to compute.
    known: dict[int, Escape] = {}
    for layer in layers:
        device = layer.synapses.kind.device
        if escape is None and id(device) not in known:
            known[id(device)] = escape_of(device, temperature)
        drift(layer.synapses, seconds, temperature, generator, escape=known.get(id(device), escape))
    return model


def endurance(model: nn.Module) -> Int[np.ndarray, " writes"]:
    """Histogram of the writes of a network's devices: entry n is the number of devices written n times.

    Every attempt counts as a write, including those of the initial programming.

    Raises:
        InputError: A layer was not made with ``count_writes=True``.
    """
    counts: list[Int[np.ndarray, " writes"]] = []
    for name, layer in synapse_layers(model):
        writes = layer.synapses.writes
        if writes is None:
            raise InputError(f"endurance: {name or 'the model'} does not count writes; convert with count_writes=True")
        counts.append(torch.bincount(writes.view(-1).long()).cpu().numpy())
    if not counts:
        raise InputError("endurance: the model has no synapse layer")
    total = np.zeros(max(map(len, counts)), dtype=np.int64)
    for count in counts:
        total[: len(count)] += count
    return total
