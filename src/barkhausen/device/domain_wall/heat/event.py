"""Rise of the temperature of a track during a programming event, from the waveforms of current and gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from barkhausen.device.domain_wall.event import LEAD, ProgrammingEvent
from barkhausen.micromagnetics import Waveform

if TYPE_CHECKING:
    from barkhausen.device.domain_wall.parameters import DeviceParameters

EDGE_PARTS = 12
"""Pieces of an edge of a pulse: its power is a square of the time, here linear in each piece."""

TIMES_OF_A_PIECE = 16
"""Times at which the temperature is computed between two changes of the power, closer together after the first."""

PULSES = ("reset", "program", "read")
"""What heats a track."""


@dataclass(frozen=True)
class EventHeating:
    """Rise of the temperature during one event, for each gate voltage.

    Args:
        times: Times in s from the start of the event to its end.
        rise: Mean rise in K of the track.
        peaks: Greatest rise in K in each pulse, by its name in :data:`PULSES`.
        energies: Heat in J by cause: the pulses of current, the leakage of the gate, the read.
    """

    times: Float[np.ndarray, " time"]
    rise: Float[np.ndarray, "time voltage"]
    peaks: dict[str, Float[np.ndarray, " voltage"]]
    energies: dict[str, Float[np.ndarray, " voltage"]]

    @property
    def greatest(self) -> float:
        """Greatest rise in K of all."""
        return float(self.rise.max())

    def select(self, voltages: Sequence[int]) -> EventHeating:
        """Heating of the events of some voltages, by their numbers."""
        chosen = list(voltages)
        return EventHeating(
            self.times,
            self.rise[:, chosen],
            {name: value[chosen] for name, value in self.peaks.items()},
            {name: value[chosen] for name, value in self.energies.items()},
        )

    def summary(self) -> xr.Dataset:
        """Greatest rise in each pulse, as an optional variable of a device file."""
        words = {"units": "K", "long_name": "greatest rise of the temperature of the track in a pulse"}
        rise = np.array([self.peaks[name] for name in PULSES])
        return xr.Dataset({"temperature_rise": (("pulse", "state"), rise, words)}, coords={"pulse": list(PULSES)})

    def history(self, ambient: float, times: Float[np.ndarray, " record"]) -> xr.DataArray:
        """Temperature in K of the track at times of records, from the temperature before the event."""
        columns = [ambient + np.interp(times, self.times, column) for column in self.rise.T]
        words = {"units": "K", "long_name": "temperature of the track by the heat of the pulses"}
        return xr.DataArray(np.stack(columns, axis=1), dims=("time", "state"), attrs=words)

    def temperature(self, ambient: float, each: int = 1) -> Waveform:
        """Temperature in K as a waveform of a simulation, one column if it is the same for all voltages.

        Args:
            ambient: Temperature in K before the event.
            each: Number of replicas of each voltage, which follow each other.
        """
        values = torch.from_numpy(ambient + self.rise)
        values = values[:, :1] if bool((values == values[:, :1]).all()) else values.repeat_interleave(each, dim=1)
        return Waveform(torch.from_numpy(self.times)[:, None], values)


def event_heating(parameters: DeviceParameters, voltages: Sequence[float]) -> EventHeating | None:
    """Rise of the temperature of a track during an event; None for a device without ``heat``.

    What heats it: rho J² t of the heavy metal, V²/RA of a gate that leaks, and V²/RA of the read at the conductance of
    the parallel junction, all spread over the whole track. Charging the gate is left out. The resistance does not
    change with the temperature, and events are so far apart that the track has cooled.

    Args:
        parameters: Device with its track, gate, junction, protocol and heat.
        voltages: Gate voltage in V of each state.
    """
    heat = parameters.heat
    if heat is None:
        return None
    track, gate = parameters.track, parameters.gate
    event = ProgrammingEvent(parameters.protocol, voltages)
    strip = heat.strip(track, gate.below(track))
    sources = _sources(parameters, event)
    marks = _marks(list(sources.values()), event.duration)
    knots, fluxes = _powers(list(sources.values()), marks)
    times = _times(marks)
    rise = strip.rise(knots, np.sum(fluxes, axis=0), times)
    start = event.duration - _read_time(parameters)
    spans = {
        "reset": (LEAD, event.reset_end),
        "program": (event.program_start, event.program_end),
        "read": (start, event.duration),
    }
    slack = 1e-9 * event.duration
    peaks = {
        name: rise[(times >= first - slack) & (times <= last + slack)].max(axis=0)
        for name, (first, last) in spans.items()
    }
    energies = {
        name: track.area * np.trapezoid(flux, knots, axis=0) for name, flux in zip(sources, fluxes, strict=True)
    }
    return EventHeating(times, rise, peaks, energies)


def _read_time(parameters: DeviceParameters) -> float:
    """Duration in s of the read within the relaxation, as a characterisation reads."""
    return min(parameters.junction.read_time, parameters.protocol.relaxation)


def _sources(parameters: DeviceParameters, event: ProgrammingEvent) -> dict[str, tuple[Waveform, float]]:
    """Signals by cause, and the power per area in W/m² of a unit of their square."""
    track, junction = parameters.track, parameters.junction
    read = Waveform.pulse(junction.read_voltage, _read_time(parameters), start=event.duration - _read_time(parameters))
    return {
        "sot": (event.current_density(), track.heavy_metal_resistivity * track.heavy_metal_thickness),
        "gate": (event.gate_voltage(), parameters.gate.leakage(track, junction) / track.area),
        "read": (read, junction.parallel_conductance(track.area) / track.area),
    }


def _marks(sources: Sequence[tuple[Waveform, float]], duration: float) -> Float[np.ndarray, " mark"]:
    """Times in s at which some signal changes, from 0 to the end of the event."""
    times = np.unique(np.concatenate([[0.0, duration], *(wave.times.numpy().ravel() for wave, _ in sources)]))
    times = times[times <= duration]
    # Sums of durations that are equal on paper differ by their rounding.
    return np.concatenate([times[:1], times[1:][np.diff(times) > 1e-9 * duration]])


def _powers(
    sources: Sequence[tuple[Waveform, float]], marks: Float[np.ndarray, " mark"]
) -> tuple[Float[np.ndarray, " knot"], list[Float[np.ndarray, "knot voltage"]]]:
    """Knots in s, each twice, and the power per area in W/m² of each source after the first and before the second."""
    share = np.linspace(0.0, 1.0, EDGE_PARTS + 1)
    places = [marks[:1]]
    for first, last in pairwise(marks.tolist()):
        ends = torch.tensor([first + 1e-6 * (last - first), last - 1e-6 * (last - first)], dtype=torch.float64)
        flat = all(bool((value[0] == value[1]).all()) for value in (wave(ends) for wave, _ in sources))
        places.append(np.array([last]) if flat else first + (last - first) * share[1:])
    edges = np.concatenate(places)
    inside = 1e-6 * np.diff(edges)
    within = torch.from_numpy(np.stack([edges[:-1] + inside, edges[1:] - inside], axis=1).ravel())
    knots = np.stack([edges[:-1], edges[1:]], axis=1).ravel()
    width = max(wave.replicas for wave, _ in sources)
    return knots, [
        np.broadcast_to(factor * wave(within).numpy() ** 2, (len(knots), width)).copy() for wave, factor in sources
    ]


def _times(marks: Float[np.ndarray, " mark"]) -> Float[np.ndarray, " time"]:
    """Times from the first mark to the last, closer together after each."""
    share = np.linspace(0.0, 1.0, TIMES_OF_A_PIECE + 1)[:-1] ** 2
    return np.concatenate([*(first + (last - first) * share for first, last in pairwise(marks.tolist())), marks[-1:]])
