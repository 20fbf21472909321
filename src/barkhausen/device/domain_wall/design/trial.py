"""Trials of many designs in one run of the compact model, with the devices of all candidates as one film."""

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
from barkhausen.micromagnetics.temperature.averages import film_of_averages

RECORD = 0.1e-9
"""Time in s between records."""

STEP = 4e-12
"""Time step in s. Means, spreads and shares are the same with half and a quarter of this step."""

COMPACT_NOISE = 1 << 32
"""Number of the random stream of thermal noise, distinct from those of the devices, which are numbered from 0."""


@dataclass(frozen=True)
class Trial:
    """Wall positions of a candidate after programming and reset."""

    positions: Float[np.ndarray, "state device cycle"]
    """Positions in m after programming from the reset position, averaged over the read; NaN if annihilated."""
    after_reset: Float[np.ndarray, "device cycle"]
    """Positions in m after a reset from the last state; NaN if annihilated."""

    def assess(self, parameters: DeviceParameters, weights: Weights) -> tuple[Score, StateStatistics]:
        """Score of these walls.

        Args:
            parameters: Parameters of the candidate.
            weights: Weights of the parts in the cost.
        """
        return assess_of(self.positions, self.after_reset, parameters, weights)


def assess_of(
    positions: Float[np.ndarray, "state device cycle"],
    after_reset: Float[np.ndarray, " *event"],
    parameters: DeviceParameters,
    weights: Weights,
) -> tuple[Score, StateStatistics]:
    """Score of the resting positions of a device, from the compact model or from micromagnetics.

    Args:
        positions: Positions in m in the order of the gate voltages; NaN unless there is a single wall.
        after_reset: Positions in m after resets; NaN if annihilated.
        parameters: Parameters of the device.
        weights: Weights of the parts in the cost.
    """
    voltages = parameters.protocol.gate_voltages or ()
    event, track = ProgrammingEvent(parameters.protocol, voltages), parameters.track
    return assess(
        positions,
        after_reset,
        voltages=voltages,
        places=places_of(parameters),
        energy=event.sot_energy(track) + event.gate_energy(track, parameters.gate, parameters.junction),
        length=track.length,
        between_stops=track.length - 2 * parameters.shape.end_stops.length,
        weights=weights,
    )


def places_of(parameters: DeviceParameters) -> Float[np.ndarray, " state"]:
    """Target positions of the states in m: the notches if there is one for each state, otherwise evenly between the
    stops.

    Without notches, they are the middles of equal sections.
    """
    states, notches, stop = (
        len(parameters.protocol.gate_voltages or ()),
        parameters.shape.notches,
        parameters.shape.end_stops,
    )
    if len(notches) == states:
        return np.array([notch.position for notch in notches])
    return stop.length + (np.arange(states) + 0.5) / states * (parameters.track.length - 2 * stop.length)


def reset_position_of(parameters: DeviceParameters) -> float:
    """Reset position in m: the edge of the left stop or, without stops, a tenth of the track."""
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
    """Simulate programming to every state from the reset position, and a reset from the last state, for all candidates.

    All candidates have the same rough edges. The result depends on the candidates in the run and their order, as they
    share one stream of thermal noise.

    Args:
        candidates: Devices that differ only in notches, anisotropy and protocol.
        devices, cycles: Numbers of devices and cycles for each state of each candidate.
        seed: Seed of edges, grains and noise.
        temperature: Temperature in K.
        compact: Parameters of the compact model.

    Raises:
        InputError: Candidates have different tracks, or notches cut a track in two.
    """
    rows = [_Rows.of(candidate, devices * cycles) for candidate in candidates]
    groups = len(candidates[0].protocol.gate_voltages or ()) + 1
    device = torch.arange(len(candidates) * devices).view(len(candidates), 1, devices, 1)
    film = film_of(candidates, devices, seed).assign(device.expand(-1, groups, -1, cycles).flatten())
    replicas = groups * devices * cycles * len(candidates)
    base = candidates[0]
    gate = base.gate.on(base.track)
    if base.material.constants_at > 0:
        # The constants are averages: the laws of the material take the place of a calibration's order.
        film, gate, compact = (
            film_of_averages(film, temperature),
            base.gate_at(temperature),
            compact.model_copy(update={"order": 1.0}),
        )
    drive = Drive(
        current_density=_side_by_side([row.current for row in rows]),
        gate_voltage=_side_by_side([row.voltage for row in rows]),
        gate=gate,
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
    """Time in s at which the walls have been programmed and read."""
    reading: float
    """Duration of the read in s."""
    reset: float
    """Time in s at which the reset has settled."""

    @staticmethod
    def of(parameters: DeviceParameters, each: int) -> _Rows:
        protocol, shape, track = parameters.protocol, parameters.shape, parameters.track
        voltages = protocol.gate_voltages or ()
        event = ProgrammingEvent(protocol, [v for v in voltages for _ in range(each)])
        alone = ProgrammingEvent(protocol, [voltages[-1]] * each)
        # Programming begins at the reset position, so its rows start just before the gate rises. Those of the reset
        # start at the beginning of the event and are read before programming.
        skipped = event.program_start - protocol.gate_hold - LEAD
        last = shape.notches[-1].position if shape.notches else track.length - reset_position_of(parameters)
        starts = torch.tensor([reset_position_of(parameters)] * len(voltages) + [last], dtype=torch.float64)
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
        """Duration in s for which these replicas run."""
        return max(self.programmed, self.reset)

    def trial(self, walls: Float[np.ndarray, "time group device cycle"]) -> Trial:
        """Trial of these replicas, from records at intervals of :data:`RECORD`."""
        end = math.floor(self.programmed / RECORD + 1e-6)
        begin = min(end, math.ceil((self.programmed - self.reading) / RECORD - 1e-6))
        # The mean over the read; a wall annihilated before is NaN from then on.
        positions = walls[begin : end + 1, :-1].mean(axis=0)
        return Trial(positions, walls[math.floor(self.reset / RECORD + 1e-6), -1])


def _later(wave: Waveform, delay: float, replicas: int) -> Waveform:
    """A waveform shifted in time, for at least a number of replicas."""
    width = max(wave.replicas, replicas)
    return Waveform(wave.times.expand(-1, width) + delay, wave.values.expand(-1, width))


def _side_by_side(waves: Sequence[Waveform]) -> Waveform:
    """Waveforms of several groups of replicas as one, padded at the end to the same number of knots."""
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


def film_of(candidates: Sequence[DeviceParameters], devices: int, seed: int) -> Film:
    """Films of all candidates as one, without the stray field of their edges, which the compact model does not use."""
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
