"""Modules whose forward pass draws random numbers, and the random stream that they draw from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


class DrawingModule(nn.Module):
    """A module that is as random in evaluation as in training.

    Its draws come from ``generator``, which the surroundings set (:func:`draw_from`); None stands for torch's own.
    """

    generator: torch.Generator | None = None


def drawing_modules(model: nn.Module) -> list[DrawingModule]:
    """Modules of a model that draw random numbers, in order."""
    return [module for module in model.modules() if isinstance(module, DrawingModule)]


def draw_from(model: nn.Module, generator: torch.Generator | None) -> None:
    """Have all modules that draw do so from a generator.

    Args:
        model: Any model; modules of other kinds are left alone.
        generator: Random stream on the torch device of the model. None: torch's own.
    """
    for module in drawing_modules(model):
        module.generator = generator


@contextlib.contextmanager
def drawing_from(model: nn.Module, generator: torch.Generator | None) -> Iterator[None]:
    """As :func:`draw_from`, within the block."""
    before = [(module, module.generator) for module in drawing_modules(model)]
    draw_from(model, generator)
    try:
        yield
    finally:
        for module, held in before:
            module.generator = held
