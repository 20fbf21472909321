"""Common parts of calibration runs, and walls on a plain track in micromagnetics and in the compact model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Gate,
    Material,
    Notch,
    Observable,
    TrackOutline,
    WallCount,
    WallPosition,
    Waveform,
    domain_wall,
    simulate,
    track_film,
)
from barkhausen.micromagnetics.temperature.bare import bare_constants, bare_film
from barkhausen.micromagnetics.terms import SpinOrbitTorque

RECORD = 0.05e-9
"""Time in s between records."""

COVERED = 80e-9
"""Length in m that the fastest wall covers during a pulse on the plain track."""

ROOM = 90e-9
"""Plain track in m on either side of a notch."""

COMPACT_REPLICAS = 64
"""Number of replicas of the compact model for each compared point at finite temperature."""

COMPACT_STEP = 5e-12
"""Time step of the compact model in s, about a hundredth of the period of a wall in a notch."""

Point = tuple[float, float]
"""Current density in A/m² and gate voltage in V."""


@dataclass(frozen=True, eq=False)
class Bench:
    """Common settings of all runs."""

    material: Material
    width: float
    thickness: float
    cell: float
    gate: Gate | None
    voltages: tuple[float, ...]
    temperature: float
    replicas: int
    seed: int
    checkpoint: Path | None
    how: dict[str, Any] = field(default_factory=dict)
    """Further options of every micromagnetic run."""

    def __post_init__(self) -> None:
        if self.material.spin_hall_angle == 0 or self.material.dmi == 0:
            raise InputError("material: without spin_hall_angle and dmi no current moves a wall to calibrate on")
        if not self.voltages or (self.gate is None and any(self.voltages)):
            raise InputError(f"voltages = {list(self.voltages)}: must be one or more, and 0 without a gate")
        if self.replicas < 1:
            raise InputError(f"replicas = {self.replicas}: must be 1 or more")
        # At zero temperature all replicas are alike.
        object.__setattr__(self, "replicas", self.replicas if self.temperature > 0 else 1)

    @staticmethod
    def width_of(film: Film) -> float:
        """Median width of a film's tracks in m, in whole cells."""
        if film.fill is None:
            return film.grid.width
        columns = film.fill.double().sum(2)
        return film.grid.dy * max(1, round(float(columns[columns > 0].median())))

    def describe(self) -> dict[str, Any]:
        """Settings as plain values."""
        names = ("width", "thickness", "cell", "voltages", "temperature", "replicas", "seed")
        return {
            "material": self.material.model_dump(),
            "gate": None if self.gate is None else {"kind": type(self.gate).__name__, **self.gate.model_dump()},
            **{name: getattr(self, name) for name in names},
        }

    def anisotropy_change(self, voltage: float) -> float:
        """Change of Ku in J/m³."""
        return 0.0 if self.gate is None else self.gate.anisotropy_per_volt * voltage

    def track(self, length: float, *notches: Notch) -> Film:
        """A smooth track, its length in whole cells."""
        outline = TrackOutline(length=length, width=self.width, notches=notches)
        return track_film(outline, self.material, thickness=self.thickness, cell=self.cell)

    def drive(self, points: Sequence[Point], shape: Waveform, repeats: int) -> Drive:
        """Every point ``repeats`` times; currents push walls to +x, whatever the signs of theta_SH and D."""
        rows = torch.tensor(points, dtype=torch.float64).repeat_interleave(repeats, dim=0)
        sign = math.copysign(1.0, self.material.spin_hall_angle * self.material.dmi)
        current = Waveform(shape.times, sign * shape.values * rows[:, 0])
        return Drive(current_density=current, gate_voltage=rows[:, 1] if self.gate else 0.0, gate=self.gate)

    def micromagnetic(
        self,
        film: Film,
        drive: Drive | None,
        *,
        duration: float,
        replicas: int,
        initial: Tensor,
        number: int,
        observe: tuple[Observable, ...] = (WallPosition(), WallCount()),
    ) -> xr.Dataset:
        """One run; ``number`` tells its noise and its checkpoint from the others'.

        The film has the constants of its cells, and the gate the change of theirs, if the material's are averages.
        """
        if self.material.constants_at > 0:
            bare = bare_constants(self.material, self.cell, self.thickness, self.temperature)
            film = bare_film(film, self.temperature)
            if drive is not None and drive.gate is not None:
                drive = replace(drive, gate=drive.gate.scaled(bare.anisotropy_factor))
        return simulate(
            film,
            drive,
            duration=duration,
            every=RECORD,
            replicas=replicas,
            seed=16 * self.seed + number,
            temperature=self.temperature,
            initial=initial,
            observe=observe,
            checkpoint=None if self.checkpoint is None else self.checkpoint / f"run-{number}",
            **self.how,
        )

    def compact(
        self, film: Film, drive: Drive, parameters: CompactParameters, *, duration: float, position: float, repeats: int
    ) -> Float[np.ndarray, "time point repeat"]:
        """Wall positions in m of the compact model; the same noise whatever the parameters."""
        replicas = max(wave.replicas for wave in drive.waveforms.values())
        result = CompactModel(film, parameters).simulate(
            drive,
            duration=duration,
            every=RECORD,
            replicas=replicas,
            position=position,
            temperature=self.temperature,
            generator=torch.Generator().manual_seed(self.seed),
            dt=COMPACT_STEP,
        )
        walls = result["wall_position"].values
        return np.asarray(walls.reshape(len(walls), -1, repeats))

    @property
    def compact_repeats(self) -> int:
        """Replicas of the compact model at each point."""
        return COMPACT_REPLICAS if self.temperature > 0 else 1


@dataclass(frozen=True, eq=False)
class Paths:
    """Walls under a current pulse on a plain track."""

    bench: Bench
    film: Film
    points: tuple[Point, ...]
    pulse: float
    """Duration in s; as long a time without current follows."""
    walls: Float[np.ndarray, "time point repeat"]
    """Micromagnetic positions in m; NaN from where a wall comes too near the end, which draws it out."""

    @staticmethod
    def of(
        bench: Bench, ratios: Sequence[float], voltages: Sequence[float], parameters: CompactParameters, number: int
    ) -> Paths:
        """For currents in units of 18 times alpha B_DMI/(B_DL/J), at which the velocity begins to saturate.

        Strong damping would put that beyond what the domains stand: B_DL is at most a fifth of their own field.
        """
        length = bench.cell * math.ceil((4 * COVERED) / bench.cell)
        film = bench.track(length)
        model = CompactModel(film, parameters)
        table = model.energy()
        delta, per_current = float(table.wall_width[0, 0]), abs(SpinOrbitTorque.field_per_current(film))
        # B_DMI = D/(Ms Delta), and 2 Keff/Ms with Keff = A/Delta².
        saturating = model.damping * table.dmi / (math.pi * table.magnetisation * delta)
        stiff = 2 * parameters.order**2 * bench.material.exchange_stiffness / (delta**2 * table.magnetisation)
        largest = min(18 * saturating, 0.2 * stiff) / per_current
        fastest = GYROMAGNETIC_RATIO * table.dmi / (2 * table.magnetisation)
        pulse = 2 * RECORD * min(10, max(2, round(COVERED / fastest / (2 * RECORD))))
        points = tuple((ratio * largest, voltage) for voltage in voltages for ratio in ratios)
        run = bench.micromagnetic(
            film,
            bench.drive(points, Waveform.pulse(1.0, pulse), bench.replicas),
            duration=2 * pulse,
            replicas=len(points) * bench.replicas,
            initial=domain_wall(film, COVERED),
            number=number,
        )
        walls = run["wall_position"].values.reshape(-1, len(points), bench.replicas)
        near_end = np.maximum.accumulate(~(walls < 0.9 * length), axis=0)
        return Paths(bench, film, points, pulse, np.where(near_end, np.nan, walls))

    def predicted(self, parameters: CompactParameters) -> Float[np.ndarray, "time point"]:
        """Mean positions of the compact model in m."""
        repeats = self.bench.compact_repeats
        drive = self.bench.drive(self.points, Waveform.pulse(1.0, self.pulse), repeats)
        walls = self.bench.compact(
            self.film, drive, parameters, duration=2 * self.pulse, position=self.start, repeats=repeats
        )
        return np.asarray(np.nan_to_num(walls, nan=self.film.grid.length).mean(2))

    @property
    def start(self) -> float:
        """Where walls start, in m."""
        return COVERED

    @property
    def mean(self) -> Float[np.ndarray, "time point"]:
        """Mean micromagnetic positions in m; NaN once a replica is lost."""
        return np.asarray(self.walls.mean(2))

    @property
    def standard_error(self) -> Float[np.ndarray, "time point"]:
        """Standard error of the mean in m."""
        return standard_error(self.walls, axis=2)

    def velocity(self, walls: np.ndarray) -> np.ndarray:
        """Mean velocity in m/s in the second half of the pulse; ``walls`` are positions, time first."""
        end = round(self.pulse / RECORD)
        return np.asarray((walls[end] - walls[end // 2]) / ((end - end // 2) * RECORD))


def standard_error(values: np.ndarray, axis: int) -> np.ndarray:
    """Of the mean along an axis; 0 for a single value, which only a run without noise has."""
    count = values.shape[axis]
    if count == 1:
        return np.zeros(np.delete(values.shape, axis))
    return np.asarray(values.std(axis=axis, ddof=1) / math.sqrt(count))
