"""Thermal ensemble of integrate-fire-reset cycles: drives × devices × cycles as the replicas of one simulation.

A neuron has fired when its junction first detects the wall after a pulse: the wall lies beyond the threshold, or has
left the track at the right already. The reset has succeeded when no wall is left at the end and the track has the
direction of its left domain. A wall that is lost at the narrow end is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float

from barkhausen.core.limits import check_memory
from barkhausen.core.progress import Progress, display_of
from barkhausen.device.domain_wall.neuron.kept import Kept
from barkhausen.device.domain_wall.neuron.parameters import NeuronParameters
from barkhausen.device.domain_wall.parameters import NAME
from barkhausen.device.neuron.device import Cycles, Joules, NeuronDevice
from barkhausen.device.neuron.steps import step_tables
from barkhausen.micromagnetics import (
    Drive,
    MeanMagnetisation,
    Simulation,
    WallCount,
    WallPosition,
    Waveform,
    domain_wall,
)
from barkhausen.micromagnetics.ensemble import BYTES_OF_A_CELL

OBSERVED = (WallPosition(), WallCount(), MeanMagnetisation())
PLACES = 9
"""Nodes of the law from the start to the threshold."""


@dataclass(frozen=True)
class Trains:
    """What the junctions of all replicas saw.

    Attributes:
        position: Position of the wall in m before each pulse and after the last, [record, drive, device, cycle]; after
            the neuron has fired and where there is no single wall it is NaN.
        fired: Number of the pulse at which each neuron fired; 0 for none.
        reset: Whether no wall is left at the end and the track has the direction of its left domain.
        lost: Whether the wall was lost at the narrow end, or there were several, before the neuron fired.
    """

    position: Float[np.ndarray, "record drive device cycle"]
    fired: Float[np.ndarray, "drive device cycle"]
    reset: Bool[np.ndarray, "drive device cycle"]
    lost: Bool[np.ndarray, "drive device cycle"]


def characterise_neuron(
    parameters: NeuronParameters,
    *,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    attributes: dict[str, object] | None = None,
) -> NeuronDevice:
    """Simulate the cycles that ``parameters`` describes, and make the neuron of them.

    ``characterisation.devices`` is the number of tracks, each with edges of its own, and ``cycles`` that of cycles of
    each track at each current density. Walls without pulses start evenly spaced between start and threshold.

    Args:
        parameters: Track, cycle, and numbers of devices and cycles.
        checkpoint: Directory of finished work, from which the same call resumes. The caller deletes it.
        progress, backend, threads, accelerator: As in :func:`barkhausen.micromagnetics.simulate`.
        attributes: Further metadata of the device file.

    Raises:
        InputError: The parameters do not describe a possible device.
    """
    how, neuron = parameters.characterisation, parameters.neuron
    drives = np.array([0.0, *neuron.values])
    shape = len(drives), how.devices, how.cycles
    result, dt = _simulated(
        parameters, drives, checkpoint, progress, backend=backend, threads=threads, device=accelerator
    )
    trains = trains_of(result, shape, neuron.pulses, neuron.threshold, parameters.track.length)
    before, after = trains.position[:-1], trains.position[1:]
    places = np.linspace(0.0, neuron.threshold - neuron.start, PLACES)
    tables = step_tables(before - neuron.start, after - before, places)
    driven = trains.fired[1:] > 0
    return NeuronDevice.from_steps(
        drives,
        places,
        tables,
        technology=NAME,
        source="micromagnetics",
        drive=("current density", "A/m2", "current density of the pulse in the heavy metal"),
        threshold=neuron.threshold - neuron.start,
        step_time=neuron.period,
        cycles=Cycles(
            tried=int(driven.size),
            fired=int(driven.sum()),
            failed=int((driven & ~trains.reset[1:]).sum()),
            lost=int(trains.lost[1:].sum()),
        ),
        fired_at=trains.fired,
        energies=_energies(parameters),
        parameters=parameters,
        assumed=_assumed(parameters),
        attributes={"seed": how.seed, "dt": dt, **(attributes or {})},
    )


def trains_of(result: xr.Dataset, shape: tuple[int, int, int], pulses: int, threshold: float, end: float) -> Trains:
    """What the junctions saw, from the records of a simulation, one a period.

    Args:
        result: ``wall_position``, ``wall_count`` and ``m`` [time, replica]: before the first pulse, after each, and
            after the reset.
        shape: Numbers of drives, devices and cycles.
        pulses: Number of pulses.
        threshold: Position in m beyond which the junction detects a wall.
        end: Position in m of the right end, where walls that have left the track are taken to be.
    """
    position, count = (
        result[name].transpose("time", "replica").values.reshape(-1, *shape) for name in ("wall_position", "wall_count")
    )
    up = result["m"].sel(component="z").transpose("time", "replica").values.reshape(-1, *shape)
    single = count == 1
    gone = (count == 0) & (up > 0)
    seen = slice(0, pulses + 1)
    detected = (single & (np.nan_to_num(position) > threshold))[seen] | gone[seen]
    first = np.where(detected.any(axis=0), detected.argmax(axis=0), pulses + 1)
    records = np.arange(pulses + 1).reshape(-1, 1, 1, 1)
    known = (records <= first) & (single | gone)[seen]
    other = ~single[seen] & ~detected
    lost = (other & (records < first)).any(axis=0)
    fired = np.where((first <= pulses) & (first > 0) & ~lost, first, 0)
    place = np.where(gone, end, np.nan_to_num(position))[seen]
    found = np.where(known & ~lost, place, np.nan)
    return Trains(found, fired, gone[-1], lost)


def _simulated(
    parameters: NeuronParameters,
    drives: Float[np.ndarray, " drive"],
    checkpoint: Path | None,
    progress: Progress | bool | None,
    **where: Any,
) -> tuple[xr.Dataset, float]:
    """Records at the end of every period, and the time step. Work is kept after every tenth."""
    how, neuron = parameters.characterisation, parameters.neuron
    replicas = len(drives) * how.devices * how.cycles
    film = parameters.film()
    check_memory(
        BYTES_OF_A_CELL * film.grid.cells * float(replicas),
        f"characterisation: {len(drives)} drives x {how.devices} devices x {how.cycles} cycles of {film.grid.cells} "
        "cells",
    )
    start = np.full((len(drives), how.devices, how.cycles), neuron.start)
    start[0] = neuron.start + (np.arange(how.cycles) + 0.5) / how.cycles * (neuron.threshold - neuron.start)
    amplitude = torch.tensor(np.repeat(drives, how.devices * how.cycles))
    edges = {"rise": neuron.edge_time, "fall": neuron.edge_time}
    rest, pulse = Drive(), Drive(current_density=Waveform.pulse(amplitude, neuron.width, **edges))
    plateau = neuron.reset_periods * neuron.period - 2 * neuron.edge_time
    reset = Drive(current_density=Waveform.pulse(neuron.reset_current_density, plateau, **edges))
    options: dict[str, Any] = {
        "replicas": replicas, "seed": how.seed, "temperature": how.temperature, "integrator": how.integrator,
        "initial": domain_wall(film, torch.tensor(start.reshape(-1))), **where,
    }  # fmt: skip
    chosen = film.assign(torch.arange(how.devices).repeat_interleave(how.cycles).repeat(len(drives)))
    dt = neuron.step(how.dt or Simulation(chosen, pulse, **options).dt)
    run = Simulation(chosen, rest, dt=dt, **options)
    plan = [[(neuron.period, rest)]]
    plan += [[(neuron.width + 2 * neuron.edge_time, pulse), (neuron.delay, rest)]] * neuron.pulses
    plan += [[(neuron.reset_periods * neuron.period, reset), (neuron.relax_periods * neuron.period, rest)]]
    kept = Kept(checkpoint, parameters.model_dump_json())
    done, records = kept.resumed(run, run.observe(OBSERVED))
    with display_of(progress).task("replica-periods", replicas * len(plan)) as made:
        made(replicas * done)
        for number, parts in enumerate(plan[done:], done + 1):
            for duration, drive in parts:
                run.advance(duration, drive)
            records.append(run.observe(OBSERVED))
            made(replicas)
            kept.save(run, records, number, last=number == len(plan))
    return xr.concat(records, "time"), dt


def _energies(parameters: NeuronParameters) -> dict[str, Joules]:
    """Energy of a pulse at the largest current density, of a read and of a reset.

    The heavy metal is a straight strip as wide as the widest part of the track.
    """
    neuron, track, junction = parameters.neuron, parameters.track, parameters.junction
    wide = track.model_copy(update={"width": track.width * max(1.0, 1.0 + parameters.shape.taper)})
    # A linear edge counts a third of its duration.
    pulse = neuron.width + 2 * neuron.edge_time / 3
    reset = neuron.reset_periods * neuron.period - 4 * neuron.edge_time / 3
    area = (track.length - neuron.threshold) * wide.width
    conductance = 0.5 * (junction.parallel_conductance(area) + junction.antiparallel_conductance(area))
    return {
        "pulse": Joules("pulse", wide.joule_heat(neuron.values[-1], pulse), 2.0, "integrating pulse"),
        "read": Joules("read", junction.read_energy(conductance), 0.0, "read"),
        "reset": Joules("reset", wide.joule_heat(neuron.reset_current_density, reset), 0.0, "reset pulse"),
    }


def _assumed(parameters: NeuronParameters) -> list[str]:
    neuron = parameters.neuron
    of_gate = parameters.gate.described(parameters.track)
    lines = [
        line
        for line in parameters.assumed()
        if line.startswith(("track.", "junction.")) and not line.startswith("track.piezoelectric")
    ]
    lines += [line for line in parameters.assumed_of_simulation() if line != of_gate]
    return [
        *lines,
        f"a wall is injected at {1e9 * neuron.start:g} nm, always and without energy: its injection is not simulated",
        "the heavy metal is a straight strip as wide as the widest part of the track, so the current density is the "
        "same along a tapered track",
        f"the junction reads the track beyond {1e9 * neuron.threshold:g} nm after every pulse and detects the "
        "wall itself",
        "a wall that has left the track after a pulse is taken to be at its right end, so the last step may be too "
        "short",
        "steps of different tracks and cycles are one distribution: differences between tracks are part of the spread",
    ]
