"""Pulses of a programming event: reset of the wall, then programming under a constant gate voltage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.track import Racetrack

Voltage = Annotated[float, Field(allow_inf_nan=False), checked_as("gate voltage")]
Duration = Annotated[float, Field(ge=0, allow_inf_nan=False), checked_as("pulse duration")]


FEMTOSECOND = 1e-15


def common_step(durations: Sequence[float], advised: float) -> float:
    """Longest time step in s that divides all durations (s), to a femtosecond, and is not above an advised one."""
    common = math.gcd(*(max(1, round(duration / FEMTOSECOND)) for duration in durations)) * FEMTOSECOND
    return common / math.ceil(common / advised * (1 - 1e-9))


class Pulse(Parameters):
    """A current pulse through the heavy metal; its energy does not depend on the sign of the current."""

    current_density: Annotated[float, Field(allow_inf_nan=False), checked_as("current density")] = 1e11
    """Current density in A/m²."""
    width: Annotated[Positive, checked_as("pulse duration")] = 1e-9
    """Duration of the plateau in s."""


class ProgrammingProtocol(Parameters):
    """One programming attempt: a reset pulse, then a programming pulse under the state's gate voltage.

    The current pulse is the same for all states; the gate voltage selects the state, as in the
    voltage-controlled device of arXiv:2111.07284. Amplitudes and durations are our assumptions.

    The sequence in time: the reset pulse drives the wall back to the left end (for either sign of its current density)
    under ``reset_voltage``; after ``settle``, the gate rises and the programming pulse drives the wall to the right;
    the gate falls ``gate_hold`` after the pulse; after ``relaxation``, the wall is read.
    """

    reset: Pulse = Pulse()
    program: Pulse = Pulse()
    gate_voltages: Annotated[tuple[Voltage, ...], Field(min_length=1)] | None = None
    """Gate voltage in V of each state. Default: evenly spaced from −0.5 V to 0.5 V."""
    reset_voltage: Voltage = 0.0
    """Gate voltage in V during the reset pulse. A voltage that lowers the pinning helps the wall reach its reset
    position."""
    edge_time: Duration = 0.0
    """Rise and fall times of current pulses in s, in addition to the plateau."""
    settle: Duration = 1e-9
    """Waiting time in s between reset and programming."""
    gate_hold: Duration = 0.2e-9
    """Time in s before and after the programming pulse during which the gate is on."""
    relaxation: Duration = 1e-9
    """Waiting time in s before the wall is read."""

    def voltages(self, states: int) -> tuple[float, ...]:
        """Gate voltage of each of ``states`` states in V."""
        if self.gate_voltages is not None:
            return self.gate_voltages
        return tuple(-0.5 + k / (states - 1) for k in range(states))

    @property
    def gate_time(self) -> float:
        """Time in s for which the gate is on for the programming pulse."""
        return self.program.width + 2 * self.edge_time + 2 * self.gate_hold

    def sot_energy(self, track: Racetrack) -> float:
        """Joule heat in J of both current pulses of one attempt; a linear edge counts a third of its duration."""
        flanks = 2 * self.edge_time / 3
        return sum(track.joule_heat(p.current_density, p.width + flanks) for p in (self.reset, self.program))
