"""A programming event in time: the waveforms of current and gate voltage, and their energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from barkhausen.device.domain_wall.gates import TrackGate
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.protocol import ProgrammingProtocol
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Drive, Gate, Waveform

LEAD = 0.1e-9
"""Time in s before the reset pulse, in which a new wall relaxes to its shape."""


@dataclass(frozen=True)
class ProgrammingEvent:
    """Waveforms and times of one programming attempt for several gate voltages.

    Args:
        protocol: Amplitudes and durations of the pulses.
        voltages: Gate voltage in V of each replica of a simulation (or of each state).
    """

    protocol: ProgrammingProtocol
    voltages: Sequence[float]

    @property
    def reset_end(self) -> float:
        """Time in s at which the reset pulse has decayed."""
        return LEAD + self.protocol.reset.width + 2 * self.protocol.edge_time

    @property
    def program_start(self) -> float:
        """Time in s at which the programming current begins to rise."""
        return self.reset_end + self.protocol.settle + self.protocol.gate_hold

    @property
    def program_end(self) -> float:
        """Time in s at which the programming current has decayed."""
        return self.program_start + self.protocol.program.width + 2 * self.protocol.edge_time

    @property
    def duration(self) -> float:
        """Duration in s from the start to the read."""
        return self.program_end + self.protocol.gate_hold + self.protocol.relaxation

    def current_density(self) -> Waveform:
        """Current density in A/m² in the heavy metal: the reset drives walls along −x, programming along +x."""
        p = self.protocol
        edge = p.edge_time
        reset = Waveform.pulse(-abs(p.reset.current_density), p.reset.width, start=LEAD, rise=edge, fall=edge)
        program = Waveform.pulse(
            abs(p.program.current_density), p.program.width, start=self.program_start, rise=edge, fall=edge
        )
        return reset + program

    def gate_voltage(self) -> Waveform:
        """Gate voltage in V: first that of the reset, then that of the state."""
        p = self.protocol
        reset = Waveform.pulse(p.reset_voltage, p.reset.width + 2 * p.edge_time, start=LEAD)
        held = p.program.width + 2 * p.edge_time + 2 * p.gate_hold
        state = Waveform.pulse(
            torch.tensor(self.voltages, dtype=torch.float64), held, start=self.program_start - p.gate_hold
        )
        return reset + state

    def drive(self, gate: Gate) -> Drive:
        """Drive of the film, with one replica for each voltage."""
        return Drive(current_density=self.current_density(), gate_voltage=self.gate_voltage(), gate=gate)

    def sot_energy(self, track: Racetrack) -> Float[np.ndarray, " replica"]:
        """Joule heat in J of both current pulses: rho L w t ∫ J² dt of the actual waveform."""
        integral = self.current_density().integral_of_square(self.duration).numpy()
        return np.broadcast_to(track.joule_heat(1.0, 1.0) * integral, len(self.voltages)).copy()

    def gate_levels(self) -> tuple[Float[np.ndarray, "interval replica"], Float[np.ndarray, " interval"]]:
        """Gate voltage in V between its steps, and how long in s it stays there."""
        wave = self.gate_voltage()
        knots = torch.unique(wave.times)
        # The voltage is constant between knots and has two values at a knot.
        levels = wave(0.5 * (knots[1:] + knots[:-1])).numpy()
        return np.broadcast_to(levels, (len(levels), len(self.voltages))).copy(), knots.diff().numpy()

    def gate_energy(self, track: Racetrack, gate: TrackGate, junction: TunnelJunction) -> Float[np.ndarray, " replica"]:
        """Energy in J drawn from the supplies by the gate (:meth:`TrackGate.energy`) in the whole event."""
        return gate.energy(track, junction, *self.gate_levels())
