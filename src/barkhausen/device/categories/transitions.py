"""What pulses make of the categories of a device, as plain tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Transitions:
    """Tables of a device whose states are categories.

    Args:
        probability: P(category after | category before, pulse); rows sum to 1.
        policy: Number of the pulse for each category and wanted state; −1 where none is needed.
        state: State that each category is; −1 for none.
        weight, spread: Mean weight and standard deviation of one read of each category.
        energies: Energy in J of each pulse, by cause.
        read_energy: Energy in J of one read by cause.
    """

    probability: Float[np.ndarray, "pulse category category"]
    policy: Int[np.ndarray, "category state"]
    state: Int[np.ndarray, " category"]
    weight: Float[np.ndarray, " category"]
    spread: Float[np.ndarray, " category"]
    energies: Mapping[str, Float[np.ndarray, " pulse"]] = field(default_factory=dict)
    read_energy: Mapping[str, float] = field(default_factory=dict)

    @property
    def pulses(self) -> int:
        """Number of pulses."""
        return len(self.probability)

    def first(self, state: int) -> int:
        """The first category of a state."""
        return int(np.flatnonzero(self.state == state)[0])
