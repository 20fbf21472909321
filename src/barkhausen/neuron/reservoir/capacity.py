"""Short-term-memory and parity-check capacities of a reservoir.

Binary inputs s = 0, 1 are held at random (u = −1, 1), and linear read-outs reconstruct from the states of one step

- short-term memory: y_k = s_{k−d},
- parity check: y_k = s_{k−d} + … + s_k modulo 2,

for every delay d. Each contributes the squared correlation of output and target on later steps than those of the
training; the capacity is their sum over the delays from 1 (H. Jaeger, GMD report 152 (2001); T. Furuta et al., Phys.
Rev. Applied 10, 034063 (2018)). Chance alone gives 1/n for n steps, which is subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError
from barkhausen.neuron.reservoir.read_out import ridge


@dataclass(frozen=True)
class Capacities:
    """Contributions of the delays 0, 1, …, and their sums from 1."""

    memory: Float[np.ndarray, " delay"]
    parity: Float[np.ndarray, " delay"]

    @property
    def memory_capacity(self) -> float:
        """Sum over the delays from 1."""
        return float(self.memory[1:].sum())

    @property
    def parity_capacity(self) -> float:
        """Sum over the delays from 1."""
        return float(self.parity[1:].sum())


def random_bits(steps: int, seed: int) -> Int[np.ndarray, " step"]:
    """Bits 0 and 1 with equal probability."""
    return np.random.default_rng(seed).integers(0, 2, steps)


def capacities(
    states: Float[np.ndarray, "step node"],
    bits: Int[np.ndarray, " step"],
    *,
    before: int,
    delays: int = 10,
    training: float = 0.6,
    penalty: float = 1e-6,
) -> Capacities:
    """Capacities from the states after bits.

    Args:
        states: States after the bits from number ``before`` on.
        bits: All bits, also those of the washout.
        before: Number of bits before the first state.
        delays: Largest delay.
        training: Part of the steps that the read-outs are trained on.
        penalty: Penalty of the ridge regression.

    Raises:
        InputError: There are fewer bits than states and delays need.
    """
    if before < delays or len(bits) != before + len(states):
        raise InputError(
            f"capacities: {len(states)} states after {before} of {len(bits)} bits; needs {delays} bits or more before "
            "the first state, and a bit for each state"
        )
    steps = np.arange(before, len(bits))
    memory = np.stack([bits[steps - delay] for delay in range(delays + 1)], 1)
    parity = np.cumsum(memory, 1) % 2
    targets = np.concatenate([memory, parity], 1).astype(np.float64)
    known = int(training * len(states))
    if known < 2 or len(states) - known < 3:
        raise InputError(f"capacities: {len(states)} states are too few")
    (found,) = ridge(states[:known], targets[:known], [penalty])
    outputs, wanted = found(states[known:]), targets[known:]
    share = np.array([_squared_correlation(a, b) for a, b in zip(outputs.T, wanted.T, strict=True)])
    share = np.maximum(share - 1 / (len(states) - known), 0.0)
    return Capacities(share[: delays + 1], share[delays + 1 :])


def _squared_correlation(one: np.ndarray, two: np.ndarray) -> float:
    spread = one.std() * two.std()
    return 0.0 if not spread > 0 else float((((one - one.mean()) * (two - two.mean())).mean() / spread) ** 2)
