"""Compiled ensemble: replicas of a film, eight at a time in the lanes of a vector register."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.compiled.layout import (
    LANES,
    TASK_ADVANCE,
    TASK_FIELD,
    TASK_SPLIT,
    TASK_TRANSFORM,
    RunArguments,
    aligned_zeros,
)
from barkhausen.micromagnetics.compiled.library import available, library, unavailable_reason, variant, variant_number
from barkhausen.micromagnetics.compiled.preparation.arrays import ProblemArrays, checked
from barkhausen.micromagnetics.compiled.preparation.lane_problem import LaneMaps, LaneProblem, Outcome
from barkhausen.micromagnetics.compiled.streams import stream_states

__all__ = ["LANES", "LaneEnsemble", "LaneMaps", "LaneProblem", "Outcome", "available", "unavailable_reason", "variant"]

DRIVES = 7
"""B_DL, B_FL, change of anisotropy, B_x, B_y, B_z in tesla, spin drift velocity in m/s."""


MAPPED_DRIVES = 9
"""With maps, also: amplitude of the local field (0 where it is not given), factor of the thermal field (1)."""


class LaneEnsemble:
    """Replicas of one film and their random streams.

    A replica's trajectory depends, to the last bit, on nothing but its own magnetisation, stream and drive: not on the
    other replicas, its place among them, the number of threads or how the steps are divided into calls.

    Args:
        problem: Constants of the film.
        replicas: Number of replicas; rounded up internally to whole blocks with replicas without material.
        threads: Largest number of threads.
    """

    def __init__(self, problem: LaneProblem, replicas: int, threads: int) -> None:
        if replicas < 1 or threads < 1:
            raise ValueError(f"replicas, threads: {replicas}, {threads}, expected at least 1")
        if problem.nx < 1 or problem.ny < 1:
            raise ValueError(f"nx, ny: {problem.nx}, {problem.ny}, expected at least 1")
        self._library = library().handle
        self._variant = variant_number()
        self.problem = problem
        self.replicas = replicas
        self.threads = min(threads, -(-replicas // LANES))
        self._arrays = arrays = ProblemArrays(problem, replicas)
        self._arguments = arrays.arguments
        self._blocks, self._padded, self._interior = arrays.blocks, arrays.padded, arrays.interior
        self._m = aligned_zeros((self._blocks, arrays.haloed, 3, LANES), np.float32)
        self._random = aligned_zeros((self._blocks, 4, LANES), np.uint32)
        self._workspace_bytes = self._library.barkhausen_workspace_bytes(ctypes.byref(self._arguments), self._variant)
        self._workspace = aligned_zeros((self.threads, self._workspace_bytes), np.uint8)
        self._stray: np.ndarray | None = None
        self.seed(0, np.arange(replicas))

    def set_magnetisation(self, m: np.ndarray) -> None:
        """Set all replicas from (replicas, 3, nx, ny); cells without material become zero."""
        given = checked("magnetisation", m, (self.replicas, 3, self.problem.nx, self.problem.ny))
        lanes = np.zeros((self._padded, 3, self._interior.size), dtype=np.float32)
        lanes[: self.replicas] = given.reshape(self.replicas, 3, -1)
        # Replicas that only fill up a block rest along z: a block stops when one of its eight leaves the unit sphere.
        lanes[self.replicas :, 2] = 1.0
        by_cell = lanes.reshape(self._blocks, LANES, 3, -1).transpose(0, 3, 2, 1)
        self._m[:, self._interior] = np.where(self._arrays.fill[:, self._interior, None] > 0, by_cell, 0.0)

    def set_anisotropy(self, anisotropy: np.ndarray, anisotropy_x: np.ndarray | None = None) -> bool:
        """Replace the anisotropy fields (:class:`LaneProblem`), and say whether they fit into the memory held."""
        return self._arrays.set_anisotropy(anisotropy, anisotropy_x)

    def magnetisation(self) -> np.ndarray:
        """A copy (replicas, 3, nx, ny)."""
        return self._unpacked(self._m[:, self._interior])

    def seed(self, seed: int, replica_indices: np.ndarray) -> None:
        """Start each replica's stream from the seed and its index."""
        self.set_rng_state(stream_states(seed, replica_indices))

    def rng_state(self) -> np.ndarray:
        """A copy (replicas, 4) of the streams."""
        return np.ascontiguousarray(self._random.transpose(0, 2, 1).reshape(-1, 4)[: self.replicas])

    def set_rng_state(self, state: np.ndarray) -> None:
        """Restore the random state that :meth:`rng_state` returned."""
        given = np.asarray(state)
        if given.shape != (self.replicas, 4) or given.dtype != np.uint32:
            raise ValueError(f"state: {given.shape} {given.dtype}, expected {(self.replicas, 4)} uint32")
        if not given.any(axis=1).all():
            raise ValueError("state: all zero is not a state of the generator")
        padded = np.ones((self._padded, 4), dtype=np.uint32)
        padded[: self.replicas] = given
        self._random[:] = padded.reshape(self._blocks, LANES, 4).transpose(0, 2, 1)

    def advance(self, dt: float, thermal: np.ndarray, drive: np.ndarray, norm_limit: float = 0.1) -> Outcome:
        """Make Heun steps.

        Args:
            dt: Time step in s.
            thermal: Standard deviation of the thermal field of a full cell, (replicas,) in tesla; a replica with 0
                draws no random numbers.
            drive: (steps + 1, 7, replicas): see :data:`DRIVES`; rows s and s + 1 drive the two stages of step s.
            norm_limit: Limit of ``| |m|^2 - 1 |`` of a cell, after which a block of replicas stops.
        """
        given = np.asarray(drive)
        if given.ndim != 3 or given.shape[0] < 1:
            raise ValueError(f"drive: shape {given.shape}, expected (steps + 1, {DRIVES}, {self.replicas})")
        return self._steps(TASK_ADVANCE, len(given) - 1, dt, thermal, given, norm_limit)

    def split(self, dt: float, kick: np.ndarray, drive: np.ndarray, turn_limit: float) -> Outcome:
        """Make steps of the splitting.

        Args:
            dt: Time step in s.
            kick: Standard deviation of the turn (rad) of a full cell by noise about one axis in a step,
                (replicas,); a replica with 0 draws no random numbers.
            drive: (steps, 7, replicas): see :data:`DRIVES`; in the middle of each step.
            turn_limit: Largest turn of a cell in radians; a block of replicas stops beyond it. ``deviation`` is the
                square of the largest.
        """
        given = np.asarray(drive)
        if given.ndim != 3:
            raise ValueError(f"drive: shape {given.shape}, expected (steps, {DRIVES}, {self.replicas})")
        return self._steps(TASK_SPLIT, len(given), dt, kick, given, turn_limit**2, stray=self._last_stray())

    def last_stray(self) -> np.ndarray:
        """Stray field one step of the splitting ago, or the present one: (replicas, 3, nx, ny), a copy."""
        return self._unpacked(self._last_stray())

    def set_last_stray(self, field: np.ndarray | None) -> None:
        """Restore what :meth:`last_stray` returned; None: start from the present stray field."""
        self._stray = None
        if field is None:
            return
        given = checked("field", field, (self.replicas, 3, self.problem.nx, self.problem.ny))
        lanes = np.zeros((self._padded, 3, self._interior.size), dtype=np.float32)
        lanes[: self.replicas] = given.reshape(self.replicas, 3, -1)
        self._stray = self._field_array()
        self._stray[:] = lanes.reshape(self._blocks, LANES, 3, -1).transpose(0, 3, 2, 1)

    def _last_stray(self) -> np.ndarray:
        if self._stray is None:
            self._stray = self._field_array()
            if self.problem.demag is not None:
                drive = np.zeros((1, DRIVES, self.replicas))
                self._run(TASK_TRANSFORM, steps=1, drive=self._padded_drive(drive), field=self._stray)
        return self._stray

    def _steps(  # noqa: PLR0917 (of two callers)
        self, task: int, steps: int, dt: float, thermal: np.ndarray, drive: np.ndarray, limit: float, **more: Any
    ) -> Outcome:
        sigma = checked("thermal", thermal, (self.replicas,))
        if not (np.isfinite(sigma).all() and (sigma >= 0).all()):
            raise ValueError("thermal: expected finite, non-negative fields")
        padded_sigma = np.zeros(self._padded, dtype=np.float32)
        padded_sigma[: self.replicas] = sigma
        deviation = np.zeros(self._padded, dtype=np.float32)
        failed_step = np.full(self._padded, -1, dtype=np.int32)
        self._run(
            task,
            steps=steps,
            drive=self._padded_drive(drive),
            thermal=padded_sigma,
            rate=-GYROMAGNETIC_RATIO * dt / (1.0 + self.problem.damping**2),
            norm_limit=limit,
            deviation=deviation,
            failed_step=failed_step,
            **more,
        )
        outcome = Outcome(deviation[: self.replicas], failed_step[: self.replicas])
        if outcome.completed and (failed_step >= 0).any():
            raise RuntimeError("a replica that only fills up a block left the unit sphere")
        return outcome

    def field(self, drive_row: np.ndarray) -> np.ndarray:
        """The deterministic field (replicas, 3, nx, ny) in tesla at the present magnetisation, drives (7, replicas)."""
        field = self._field_array()
        self._run(TASK_FIELD, drive=self._padded_drive(np.asarray(drive_row)[None]), field=field)
        return self._unpacked(field)

    def stray_field(self, repetitions: int = 1) -> np.ndarray:
        """Stray field alone, computed repeatedly to time the transforms."""
        if self.problem.demag is None:
            raise ValueError("stray_field: the problem has no demag tensor")
        field = self._field_array()
        drive = np.zeros((1, DRIVES, self.replicas))
        self._run(TASK_TRANSFORM, steps=repetitions, drive=self._padded_drive(drive), field=field)
        return self._unpacked(field)

    def memory_bytes(self) -> int:
        """Memory in bytes that the ensemble holds for the kernel."""
        return self._arrays.nbytes + sum(array.nbytes for array in (self._m, self._random, self._workspace))

    def _field_array(self) -> np.ndarray:
        return aligned_zeros((self._blocks, self._interior.size, 3, LANES), np.float32)

    def _run(self, task: int, *, drive: np.ndarray, **values: Any) -> None:
        """Call the kernel; arrays among the values are passed by address and kept alive until it returns."""
        thermal = values.pop("thermal", np.zeros(self._padded, dtype=np.float32))
        passed = {
            name: value.ctypes.data if isinstance(value, np.ndarray) else value
            for name, value in (values | {"drive": drive, "thermal": thermal}).items()
        }
        arguments = RunArguments(
            task=task,
            blocks=self._blocks,
            threads=self.threads,
            padded=self._padded,
            magnetisation=self._m.ctypes.data,
            random=self._random.ctypes.data,
            workspace=self._workspace.ctypes.data,
            workspace_bytes=self._workspace_bytes,
            **passed,
        )
        self._library.barkhausen_run(ctypes.byref(self._arguments), ctypes.byref(arguments), self._variant)

    def _padded_drive(self, drive: np.ndarray) -> np.ndarray:
        mapped = self.problem.maps is not None
        columns = MAPPED_DRIVES if mapped and drive.shape[1] != DRIVES else DRIVES
        given = checked("drive", drive, (len(drive), columns, self.replicas))
        if not np.isfinite(given).all():
            raise ValueError("drive: expected finite numbers")
        padded = np.zeros((len(drive), MAPPED_DRIVES if mapped else DRIVES, self._padded), dtype=np.float32)
        padded[:, :columns, : self.replicas] = given
        if mapped and columns == DRIVES:
            padded[:, -1] = 1.0
        # Zhang and Li's central difference and the change from a rate to a field.
        padded[:, 6] *= -0.5 / (self.problem.cell_x * GYROMAGNETIC_RATIO)
        return padded

    def _unpacked(self, lanes: np.ndarray) -> np.ndarray:
        """(blocks, cells, 3, lanes) as (replicas, 3, nx, ny)."""
        by_replica = lanes.transpose(0, 3, 2, 1).reshape(self._padded, 3, self.problem.nx, self.problem.ny)
        return np.array(by_replica[: self.replicas], order="C")
