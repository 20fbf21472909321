"""An element whose input is one of its nodes, so that the read-out sees it as well as the states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from barkhausen.neuron.reservoir.base import Element, Run, State


class RunWithInput(Run):
    """A run whose last node is the input."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def step(self, inputs: Float[np.ndarray, " sequence"]) -> Float[np.ndarray, "sequence node"]:
        """States of the element, and the input."""
        return np.concatenate([self.run.step(inputs), np.asarray(inputs, np.float64)[:, None]], axis=1)

    def state(self) -> State:
        """That of the element."""
        return self.run.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume the element."""
        self.run.restore(state)

    def intact(self) -> float:
        """That of the element."""
        return self.run.intact()


@dataclass(frozen=True)
class WithInput(Element):
    """An element and its input.

    Args:
        element: Element.
    """

    element: Element

    @property
    def nodes(self) -> int:
        """One more than those of the element."""
        return self.element.nodes + 1

    def start(self, sequences: int, seed: int) -> RunWithInput:
        """The element at rest."""
        return RunWithInput(self.element.start(sequences, seed))

    def describe(self) -> dict[str, Any]:
        """The element's own parameters."""
        return {"kind": "WithInput", "element": self.element.describe()}
