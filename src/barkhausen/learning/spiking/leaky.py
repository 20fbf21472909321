"""Leaky integrate-and-fire cells, and integrate-and-fire cells without a leak."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.learning.spiking.cell import Cell


class LeakyCell(Cell):
    """Leaky integrate-and-fire neuron (LIF): j = i + input, v ← v + g j − λ v, i ← decay · j.

    The defaults are those of Norse for steps of 1 ms: time constants of 10 ms for the membrane and 5 ms for the synapse
    (g = λ = 0.1, decay 0.8). snnTorch's ``Leaky(beta)`` is g = 1, λ = 1 − beta, decay 0.

    Args:
        gain: g, change of the potential for a unit of current.
        leak: λ, part of the potential that is lost in a step.
        decay: Factor of the synaptic current for one step.
        options: Further arguments of :class:`.Cell`.
    """

    law = 0

    def __init__(self, gain: float = 0.1, leak: float = 0.1, decay: float = 0.8, **options: Any) -> None:
        super().__init__(decay=decay, **options)
        if not 0 <= leak <= 1:
            raise InputError(f"leak must be between 0 and 1, got {leak:g}")
        self.gain, self.leak = gain, leak

    @classmethod
    def of_times(cls, membrane: float, synapse: float, step: float, **options: Any) -> LeakyCell:
        """The cell with these time constants, which are all in the same unit; Euler's rule.

        Args:
            membrane: Time constant of the membrane; infinite for no leak, then the gain is that of 100 steps.
            synapse: Time constant of the synapse, or 0 for none.
            step: Time step.
            options: Further arguments.
        """
        if not (membrane >= step > 0 and (synapse == 0 or synapse >= step)):
            raise InputError(f"time constants must not be below the step of {step:g}, got {membrane:g} and {synapse:g}")
        leak = step / membrane
        gain = 0.01 if math.isinf(membrane) else leak
        return cls(gain, leak, 1.0 - step / synapse if synapse else 0.0, **options)

    def change(self, value: Tensor, current: Tensor, noise: Tensor | None) -> Tensor:
        """g j − λ v."""
        return self._scaled(self.gain * current - self.leak * value, noise)

    def law_numbers(self) -> tuple[float, ...]:
        """Gain and leak."""
        return self.gain, self.leak, 0.0, self.floor

    def extra_repr(self) -> str:
        """Gain and leak first."""
        return f"gain={self.gain:g}, leak={self.leak:g}, {super().extra_repr()}"


class IntegrateCell(LeakyCell):
    """Integrate-and-fire neuron (IF): :class:`LeakyCell` without a leak.

    Args:
        gain: Change of the potential for a unit of current.
        decay: Factor of the synaptic current for one step.
        options: Further arguments of :class:`.Cell`.
    """

    def __init__(self, gain: float = 0.1, decay: float = 0.8, **options: Any) -> None:
        super().__init__(gain, 0.0, decay, **options)
