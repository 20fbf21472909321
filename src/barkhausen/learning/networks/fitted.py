"""Layers that are fitted to training samples before training, without gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

SAMPLES = 5000
"""Number of training samples that layers are fitted to."""


class FittedLayer(nn.Module, ABC):
    """A layer that is fitted to its inputs once, before training."""

    @abstractmethod
    def fit(self, x: Float[Tensor, "sample ..."]) -> None:
        """Fit to inputs of this layer."""


class _AllFitted(Exception):  # noqa: N818  # it ends a pass that is over, and is no error
    """The last layer was fitted; the rest of the network need not be computed."""


@torch.no_grad()
def fit_to_inputs(model: nn.Module, inputs: Float[Tensor, "sample feature"]) -> None:
    """Fit the layers of a network that are to be fitted, in place and in the order in which they are reached.

    Args:
        model: Untrained network.
        inputs: Training samples, of which the first 5000 are used.
    """
    waiting = [module for module in model.modules() if isinstance(module, FittedLayer)]
    if not waiting:
        return

    def fit(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, FittedLayer)
        layer.fit(arguments[0])
        waiting.remove(layer)
        if not waiting:
            raise _AllFitted

    training = model.training
    hooks = [layer.register_forward_pre_hook(fit) for layer in waiting]
    model.eval()
    try:
        model(inputs[:SAMPLES])
    except _AllFitted:
        pass
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
