"""Converted networks whose layers learn at low precision."""

from __future__ import annotations

import torch
from torch import nn

from barkhausen.learning.layers.base import synapse_layers
from barkhausen.learning.layers.low_precision import LowPrecision
from barkhausen.learning.precision.latent import LatentGrid
from barkhausen.learning.precision.settings import Precision
from barkhausen.learning.precision.sums import GradientSums
from barkhausen.synapse.crossbar.learning_load import FULL


def lower_precision(model: nn.Module, precision: Precision) -> nn.Module:
    """Give every synapse layer of a model the formats of its weight gradient, in place.

    Args:
        model: Converted model.
        precision: Numbers of bits. With 32 bits everywhere the model is left as it is.
    """
    if precision.lowered:
        for _, layer in synapse_layers(model):
            layer.low_precision = LowPrecision(precision.activation_bits, precision.error_bits)
            layer.low_precision.to(layer.latent_weight.device)
    return model


def learn_at(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    precision: Precision,
    generator: torch.Generator,
) -> None:
    """Prepare the training of a model that :func:`lower_precision` has changed.

    Args:
        model: Model.
        optimizer: Optimiser of its latent weights, before a learning rule wraps it.
        precision: Numbers of bits.
        generator: Random stream of all rounding.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    for layer in layers:
        if layer.low_precision is not None:
            layer.low_precision.generator = generator
    if (precision.gradient_bits < FULL or precision.sparse) and layers:
        GradientSums(layers, precision, generator).attach(optimizer)
    if precision.latent_bits < FULL and layers:
        grid = LatentGrid(layers, precision.latent_bits, generator)
        grid.round()
        grid.attach(optimizer)
