"""Recurrent networks: LSTM or GRU layers, and a linear read-out of their last step."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.config import StrictParameters
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, SavedSizes, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe


class RecurrentOptions(StrictParameters):
    """The table ``[network.options]`` of a recipe."""

    bidirectional: bool = False
    """Whether every layer goes through the steps backwards too."""


class AsSequence(nn.Module):
    """A row of inputs as the steps of a sequence [sample, step, input].

    Args:
        shape: Steps and inputs of a step; channels, rows and columns of images with channels, whose rows are the steps;
            number of features of a table, each a step.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    @property
    def sizes(self) -> tuple[int, int]:
        """Steps, and inputs of a step."""
        if len(self.shape) == 3:
            return self.shape[1], self.shape[0] * self.shape[2]
        return self.shape[0], math.prod(self.shape[1:])

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample step input"]:
        """Split the rows."""
        steps, inputs = self.sizes
        if len(self.shape) == 3:
            return x.reshape(-1, *self.shape).transpose(1, 2).reshape(-1, steps, inputs)
        return x.reshape(-1, steps, inputs)

    def extra_repr(self) -> str:
        """Sizes, as ``print(model)`` shows them."""
        return "steps={}, inputs={}".format(*self.sizes)


class RecurrentNetwork(nn.Module):
    """Recurrent layers one after the other, a normalisation of the last hidden state, and a read-out.

    Args:
        sequence: What makes rows into sequences.
        layers: Recurrent layers by name, batch first.
        norm: Normalisation of the last hidden state; None for none.
        output: Read-out.
    """

    def __init__(
        self, sequence: AsSequence, layers: OrderedDict[str, nn.Module], norm: nn.Module | None, output: nn.Module
    ) -> None:
        super().__init__()
        self.sequence = sequence
        self.names = list(layers)
        for name, layer in layers.items():
            self.add_module(name, layer)
        if norm is not None:
            self.norm = norm
        self.normalised = norm is not None
        self.output = output

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample output"]:
        """Outputs for the last step."""
        steps: Tensor = self.sequence(x)
        for name in self.names:
            steps, state = getattr(self, name)(steps)
        # The last state of both directions; that of an LSTM is its hidden state and its cell state.
        hidden = state if isinstance(state, Tensor) else state[0]
        last = hidden.transpose(0, 1).flatten(1)
        out: Tensor = self.output(self.norm(last) if self.normalised else last)
        return out


def _build(
    kind: Callable[..., nn.LSTM | nn.GRU], network: NetworkRecipe, shapes: Shapes, layers: FloatLayers
) -> nn.Module:
    assert isinstance(network.options, RecurrentOptions)
    sequence = AsSequence(shapes.image)
    steps, inputs = sequence.sizes
    directions = 2 if network.options.bidirectional else 1
    sizes = [inputs, *(directions * size for size in network.hidden)]
    made: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (given, wide) in enumerate(pairwise(sizes), 1):
        made[f"{kind.__name__.lower()}{number}"] = layers.recurrent(
            kind, given, wide // directions, steps, bidirectional=network.options.bidirectional
        )
    return RecurrentNetwork(
        sequence, made, network.parts.norm(sizes[-1]), layers.linear(sizes[-1], shapes.classes, network.parts.bias)
    )


def _saved_shapes(saved: SavedSizes) -> Shapes:
    """The sequence of the data set, and outputs of the last layer."""
    image = saved.image()
    return Shapes(saved.dataset, math.prod(image), saved.weights[-1][0], image)


def _network(kind: type[nn.LSTM] | type[nn.GRU], label: str) -> Network:
    return Network(
        name=kind.__name__.lower(),
        label=label,
        output=CLASSES,
        build=partial(_build, kind),
        saved_shapes=_saved_shapes,
        options=RecurrentOptions,
        least_hidden=1,
    )


LSTM = NETWORKS.register("lstm", _network(nn.LSTM, "LSTM network"))
GRU = NETWORKS.register("gru", _network(nn.GRU, "GRU network"))
