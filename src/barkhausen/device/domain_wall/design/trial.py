"""Many designs in one run of the compact model: each candidate's devices are devices of one film."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.seeds import mixed_seed
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.design.score import Score, StateStatistics, Weights, assess
from barkhausen.device.domain_wall.event import LEAD, ProgrammingEvent
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Drive, Film, Waveform, grains

RECORD = 0.1e-9
"""Time in s between records."""

STEP = 4e-12
"""Time step in s. Means, spreads and shares are the same with a half and a quarter of it."""

COMPACT_NOISE = 1 << 32
"""Distinguishes the thermal noise from the random numbers of the devices, which are numbered from 0."""


@dataclass(frozen=True)
class Trial:
    """What becomes of a candidate's walls."""

    positions: Float[np.ndarray, "state device cycle"]
    """Resting places in m after programming from home, averaged over the read; NaN: lost."""
    after_reset: Float[np.ndarray, "device cycle"]
    """Where the wall is after a reset from the last state, in m; NaN: lost."""

    def assess(self, parameters: DeviceParameters, weights: Weights) -> tuple[Score, StateStatistics]:
        """The score of these walls.

        Args:
            parameters: The candidate.
            weights: Of the parts in the cost.
        """
        return assess_of(self.positions, self.after_reset, parameters, weights)


def assess_of(
    positions: Float[np.ndarray, "state device cycle"],
    after_reset: Float[np.ndarray, " *event"],
    parameters: DeviceParameters,
    weights: Weights,
) -> tuple[Score, StateStatistics]:
    """The score of a device's resting places, from the compact model or from micromagnetics.

    Args:
        positions: In m, in the order of the gate voltages; NaN: no single wall.
        after_reset: Where the wall is after resets, in m; NaN: lost.
        parameters: The device.
        weights: Of the parts in the cost.
    """
    voltages = parameters.protocol.gate_voltages or ()
    event, track = ProgrammingEvent(parameters.protocol, voltages), parameters.track
    return assess(
        positions,
        after_reset,
        voltages=voltages,
        places=places_of(parameters),
        energy=event.sot_energy(track) + event.gate_energy(track),
        length=track.length,
        between_stops=track.length - 2 * parameters.shape.end_stops.length,
        weights=weights,
    )


def places_of(parameters: DeviceParameters) -> Float[np.ndarray, " state"]:
    """Where the states should rest, in m: in the notches, if there is one for each, or evenly between the stops.

    Evenly: in the middles of equal stretches.
    """
    states, notches, stop = (
        len(parameters.protocol.gate_voltages or ()),
        parameters.shape.notches,
        parameters.shape.end_stops,
    )
    if len(notches) == states:
        return np.array([notch.position for notch in notches])
    return stop.length + (np.arange(states) + 0.5) / states * (parameters.track.length - 2 * stop.length)


def home_of(parameters: DeviceParameters) -> float:
    """Where a reset leaves the wall, in m: at the edge of the left stop, or a tenth of the way if there is none."""
    return parameters.shape.end_stops.length or 0.1 * parameters.track.length


def trials(
    candidates: Sequence[DeviceParameters],
    *,
    devices: int,
    cycles: int,
    seed: int,
    temperature: float,
    compact: CompactParameters,
) -> list[Trial]:
    """Programming to every state from home, and a reset from the last one, of every candidate in one run.

    All candidates have the same rough edges. The result depends on the candidates in the run and their order, as they
    share one stream of thermal noise.

    Args:
        candidates: Alike in all but notches, anisotropy and protocol.
        devices, cycles: Of each state of each candidate.
        seed: Of edges, grains and noise.
        temperature: In K.
        compact: Parameters of the compact model.

    Raises:
        InputError: Candidates of different tracks, or one whose notches cut its track in two.
    """
    rows = [_Rows.of(candidate, devices * cycles) for candidate in candidates]
    groups = len(candidates[0].protocol.gate_voltages or ()) + 1
    device = torch.arange(len(candidates) * devices).view(len(candidates), 1, devices, 1)
    film = _film(candidates, devices, seed).assign(device.expand(-1, groups, -1, cycles).flatten())
    replicas = groups * devices * cycles * len(candidates)
    base = candidates[0]
    drive = Drive(
        current_density=_side_by_side([row.current for row in rows]),
        gate_voltage=_side_by_side([row.voltage for row in rows]),
        gate=base.gate.on(base.track),
    )
    records = math.ceil(max(row.duration for row in rows) / RECORD - 1e-6)
    result = CompactModel(film, compact).simulate(
        drive,
        duration=records * RECORD,
        every=RECORD,
        replicas=replicas,
        position=torch.cat([row.starts for row in rows]),
        temperature=temperature,
        generator=torch.Generator().manual_seed(mixed_seed(seed, COMPACT_NOISE)),
        dt=STEP,
    )
    walls = result["wall_position"].values.reshape(-1, len(candidates), groups, devices, cycles)
    return [row.trial(walls[:, number]) for number, row in enumerate(rows)]


@dataclass(frozen=True)
class _Rows:
    """The replicas of one candidate: each state in turn, then the reset."""

    current: Waveform
    voltage: Waveform
    starts: Float[Tensor, " replica"]
    programmed: float
    """When the walls have been programmed and read, in s."""
    reading: float
    """How long the read takes, in s."""
    reset: float
    """When the reset has settled, in s."""

    @staticmethod
    def of(parameters: DeviceParameters, each: int) -> _Rows:
        protocol, shape, track = parameters.protocol, parameters.shape, parameters.track
        voltages = protocol.gate_voltages or ()
        event = ProgrammingEvent(protocol, [v for v in voltages for _ in range(each)])
        alone = ProgrammingEvent(protocol, [voltages[-1]] * each)
        # Programming begins at home: its rows run from just before the gate rises. Those of the reset run from the
        # beginning of the event, and are looked at before anything else happens.
        skipped = event.program_start - protocol.gate_hold - LEAD
        last = shape.notches[-1].position if shape.notches else track.length - home_of(parameters)
        starts = torch.tensor([home_of(parameters)] * len(voltages) + [last], dtype=torch.float64)
        return _Rows(
            current=_side_by_side(
                [
                    _later(event.current_density(), -skipped, len(event.voltages)),
                    _later(alone.current_density(), 0.0, each),
                ]
            ),
            voltage=_side_by_side([_later(event.gate_voltage(), -skipped, 1), _later(alone.gate_voltage(), 0.0, 1)]),
            starts=starts.repeat_interleave(each),
            programmed=event.duration - skipped,
            reading=min(parameters.junction.read_time, protocol.relaxation),
            reset=event.reset_end + protocol.settle,
        )

    @property
    def duration(self) -> float:
        """How long these replicas must run, in s."""
        return max(self.programmed, self.reset)

    def trial(self, walls: Float[np.ndarray, "time group device cycle"]) -> Trial:
        """What is read off the records of these replicas, one every :data:`RECORD`."""
        end = math.floor(self.programmed / RECORD + 1e-6)
        begin = min(end, math.ceil((self.programmed - self.reading) / RECORD - 1e-6))
        # The mean over the read; a wall lost by then is NaN for good.
        positions = walls[begin : end + 1, :-1].mean(axis=0)
        return Trial(positions, walls[math.floor(self.reset / RECORD + 1e-6), -1])


def _later(wave: Waveform, delay: float, replicas: int) -> Waveform:
    """A waveform moved in time, for at least so many replicas."""
    width = max(wave.replicas, replicas)
    return Waveform(wave.times.expand(-1, width) + delay, wave.values.expand(-1, width))


def _side_by_side(waves: Sequence[Waveform]) -> Waveform:
    """The waveforms of several groups of replicas as one; fewer knots than others have are made up at the end."""
    knots = max(len(wave.times) for wave in waves)
    columns = []
    for wave in waves:
        missing = knots - len(wave.times)
        columns.append(
            [
                torch.cat((part, part[-1:].expand(missing, -1))).expand(-1, wave.replicas)
                for part in (wave.times, wave.values)
            ]
        )
    times, values = zip(*columns, strict=True)
    return Waveform(torch.cat(times, dim=1), torch.cat(values, dim=1))


def _film(candidates: Sequence[DeviceParameters], devices: int, seed: int) -> Film:
    """The films of all candidates as one, without the stray field of their edges: the compact model leaves it out."""
    base = candidates[0]
    grid = base.shape.outline(base.track).grid(base.track.thickness, base.characterisation.cell)
    fills, maps = [], []
    for candidate in candidates:
        outline = candidate.shape.outline(candidate.track)
        if outline.grid(candidate.track.thickness, candidate.characterisation.cell) != grid:
            raise InputError("candidates of one run must be tracks of one size and roughness")
        fills.append(outline.coverage(grid, devices, seed))
        maps.append(candidate.shape._anisotropy(grid, candidate.material, candidate.track)[None])
    each = 1 if all(torch.equal(ku, maps[0]) for ku in maps) else devices
    anisotropy = maps[0] if each == 1 else torch.cat([ku.expand(devices, -1, -1) for ku in maps])
    grain = base.shape.grains
    if grain.spread > 0:
        relative = grains(grid, 1.0, size=grain.size, spread=grain.spread, devices=devices, seed=seed)
        anisotropy = anisotropy * relative.repeat(len(candidates), 1, 1)
    return Film(grid, base.material, torch.cat(fills), anisotropy)
