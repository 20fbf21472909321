"""Walls and notches in micromagnetics and in the compact model: currents that depin a wall or drive it past a notch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from barkhausen.device.domain_wall.compact.calibration_runs import RECORD, ROOM, Bench, Point
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.micromagnetics import Drive, Film, Notch, Waveform, domain_wall
from barkhausen.micromagnetics.terms import SpinOrbitTorque

RAMP = 3e-9
"""Duration in s of a steadily rising current."""

REACH = 1.6
"""Final current of a ramp in units of the static depinning current of the compact model."""

LEAST, MOST = 0.4, 2.5
"""First and last current of the pulses at a notch, in units of the one at which half should pass. Walls that pass by
their inertia do so in a wide range of currents, which is not known well beforehand."""


@dataclass(frozen=True, eq=False)
class Notches:
    """Tracks of one length with one notch each, as the devices of a film, at every gate voltage."""

    bench: Bench
    film: Film
    notches: tuple[Notch, ...]
    """Notches, each in the middle of its track."""

    @staticmethod
    def of(bench: Bench, notches: Sequence[Notch]) -> Notches:
        """Tracks of one length, long enough for the longest notch, with each notch in the middle."""
        length = bench.cell * math.ceil(2 * (max(n.half_length for n in notches) + ROOM) / bench.cell)
        centred = tuple(notch.model_copy(update={"position": length / 2}) for notch in notches)
        films = [bench.track(length, notch) for notch in centred]
        fill, edges = (torch.cat([getattr(f, name) for f in films]) for name in ("fill", "edge_demag"))
        return Notches(bench, Film(films[0].grid, bench.material, fill, edge_demag=edges), centred)

    @property
    def cases(self) -> list[tuple[int, float]]:
        """Number of the notch and gate voltage, notch by notch."""
        return [(k, voltage) for k in range(len(self.notches)) for voltage in self.bench.voltages]

    @property
    def names(self) -> list[str]:
        """Names of the cases."""
        return [
            f"notch {1e9 * self.notches[k].depth:.3g} x {1e9 * self.notches[k].half_length:.3g} nm, {voltage:g} V"
            for k, voltage in self.cases
        ]

    @property
    def exits(self) -> Float[np.ndarray, " case"]:
        """Position in m beyond which a wall has passed the notch."""
        return np.array([self.notches[k].position + self.notches[k].half_length for k, _ in self.cases])

    def assigned(self, repeats: int) -> Film:
        """The film of every case, ``repeats`` times each."""
        return self.film.assign(torch.tensor([k for k, _ in self.cases]).repeat_interleave(repeats))

    def depinning_current(self, parameters: CompactParameters) -> Float[np.ndarray, " case"]:
        """Current density in A/m² at which pi Ms B_DL t W outweighs the steepest rise of the energy."""
        change = torch.tensor([self.bench.anisotropy_change(v) for v in self.bench.voltages], dtype=torch.float64)
        table = CompactModel(self.film, parameters).energy(change)
        width = 0.5 * (table.width[..., 1:] + table.width[..., :-1])
        steepest = (torch.diff(table.energy, dim=2) / torch.diff(table.places) / width).amax(2)
        per_current = parameters.drive_factor * abs(SpinOrbitTorque.field_per_current(self.film))
        current = steepest / (math.pi * table.magnetisation * per_current * self.film.grid.dz)
        return np.asarray(current.T.flatten().numpy())


@dataclass(frozen=True, eq=False)
class Ramps:
    """Depinning of walls from notches by a rising current."""

    at: Notches
    points: tuple[Point, ...]
    """Final current density and gate voltage of each ramp."""
    free: Float[np.ndarray, "case repeat"]
    """Depinning current density in A/m² in micromagnetics."""

    @staticmethod
    def of(bench: Bench, notches: Sequence[Notch], parameters: CompactParameters, number: int) -> Ramps:
        """Simulate ramps for each notch at each voltage."""
        at = Notches.of(bench, notches)
        ends = REACH * at.depinning_current(parameters)
        points = tuple((float(end), voltage) for end, (_, voltage) in zip(ends, at.cases, strict=True))
        ramps = Ramps(at, points, np.empty(0))
        run = bench.micromagnetic(
            at.assigned(bench.replicas),
            ramps._drive(bench.replicas),
            duration=RAMP,
            replicas=len(points) * bench.replicas,
            initial=domain_wall(at.film, at.notches[0].position),
            number=number,
        )
        shape = (-1, len(points), bench.replicas)
        walls, counts = (run[name].values.reshape(shape) for name in ("wall_position", "wall_count"))
        return Ramps(at, points, ramps._current_at((walls > at.exits[:, None]) | (counts == 0)))

    def predicted(self, parameters: CompactParameters) -> Float[np.ndarray, " case"]:
        """Mean current density of the compact model in A/m²."""
        bench = self.at.bench
        walls = bench.compact(
            self.at.assigned(bench.compact_repeats),
            self._drive(bench.compact_repeats),
            parameters,
            duration=RAMP,
            position=self.at.notches[0].position,
            repeats=bench.compact_repeats,
        )
        return np.asarray(self._current_at(~(walls < self.at.exits[:, None])).mean(1))

    def _drive(self, repeats: int) -> Drive:
        rise = Waveform(torch.tensor([0.0, RAMP]), torch.tensor([0.0, 1.0]))
        return self.at.bench.drive(self.points, rise, repeats)

    def _current_at(self, free: Bool[np.ndarray, "time case repeat"]) -> Float[np.ndarray, "case repeat"]:
        """Current density at which each wall is depinned; the final one for walls that stay pinned."""
        first = np.where(free.any(0), free.argmax(0), len(free) - 1)
        return np.asarray(np.array([end for end, _ in self.points])[:, None] * first / (len(free) - 1))


@dataclass(frozen=True, eq=False)
class Pulses:
    """Share of walls that a pulse drives past a notch."""

    at: Notches
    duration: float
    currents: Float[np.ndarray, "case current"]
    """Current densities in A/m², in equal ratios."""
    passed: Bool[np.ndarray, "case current repeat"]
    """Whether each wall passes in micromagnetics."""

    @staticmethod
    def of(
        bench: Bench,
        notches: Sequence[Notch],
        duration: float,
        parameters: CompactParameters,
        *,
        currents: int,
        repeats: int,
        number: int,
    ) -> Pulses:
        """Simulate, for each case, pulses around the current at which half of the walls pass in the compact model."""
        at = Notches.of(bench, notches)
        duration = RECORD * max(1, round(duration / RECORD))
        static = at.depinning_current(parameters)[:, None]
        wide = Pulses(at, duration, static * np.geomspace(0.05, 2.0, 17), np.empty(0))
        middle = half_passed(wide.currents, wide.predicted(parameters, most=24))
        chosen = middle[:, None] * np.geomspace(LEAST, MOST, currents)
        pulses = Pulses(at, duration, chosen, np.empty(0))
        run = bench.micromagnetic(
            at.assigned(currents * repeats),
            pulses._drive(repeats),
            duration=duration,
            replicas=chosen.size * repeats,
            initial=domain_wall(at.film, pulses.start),
            number=number,
        )
        shape = (-1, *chosen.shape, repeats)
        walls, counts = (run[name].values.reshape(shape) for name in ("wall_position", "wall_count"))
        return Pulses(at, duration, chosen, ((walls > at.exits[:, None, None]) | (counts == 0)).any(0))

    def predicted(self, parameters: CompactParameters, most: int = 1_000) -> Float[np.ndarray, "case current"]:
        """Probability of passing in the compact model, from ``most`` replicas each or fewer."""
        bench = self.at.bench
        repeats, currents = min(most, bench.compact_repeats), self.currents.shape[1]
        walls = bench.compact(
            self.at.assigned(currents * repeats),
            self._drive(repeats),
            parameters,
            duration=self.duration,
            position=self.start,
            repeats=repeats * currents,
        )
        passed = (~(walls < self.at.exits[:, None])).any(0)
        return np.asarray(passed.reshape(*self.currents.shape, repeats).mean(2))

    @property
    def start(self) -> float:
        """Initial wall position in m: before the notch and away from the end of the track."""
        return 0.5 * ROOM

    @property
    def thresholds(self) -> tuple[Float[np.ndarray, " case"], Float[np.ndarray, " case"]]:
        """Current density in A/m² at which half pass in micromagnetics, and its standard error."""
        share, repeats = self.passed.mean(2), self.passed.shape[2]
        spread = np.sqrt((share * (1 - share) / max(1, repeats - 1)).sum(1))
        # Where all pass above a current and none below, half do somewhere in between: a uniform spread over one step.
        step = np.log(self.currents[:, 1] / self.currents[:, 0]) * np.hypot(spread, math.sqrt(1 / 12))
        middle = half_passed(self.currents, share)
        return middle, middle * step

    def _drive(self, repeats: int) -> Drive:
        points = [
            (float(current), voltage)
            for (_, voltage), row in zip(self.at.cases, self.currents, strict=True)
            for current in row
        ]
        return self.at.bench.drive(points, Waveform.constant(1.0), repeats)


def half_passed(
    currents: Float[np.ndarray, "case current"], share: Float[np.ndarray, "case current"]
) -> Float[np.ndarray, " case"]:
    """Mean threshold by Spearman and Kärber: the currents between, weighted by what passes in addition; in logarithms.

    Nothing is taken to pass one step below the currents, everything one step above.
    """
    logs = np.log(currents)
    step = logs[:, 1:2] - logs[:, :1]
    wider = np.concatenate((logs[:, :1] - step, logs, logs[:, -1:] + step), axis=1)
    padded = np.pad(share, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    between = 0.5 * (wider[:, 1:] + wider[:, :-1])
    return np.asarray(np.exp((np.diff(padded, axis=1) * between).sum(1)))
