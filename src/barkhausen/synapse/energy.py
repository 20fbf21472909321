"""Programming energy by cause, computed from counts of attempts.

The device file gives the energy of one programming attempt to each state by cause: in a domain-wall device the Joule
heat of the reset and programming pulses, one charging of the gate to the voltage of the state, and one verify read (the
margin rule compares the weight with its level, so each attempt is read once). Other technologies have other causes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.renamed import deprecated
from barkhausen.device import CharacterisedDevice
from barkhausen.device.categories.transitions import Transitions
from barkhausen.synapse.counters import Phase, ProgrammingCounters
from barkhausen.synapse.plots import describe_energy, plot_energy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class EnergyBreakdown:
    """Energy in J by cause; sums and multiples of breakdowns are breakdowns.

    Args:
        by_cause: Energy of each cause. Default: none, which is zero.
        labels: Name of each cause in tables and figures. Default: the causes themselves.
    """

    by_cause: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Sum of all causes in J."""
        # Not the built-in sum: from Python 3.12 on it rounds differently.
        total = 0.0
        for value in self.by_cause.values():
            total += value
        return total

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the energy of each cause as a bar (:func:`~barkhausen.synapse.plots.plot_energy`)."""
        return plot_energy(self, axes)

    def __repr__(self) -> str:
        return describe_energy(self).text()

    def _repr_html_(self) -> str:
        # Totals are facts, causes a table: not both twice.
        description = describe_energy(self)
        return replace(description, facts={"total": description.facts["total"]}).html()

    def label(self, cause: str) -> str:
        """Name of a cause in tables and figures."""
        return self.labels.get(cause, cause)

    def __add__(self, other: EnergyBreakdown) -> EnergyBreakdown:
        return self._with(other, lambda mine, its: mine + its)

    def __sub__(self, other: EnergyBreakdown) -> EnergyBreakdown:
        return self._with(other, lambda mine, its: mine - its)

    def __mul__(self, number: float) -> EnergyBreakdown:
        return EnergyBreakdown({cause: value * number for cause, value in self.by_cause.items()}, self.labels)

    def __truediv__(self, number: float) -> EnergyBreakdown:
        return EnergyBreakdown({cause: value / number for cause, value in self.by_cause.items()}, self.labels)

    def _with(self, other: EnergyBreakdown, combined: Callable[[float, float], float]) -> EnergyBreakdown:
        causes = dict.fromkeys((*self.by_cause, *other.by_cause))
        pairs = {cause: (self.by_cause.get(cause, 0.0), other.by_cause.get(cause, 0.0)) for cause in causes}
        return EnergyBreakdown(
            {cause: combined(*pair) for cause, pair in pairs.items()}, {**self.labels, **other.labels}
        )

    @property
    def sot(self) -> float:
        """Deprecated: ``by_cause["sot"]``."""
        return self._of("sot")

    @property
    def gate(self) -> float:
        """Deprecated: ``by_cause["gate"]``."""
        return self._of("gate")

    @property
    def read(self) -> float:
        """Deprecated: ``by_cause["read"]``."""
        return self._of("read")

    def _of(self, cause: str) -> float:
        deprecated(f"EnergyBreakdown.{cause}", f"EnergyBreakdown.by_cause[{cause!r}]", stacklevel=4)
        return self.by_cause.get(cause, 0.0)


@dataclass(frozen=True, eq=False)
class AttemptEnergies:
    """Energy in J of one programming attempt to each state, by cause.

    Args:
        by_cause: Energies of each cause.
        labels: Name of each cause in tables and figures.
        transitions: Energies of single pulses of a device whose states are categories. Default: none.
    """

    by_cause: Mapping[str, Float[np.ndarray, " state"]]
    labels: Mapping[str, str] = field(default_factory=dict)
    transitions: Transitions | None = None

    @classmethod
    def from_device(cls, device: CharacterisedDevice) -> AttemptEnergies:
        """The energies that the device file gives."""
        causes = device.energy_causes
        return cls({cause: device.energy(cause) for cause in causes}, causes, device.transitions)

    def of_attempts(self, attempts: Int[np.ndarray, " state"]) -> EnergyBreakdown:
        """Breakdown of that many attempts to each state."""
        return EnergyBreakdown(
            {cause: float(attempts @ energy) for cause, energy in self.by_cause.items()}, dict(self.labels)
        )

    def of_counters(self, counters: ProgrammingCounters, phase: Phase | None = None) -> EnergyBreakdown:
        """Breakdown of everything an array has counted, all attempts included.

        A device whose states are categories takes the pulses counted, a read before the first one of an event, and a
        read after each attempt.

        Args:
            counters: Counters of an array.
            phase: Phase that counts. Default: all.
        """
        phases = list(Phase) if phase is None else [phase]
        attempts = counters.attempts[phases]
        if self.transitions is None or counters.pulses is None:
            return self.of_attempts(attempts.sum(dim=(0, 2)).cpu().numpy())
        pulses = counters.pulses[phases].sum(0).cpu().numpy()
        reads = int(attempts.sum()) + int(attempts[..., 0].sum())
        parts = {cause: float(pulses @ energy) for cause, energy in self.transitions.energies.items()}
        parts |= {cause: reads * energy for cause, energy in self.transitions.read_energy.items()}
        return EnergyBreakdown(parts, dict(self.labels))
