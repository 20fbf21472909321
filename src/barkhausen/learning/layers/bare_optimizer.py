"""A warning for an optimiser that moves latent weights without any device being programmed.

The latent weights of a converted model are ordinary parameters, so a bare torch optimiser trains them without an error,
but the layers compute with their devices, which only a learning rule programs. A hook after the steps of optimisers
compares version counters of tensors, which torch keeps on the host; nothing is read back from an accelerator.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

if TYPE_CHECKING:
    from barkhausen.learning.layers.base import SynapseLayer

STEPS = 3
"""Successive steps without a programming event after which an optimiser is warned of."""


class BareOptimizerWarning(UserWarning):
    """An optimiser moves latent weights, but no device is programmed."""


class _Watch:
    """What is known of one optimiser.

    Args:
        layers: Layers whose latent weights it holds.
        patience: Steps without a programming event after which it is warned of.
    """

    def __init__(self, layers: list[SynapseLayer], patience: int = STEPS) -> None:
        self.layers: WeakSet[SynapseLayer] = WeakSet(layers)
        self.patience = patience
        self.state: tuple[tuple[int, int], ...] = ()
        self.steps = 0
        self.expected = False
        """Whether the step is one of a learning rule, which programs the devices next."""
        self.done = not layers

    def stepped(self, optimizer: Optimizer) -> None:
        if self.expected:
            return
        learning = [layer for layer in self.layers if layer.latent_weight.grad is not None]
        if not learning:
            return
        # In-place changes raise the version; another tensor has another identity.
        state = tuple((id(layer.synapses.weight), layer.synapses.weight._version) for layer in learning)
        self.steps = self.steps + 1 if state == self.state or not self.state else 1
        self.state = state
        if self.steps < self.patience:
            return
        self.done = True
        name = type(optimizer).__name__
        warnings.warn(
            f"{name} has moved the latent weights of synapse layers in {self.steps} steps, and no device was "
            f"programmed: wrap it in a learning rule, such as InSitu({name}(…), model, generator), and call the step "
            "of that",
            BareOptimizerWarning,
            stacklevel=4,
        )


_layers: WeakSet[SynapseLayer] = WeakSet()
_watches: WeakKeyDictionary[Optimizer, _Watch] = WeakKeyDictionary()
_hooks: list[Any] = []


def watch_layer(layer: SynapseLayer) -> None:
    """Have the optimisers of a layer's latent weights watched."""
    _layers.add(layer)
    if not _hooks:
        _hooks.append(register_optimizer_step_post_hook(_after_step))


def watch_of(optimizer: Optimizer) -> _Watch:
    """The watch of an optimiser."""
    watch = _watches.get(optimizer)
    if watch is None:
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        layers = [layer for layer in _layers if id(layer.latent_weight) in held]
        watch = _watches[optimizer] = _Watch([] if getattr(optimizer, "programs_devices", False) else layers)
    return watch


def _after_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    if torch.compiler.is_compiling():
        return
    watch = _watches.get(optimizer) or watch_of(optimizer)
    if not watch.done:
        watch.stepped(optimizer)
