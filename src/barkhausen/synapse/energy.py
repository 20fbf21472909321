"""From counts to joules, by cause.

One programming attempt to state k costs the Joule heat of the reset and programming pulses, one charging of
the gate to V_k, and one verify read: the margin rule compares the weight with its level, so each attempt is
read once. All three come from the device file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.device import CharacterisedDevice
from barkhausen.synapse.counters import ProgrammingCounters


@dataclass(frozen=True)
class EnergyBreakdown:
    """Energy in J by cause."""

    sot: float = 0.0
    gate: float = 0.0
    read: float = 0.0

    @property
    def total(self) -> float:
        """Sum of all causes in J."""
        return self.sot + self.gate + self.read

    def __add__(self, other: EnergyBreakdown) -> EnergyBreakdown:
        return EnergyBreakdown(self.sot + other.sot, self.gate + other.gate, self.read + other.read)

    def __sub__(self, other: EnergyBreakdown) -> EnergyBreakdown:
        return EnergyBreakdown(self.sot - other.sot, self.gate - other.gate, self.read - other.read)

    def __mul__(self, number: float) -> EnergyBreakdown:
        return EnergyBreakdown(self.sot * number, self.gate * number, self.read * number)

    def __truediv__(self, number: float) -> EnergyBreakdown:
        return EnergyBreakdown(self.sot / number, self.gate / number, self.read / number)


@dataclass(frozen=True)
class AttemptEnergies:
    """Prices in J of one programming attempt to each state, by cause."""

    sot: Float[np.ndarray, " state"]
    gate: Float[np.ndarray, " state"]
    read: Float[np.ndarray, " state"]

    @classmethod
    def from_device(cls, device: CharacterisedDevice) -> AttemptEnergies:
        """The prices that the device file gives."""
        return cls(device.energy("sot"), device.energy("gate"), device.energy("read"))

    def of_attempts(self, attempts: Int[np.ndarray, " state"]) -> EnergyBreakdown:
        """Breakdown of that many attempts to each state."""
        return EnergyBreakdown(*(float(attempts @ price) for price in (self.sot, self.gate, self.read)))

    def of_counters(self, counters: ProgrammingCounters) -> EnergyBreakdown:
        """Breakdown of everything an array has counted: all phases, all attempts."""
        return self.of_attempts(counters.attempts.sum(dim=(0, 2)).cpu().numpy())
