"""Reservoir: a dynamical element that is driven by a sequence of numbers and read at virtual nodes.

One number is held for each step; within the step the element is read at so many times (virtual nodes), and at so many
places. A :class:`Run` takes several sequences side by side, step by step, so that its inputs may be those of a series
(open loop) or what a read-out made of its earlier states (closed loop).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

State = dict[str, np.ndarray]


class Run(abc.ABC):
    """An element in motion: several sequences side by side."""

    @abc.abstractmethod
    def step(self, inputs: Float[np.ndarray, " sequence"]) -> Float[np.ndarray, "sequence node"]:
        """Hold one input of each sequence for a step; states at the nodes."""

    @abc.abstractmethod
    def state(self) -> State:
        """All that the motion depends on, as arrays."""

    @abc.abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what :meth:`state` gave."""

    def intact(self) -> float:
        """Share of the replicas that still hold the texture that they started from."""
        return 1.0


class Element(abc.ABC):
    """A dynamical element that can be started any number of times."""

    @property
    @abc.abstractmethod
    def nodes(self) -> int:
        """Numbers read in one step."""

    @property
    def matrices(self) -> list[tuple[int, int, int]]:
        """Matrices that a step multiplies with in digital logic: outputs, inputs and uses; none for a magnet."""
        return []

    @abc.abstractmethod
    def start(self, sequences: int, seed: int) -> Run:
        """The element at rest, once for each sequence.

        Args:
            sequences: Number of sequences.
            seed: Seed of its noise.
        """

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """All parameters that the states depend on, as JSON."""
