"""Programming of arrays that a learning rule keeps beside those of the weights, such as the fast array of Tiki-Taka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from barkhausen.synapse import EnergyBreakdown, Phase
from barkhausen.synapse.pulsed.array import PulsedArray

SUFFIX = ", second array"
"""End of the names of causes of energy of second arrays."""


@dataclass(frozen=True)
class SecondArrays:
    """Counts and energies of second arrays.

    Args:
        synapses: Number of their synapses.
        pulses: Number of pulses by phase.
        energy: Energy in J by phase, with causes of their own.
    """

    synapses: int = 0
    pulses: Mapping[Phase, int] = field(default_factory=dict)
    energy: Mapping[Phase, EnergyBreakdown] = field(default_factory=dict)

    @classmethod
    def of(cls, arrays: Sequence[PulsedArray]) -> SecondArrays:
        """What arrays have counted.

        Args:
            arrays: The second arrays of a learner; there may be none.
        """
        if not arrays:
            return cls()
        energies = {}
        for phase in Phase:
            total = EnergyBreakdown()
            for array in arrays:
                total += array.energy(phase)
            energies[phase] = EnergyBreakdown(
                {f"{cause}{SUFFIX}": joule for cause, joule in total.by_cause.items()},
                {f"{cause}{SUFFIX}": f"{label}{SUFFIX}" for cause, label in total.labels.items()},
            )
        pulses = {phase: sum(int(array.counters.events(phase).sum()) for array in arrays) for phase in Phase}
        return cls(sum(array.weight.numel() for array in arrays), pulses, energies)

    def of_phase(self, phase: Phase) -> EnergyBreakdown:
        """Energy in J of one phase; zero where there are no second arrays."""
        return self.energy.get(phase, EnergyBreakdown())

    @property
    def total(self) -> EnergyBreakdown:
        """Energy in J of both phases."""
        return self.of_phase(Phase.INITIAL) + self.of_phase(Phase.TRAINING)

    def summary(self) -> dict[str, Any]:
        """Counts and energies as a summary keeps them under ``programming``; empty where there are no second arrays."""
        if not self.synapses:
            return {}
        phases = {
            phase.name.lower(): {
                "pulses": self.pulses[phase],
                "by_cause": dict(self.energy[phase].by_cause),
                "labels": dict(self.energy[phase].labels),
            }
            for phase in Phase
        }
        return {"second_arrays": {"synapses": self.synapses, **phases}}

    @classmethod
    def from_summary(cls, programming: Mapping[str, Any]) -> SecondArrays:
        """What :meth:`summary` has written.

        Args:
            programming: The table ``programming`` of a summary.
        """
        held = programming.get("second_arrays")
        if held is None:
            return cls()
        parts = {phase: held[phase.name.lower()] for phase in Phase}
        return cls(
            int(held["synapses"]),
            {phase: int(part["pulses"]) for phase, part in parts.items()},
            {phase: EnergyBreakdown(part["by_cause"], part["labels"]) for phase, part in parts.items()},
        )
