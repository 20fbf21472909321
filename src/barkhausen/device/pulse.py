"""The pulses of a programming event: reset the wall, then drive it with a gate voltage held."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from barkhausen.device.racetrack import Positive, Racetrack

Voltage = Annotated[float, Field(allow_inf_nan=False)]


class Pulse(BaseModel):
    """A rectangular current pulse through the heavy metal; the sign of the current does not cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    current_density: Annotated[float, Field(allow_inf_nan=False)] = 1e11
    """Current density in A/m²."""
    width: Positive = 1e-9
    """Duration in s."""


class ProgrammingProtocol(BaseModel):
    """One programming attempt: a reset pulse, then a programming pulse under the state's gate voltage.

    The current pulse is the same for all states; the gate voltage chooses the state, as in the
    voltage-controlled device of arXiv:2111.07284. Amplitudes and durations are our assumptions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reset: Pulse = Pulse()
    program: Pulse = Pulse()
    gate_voltages: tuple[Voltage, ...] | None = None
    """Gate voltage in V of each state; by default evenly spaced from −0.5 V to 0.5 V."""

    def voltages(self, states: int) -> tuple[float, ...]:
        """Gate voltage of each of ``states`` states in V."""
        if self.gate_voltages is not None:
            return self.gate_voltages
        return tuple(-0.5 + k / (states - 1) for k in range(states))

    def sot_energy(self, track: Racetrack) -> float:
        """Joule heat in J of one attempt: both current pulses."""
        return sum(track.joule_heat(p.current_density, p.width) for p in (self.reset, self.program))
