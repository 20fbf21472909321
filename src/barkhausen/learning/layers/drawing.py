"""Modules whose forward pass draws random numbers, and the random stream that they draw from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

STREAM = "noise_stream"
"""Name of the buffer in which modules with a seed of their own keep it, and the number of their calls."""


class DrawingModule(nn.Module):
    """A module that is as random in evaluation as in training.

    Its draws come from ``generator``, which the surroundings set (:func:`draw_from`); None stands for torch's own.
    """

    generator: torch.Generator | None = None


def drawing_modules(model: nn.Module) -> list[DrawingModule]:
    """Modules of a model that draw random numbers, in order."""
    return [module for module in model.modules() if isinstance(module, DrawingModule)]


def draws(model: nn.Module) -> bool:
    """Whether a model draws random numbers, from a stream that is set or from seeds of its own (spiking networks)."""
    return bool(drawing_modules(model)) or bool(_seeded(model))


@contextlib.contextmanager
def drawing_anew(model: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """As :func:`drawing_from`, and modules with seeds of their own draw from others within the block."""
    seeded = _seeded(model)
    before = [module.get_buffer(STREAM).clone() for module in seeded]
    seed = generator.initial_seed() % 2**40
    for number, module in enumerate(seeded):
        held = module.get_buffer(STREAM)
        held.copy_(torch.tensor([seed + number, 0], dtype=held.dtype))
    try:
        with drawing_from(model, generator):
            yield
    finally:
        for module, held in zip(seeded, before, strict=True):
            module.get_buffer(STREAM).copy_(held)


def keep_stream(module: nn.Module, seed: int) -> None:
    """Give a module a random stream of its own: a saved network then draws what it would have drawn.

    Args:
        module: The module.
        seed: Seed of the stream.
    """
    module.register_buffer(STREAM, torch.tensor([seed, 0], dtype=torch.int64))


def next_of_stream(module: nn.Module, device: torch.device) -> torch.Generator:
    """The generator of the next call of a module with a stream of its own.

    Args:
        module: Module of :func:`keep_stream`.
        device: Torch device of the generator.
    """
    held = module.get_buffer(STREAM)
    seed, calls = held.tolist()
    held[1] += 1
    return torch.Generator(device).manual_seed((seed * 0x9E3779B97F4A7C15 + calls) % (1 << 63))


def _seeded(model: nn.Module) -> list[nn.Module]:
    """Modules that draw from seeds of their own."""
    return [module for module in model.modules() if STREAM in module._buffers and getattr(module, "noisy", True)]


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
