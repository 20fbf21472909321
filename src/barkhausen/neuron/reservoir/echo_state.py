"""Reservoirs without magnets, as baselines: an echo-state network, and a delay line that stores inputs alone.

H. Jaeger, GMD report 148 (2001); with leaky units, M. Lukosevicius, *A practical guide to applying echo state networks*
(2012):

    x ← (1 − a) x + a tanh(W_in u + b + W x)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from barkhausen.core.seeds import mixed_seed
from barkhausen.neuron.reservoir.base import Element, Run, State
from barkhausen.neuron.reservoir.parameters import EchoStateOptions


class StoredRun(Run):
    """A run whose state is one array."""

    def __init__(self, state: Float[np.ndarray, "sequence unit"]) -> None:
        self.now = state

    def state(self) -> State:
        """The array."""
        return {"now": self.now.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from it."""
        self.now = np.array(state["now"])


class EchoStateRun(StoredRun):
    """An echo-state network in motion."""

    def __init__(self, network: EchoStateNetwork, sequences: int) -> None:
        super().__init__(np.zeros((sequences, network.nodes)))
        self.network = network

    def step(self, inputs: Float[np.ndarray, " sequence"]) -> Float[np.ndarray, "sequence node"]:
        """One update of all units."""
        network, leak = self.network, self.network.options.leak
        inner = inputs[:, None] * network.input_weights + network.biases + self.now @ network.weights.T
        self.now = (1 - leak) * self.now + leak * np.tanh(inner)
        return self.now


@dataclass(frozen=True, eq=False)
class EchoStateNetwork(Element):
    """Leaky tanh units with random sparse weights.

    Args:
        options: Sizes and scales.
        seed: Seed of the weights.
    """

    options: EchoStateOptions
    seed: int = 0

    @property
    def nodes(self) -> int:
        """Number of units."""
        return self.options.units

    @property
    def matrices(self) -> list[tuple[int, int, int]]:
        """The recurrent weights that are not zero, with the input and the bias of each unit."""
        return [(self.nodes, round(self.options.connectivity * self.nodes) + 2, 1)]

    @cached_property
    def weights(self) -> Float[np.ndarray, "unit unit"]:
        """Recurrent weights, uniform from −1 to 1 where they are not zero, scaled to the spectral radius."""
        rng = np.random.default_rng(mixed_seed(self.seed, 0))
        size = (self.nodes, self.nodes)
        values = rng.uniform(-1, 1, size) * (rng.random(size) < self.options.connectivity)
        radius = float(np.abs(np.linalg.eigvals(values)).max())
        return values * (self.options.spectral_radius / radius) if radius > 0 else values

    @cached_property
    def input_weights(self) -> Float[np.ndarray, " unit"]:
        """Weights of the input, uniform up to the input scale in both signs."""
        rng = np.random.default_rng(mixed_seed(self.seed, 1))
        return self.options.input_scale * rng.uniform(-1, 1, self.nodes)

    @cached_property
    def biases(self) -> Float[np.ndarray, " unit"]:
        """Biases, uniform up to their scale in both signs."""
        rng = np.random.default_rng(mixed_seed(self.seed, 2))
        return self.options.bias_scale * rng.uniform(-1, 1, self.nodes)

    def start(self, sequences: int, seed: int) -> EchoStateRun:
        """All units at zero; there is no noise."""
        return EchoStateRun(self, sequences)

    def describe(self) -> dict[str, Any]:
        """Options and seed of the weights."""
        return {"kind": "EchoStateNetwork", "seed": self.seed, **self.options.model_dump(mode="json")}


class DelayRun(StoredRun):
    """The last input of each sequence."""

    def step(self, inputs: Float[np.ndarray, " sequence"]) -> Float[np.ndarray, "sequence 1"]:
        """The input itself."""
        self.now = np.array(inputs, np.float64)[:, None]
        return self.now


class DelayLine(Element):
    """An element whose only node is its input: with the last steps in the read-out, a linear autoregression."""

    nodes = 1

    def start(self, sequences: int, seed: int) -> DelayRun:
        """Zero."""
        return DelayRun(np.zeros((sequences, 1)))

    def describe(self) -> dict[str, Any]:
        """Nothing to choose."""
        return {"kind": "DelayLine"}
