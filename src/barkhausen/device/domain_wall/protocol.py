"""The pulses of a programming event: reset the wall, then drive it with a gate voltage held."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Parameters, Positive
from barkhausen.device.domain_wall.track import Racetrack

Voltage = Annotated[float, Field(allow_inf_nan=False)]
Duration = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Pulse(Parameters):
    """A current pulse through the heavy metal; the sign of the current does not cost."""

    current_density: Annotated[float, Field(allow_inf_nan=False)] = 1e11
    """Current density in A/m²."""
    width: Positive = 1e-9
    """Duration of the plateau in s."""


class ProgrammingProtocol(Parameters):
    """One programming attempt: a reset pulse, then a programming pulse under the state's gate voltage.

    The current pulse is the same for all states; the gate voltage chooses the state, as in the
    voltage-controlled device of arXiv:2111.07284. Amplitudes and durations are our assumptions.

    In time: the reset pulse drives the wall back to the left end (whatever the sign of its current density) under
    ``reset_voltage``; ``settle``; the gate rises, and the programming pulse drives the wall to the right; the gate
    falls ``gate_hold`` after it; ``relaxation``; then the wall is read.
    """

    reset: Pulse = Pulse()
    program: Pulse = Pulse()
    gate_voltages: tuple[Voltage, ...] | None = None
    """Gate voltage in V of each state; by default evenly spaced from −0.5 V to 0.5 V."""
    reset_voltage: Voltage = 0.0
    """Gate voltage in V during the reset pulse: one that lowers the pinning lets the wall reach its reset position."""
    edge_time: Duration = 0.0
    """Rise and fall of current pulses in s; they come on top of the plateau."""
    settle: Duration = 1e-9
    """Wait between reset and programming in s."""
    gate_hold: Duration = 0.2e-9
    """How long before and after the programming pulse the gate is up, in s."""
    relaxation: Duration = 1e-9
    """Wait before the wall is read, in s."""

    def voltages(self, states: int) -> tuple[float, ...]:
        """Gate voltage of each of ``states`` states in V."""
        if self.gate_voltages is not None:
            return self.gate_voltages
        return tuple(-0.5 + k / (states - 1) for k in range(states))

    def sot_energy(self, track: Racetrack) -> float:
        """Joule heat in J of one attempt: both current pulses, of a linear edge a third of its duration."""
        flanks = 2 * self.edge_time / 3
        return sum(track.joule_heat(p.current_density, p.width + flanks) for p in (self.reset, self.program))
