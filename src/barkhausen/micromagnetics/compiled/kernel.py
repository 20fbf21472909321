"""Compiled ensemble: replicas of a film, eight at a time in the lanes of a vector register."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.compiled.layout import (
    TASK_ADVANCE,
    TASK_FIELD,
    TASK_SPLIT,
    TASK_TRANSFORM,
    ProblemArguments,
    RunArguments,
    aligned_zeros,
)
from barkhausen.micromagnetics.compiled.library import available, library, unavailable_reason, variant, variant_number
from barkhausen.micromagnetics.compiled.plan import plan_axis, tensor_spectra
from barkhausen.micromagnetics.compiled.problem import LaneProblem, Outcome
from barkhausen.micromagnetics.compiled.streams import stream_states

__all__ = ["LANES", "LaneEnsemble", "LaneProblem", "Outcome", "available", "unavailable_reason", "variant"]

LANES = 8

DRIVES = 7
"""B_DL, B_FL, change of anisotropy, B_x, B_y, B_z in tesla, spin drift velocity in m/s."""


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
        self._blocks = -(-replicas // LANES)
        self._padded = self._blocks * LANES
        self._interior = _interior(problem.nx, problem.ny)
        self._haloed = (problem.nx + 2) * (problem.ny + 1) + 1
        self._m = aligned_zeros((self._blocks, self._haloed, 3, LANES), np.float32)
        self._random = aligned_zeros((self._blocks, 4, LANES), np.uint32)
        self._keep: list[np.ndarray] = []
        self._arguments = self._problem_arguments()
        self._workspace_bytes = self._library.barkhausen_workspace_bytes(ctypes.byref(self._arguments), self._variant)
        self._workspace = aligned_zeros((self.threads, self._workspace_bytes), np.uint8)
        self._stray: np.ndarray | None = None
        self.seed(0, np.arange(replicas))

    def set_magnetisation(self, m: np.ndarray) -> None:
        """Set all replicas from (replicas, 3, nx, ny); cells without material become zero."""
        given = self._checked("magnetisation", m, (self.replicas, 3, self.problem.nx, self.problem.ny))
        lanes = np.zeros((self._padded, 3, self._interior.size), dtype=np.float32)
        lanes[: self.replicas] = given.reshape(self.replicas, 3, -1)
        # Replicas that only fill up a block rest along z: a block stops when one of its eight leaves the unit sphere.
        lanes[self.replicas :, 2] = 1.0
        by_cell = lanes.reshape(self._blocks, LANES, 3, -1).transpose(0, 3, 2, 1)
        self._m[:, self._interior] = np.where(self._fill[:, self._interior, None] > 0, by_cell, 0.0)

    def set_anisotropy(self, anisotropy: np.ndarray, anisotropy_x: np.ndarray | None = None) -> bool:
        """Replace the anisotropy fields (:class:`LaneProblem`), and say whether they fit into the memory held."""
        both = self._lanes_of_anisotropy(anisotropy, anisotropy_x)
        if both.shape != self._anisotropy.shape:
            return False
        self._anisotropy[:] = both
        self._arguments.easy_x = int(both[:, :, 1].any())
        return True

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
        given = self._checked("field", field, (self.replicas, 3, self.problem.nx, self.problem.ny))
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
        sigma = self._checked("thermal", thermal, (self.replicas,))
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
        return sum(array.nbytes for array in (self._m, self._random, self._workspace, *self._keep))

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
        given = self._checked("drive", drive, (len(drive), DRIVES, self.replicas))
        if not np.isfinite(given).all():
            raise ValueError("drive: expected finite numbers")
        padded = np.zeros((len(drive), DRIVES, self._padded), dtype=np.float32)
        padded[..., : self.replicas] = given
        # Zhang and Li's central difference and the change from a rate to a field.
        padded[:, 6] *= -0.5 / (self.problem.cell_x * GYROMAGNETIC_RATIO)
        return padded

    def _problem_arguments(self) -> ProblemArguments:
        problem = self.problem
        fill = np.ones(()) if problem.fill is None else problem.fill
        self._fill = self._kept(self._lanes_of_film("fill", fill, film=True))
        if not ((self._fill >= 0) & (self._fill <= 1)).all():
            raise ValueError("fill: expected fractions from 0 to 1")
        inverse = self._kept(aligned_zeros(self._fill.shape, np.float32))
        np.divide(1.0, self._fill, out=inverse, where=self._fill > 0)
        anisotropy = self._anisotropy = self._kept(self._lanes_of_anisotropy(problem.anisotropy, problem.anisotropy_x))
        profile = problem.gate_profile
        gate = np.ones((1, 1)) if profile is None else self._checked("gate_profile", profile, (problem.nx, problem.ny))
        gate = self._kept(np.ascontiguousarray(gate, dtype=np.float32))
        shared_anisotropy, uniform = anisotropy.shape[0] == 1, anisotropy.shape[1] == 1
        arguments = ProblemArguments(
            nx=problem.nx,
            ny=problem.ny,
            has_demag=int(problem.demag is not None),
            exchange=tuple(problem.exchange),
            dmi=tuple(problem.dmi),
            polarisation=tuple(problem.polarisation),
            damping=problem.damping,
            non_adiabaticity=problem.non_adiabaticity,
            fill=self._fill.ctypes.data,
            inverse_fill=inverse.ctypes.data,
            fill_block_stride=0 if self._fill.shape[0] == 1 else self._haloed * LANES,
            anisotropy=anisotropy.ctypes.data,
            anisotropy_block_stride=0 if shared_anisotropy else anisotropy.shape[1] * 2 * LANES,
            anisotropy_cell_stride=0 if uniform else 2 * LANES,
            gate=gate.ctypes.data,
            gate_cell_stride=0 if profile is None else 1,
            near_x=tuple(problem.near_x),
            near_y=tuple(problem.near_y),
            easy_x=int(anisotropy[:, :, 1].any()),
        )
        self._plans = x_axis, y_axis = plan_axis(problem.nx), plan_axis(problem.ny)
        arguments.along_x, arguments.along_y = x_axis.arguments(), y_axis.arguments()
        if problem.demag is not None:
            spectra = tensor_spectra(problem.demag, x_axis, y_axis)
            arguments.column_pairs = len(spectra.column_pair)
            arguments.column_pair = self._kept(spectra.column_pair).ctypes.data
            arguments.in_plane_spectrum = self._kept(spectra.in_plane).ctypes.data
            arguments.normal_spectrum = self._kept(spectra.normal).ctypes.data
        return arguments

    def _lanes_of_anisotropy(self, anisotropy: np.ndarray, anisotropy_x: np.ndarray | None) -> np.ndarray:
        easy = self._lanes_of_film("anisotropy", anisotropy)
        along_x = self._lanes_of_film("anisotropy_x", np.zeros(()) if anisotropy_x is None else anisotropy_x)
        blocks, cells = max(len(easy), len(along_x)), max(easy.shape[1], along_x.shape[1])
        both = aligned_zeros((blocks, cells, 2, LANES), np.float32)
        both[:, :, 0], both[:, :, 1] = easy, along_x
        return both

    def _lanes_of_film(self, name: str, values: np.ndarray, film: bool = False) -> np.ndarray:
        """Values per cell as (blocks or 1, cells or 1, lanes); as a film with halo and with empty padding replicas."""
        given = np.asarray(values, dtype=np.float32)
        shape = (self.problem.nx, self.problem.ny)
        if given.shape not in ((), shape, (self.replicas, *shape)):
            raise ValueError(f"{name}: shape {given.shape}, expected (), {shape} or {(self.replicas, *shape)}")
        if not np.isfinite(given).all():
            raise ValueError(f"{name}: expected finite numbers")
        if given.ndim < 3:
            common = given.ravel()[:, None]
            lanes = np.broadcast_to(common, (common.shape[0], LANES))[None]
        else:
            padded = np.zeros((self._padded, self._interior.size), dtype=np.float32)
            padded[: self.replicas] = given.reshape(self.replicas, -1)
            lanes = padded.reshape(self._blocks, LANES, -1).transpose(0, 2, 1)
        cells = self._haloed if film else lanes.shape[1]
        held = aligned_zeros((lanes.shape[0], cells, LANES), np.float32)
        held[:, self._interior if film else slice(None)] = lanes
        return held

    def _kept(self, array: np.ndarray) -> np.ndarray:
        """An array whose address the kernel holds."""
        self._keep.append(array)
        return array

    def _unpacked(self, lanes: np.ndarray) -> np.ndarray:
        """(blocks, cells, 3, lanes) as (replicas, 3, nx, ny)."""
        by_replica = lanes.transpose(0, 3, 2, 1).reshape(self._padded, 3, self.problem.nx, self.problem.ny)
        return np.array(by_replica[: self.replicas], order="C")

    @staticmethod
    def _checked(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        given = np.asarray(values)
        if given.shape != shape:
            raise ValueError(f"{name}: shape {given.shape}, expected {shape}")
        return given


def _interior(nx: int, ny: int) -> np.ndarray:
    """Indices of the film's cells, x first, in the kernel's arrays with a halo."""
    rows: np.ndarray = (np.arange(nx)[:, None] + 1) * (ny + 1) + 1 + np.arange(ny)
    return rows.ravel()
