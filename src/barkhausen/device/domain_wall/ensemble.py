"""Ensembles: states × devices × cycles, arranged as the replicas of a simulation."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.seeds import mixed_seed
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.heat import event_heating
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Drive, Film, Waveform
from barkhausen.micromagnetics.ensemble import BYTES_OF_A_CELL
from barkhausen.micromagnetics.mumax3.script import mumax3_script

RECORD = 0.1e-9
"""Approximate time in s between records."""

SPREAD_OF_STARTS = 2
"""Number of the random stream of initial positions, distinct from those of edges and noise."""

DEFAULT_STATES = 5
"""Number of states if the protocol gives no gate voltages."""


class Ensemble:
    """States × devices × cycles arranged as replicas, state by state."""

    def __init__(self, parameters: DeviceParameters) -> None:
        how, protocol = parameters.characterisation, parameters.protocol
        self.parameters = parameters
        self.voltages = protocol.voltages(DEFAULT_STATES)
        self.shape = len(self.voltages), how.devices, how.cycles
        self.replicas = math.prod(self.shape)
        states, devices, cycles = self.shape
        self.film: Film = parameters.film()
        check_memory(
            BYTES_OF_A_CELL * self.film.grid.cells * float(self.replicas),
            f"characterisation: {states} states x {devices} devices x {cycles} cycles of {self.film.grid.cells} cells",
        )
        self.device_of_replica = torch.arange(devices).repeat_interleave(cycles).repeat(states)
        self.event = ProgrammingEvent(protocol, np.repeat(self.voltages, devices * cycles).tolist())
        self.starts = self._starts()
        # At 0 K nothing fluctuates, and the constants are not those of any heat.
        self.heating = event_heating(parameters, self.voltages) if how.temperature > 0 else None
        """Rise of the temperature in an event of each voltage; None without ``heat`` and at 0 K."""
        self.every = self.event.duration / max(1, round(self.event.duration / RECORD))
        self.dt = None if how.dt is None else self.every / max(1, round(self.every / how.dt))

    def _starts(self) -> Float[Tensor, " replica"]:
        """Initial wall positions in m: anywhere between the stops, as earlier events may have left them."""
        track, stop = self.parameters.track, self.parameters.shape.end_stops
        margin = max(stop.length, 0.1 * track.length)
        seed = mixed_seed(self.parameters.characterisation.seed, SPREAD_OF_STARTS)
        share = torch.rand(self.replicas, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        return margin + share * (track.length - 2 * margin)

    def temperature(self, each: int) -> float | Waveform:
        """Temperature in K of a simulation with ``each`` replicas of every voltage.

        That of ``characterisation``, or, where pulses heat the track by more than ``heat.simulated_above``, that of the
        track at each moment.
        """
        ambient, heat = self.parameters.characterisation.temperature, self.parameters.heat
        if heat is None or self.heating is None or self.heating.greatest <= heat.simulated_above:
            return ambient
        return self.heating.temperature(ambient, each)

    @property
    def drive(self) -> Drive:
        """Drive of the film, with one entry for each replica."""
        return self.event.drive(self.parameters.gate_of_simulation())

    def replica(self, state: int, device: int, cycle: int) -> int:
        """Replica of an event.

        Raises:
            InputError: There is no such event.
        """
        for name, value, count in zip(("state", "device", "cycle"), (state, device, cycle), self.shape, strict=True):
            if not 0 <= value < count:
                raise InputError(f"{name} = {value}: must be 0 to {count - 1}")
        return (state * self.shape[1] + device) * self.shape[2] + cycle

    def mumax3(
        self,
        state: int,
        device: int,
        cycle: int,
        *,
        in_metres: bool = False,
        every: float | None = None,
        dt: float | None = None,
        snapshots_every: float | None = None,
        edge_smooth: int = 8,
        maximal_regions: int = 200,
    ) -> str:
        """A mumax3 script of one event, with the same edges, anisotropy, pulses and start, and mumax3's own noise.

        Its temperature is that of ``characterisation``, without the heat of the pulses.

        Args:
            state, device, cycle: Numbers of the event; states are in the order of ``protocol.gate_voltages``.
            in_metres: Whether edges are written in metres instead of as filled fractions of cells, so that the cell
                size of the script can be changed.
            every: Time between rows of the table in s. Default: that of the ensemble.
            dt: Time step in s. Default: that of the ensemble, if ``every`` is not given.
            snapshots_every, edge_smooth, maximal_regions: As in
                :func:`~barkhausen.micromagnetics.mumax3.script.mumax3_script`.

        Raises:
            InputError: There is no such event, or an option does not fit.
        """
        number = self.replica(state, device, cycle)
        how = self.parameters.characterisation
        return mumax3_script(
            self.film.assign(self.device_of_replica),
            self.drive,
            duration=self.event.duration,
            every=self.every if every is None else every,
            replica=number,
            seed=how.seed,
            temperature=how.temperature,
            initial=float(self.starts[number]),
            dt=self.dt if dt is None and every is None else dt,
            snapshots_every=snapshots_every,
            edge_smooth=edge_smooth,
            maximal_regions=maximal_regions,
            outline=self.parameters.shape.outline(self.parameters.track) if in_metres else None,
            devices_seed=how.seed,
        )
