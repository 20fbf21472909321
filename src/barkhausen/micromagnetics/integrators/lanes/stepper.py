"""Common part of the integrators in the compiled kernel: CPU, float32, replicas as lanes of the vector unit."""

from __future__ import annotations

import abc
import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.integrators.base import Stepper, check_stepper_state, check_stepping
from barkhausen.micromagnetics.integrators.lanes.problem import lane_drive
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, step_times, whole_steps
from barkhausen.micromagnetics.system import System

TABLE_STEPS = 512
"""Steps for which the drive is tabulated, and after which Ctrl-C is heard."""


class CompiledStepper(Stepper):
    """Integrator in the compiled kernel.

    Each replica has its own random stream, seeded from the ensemble's seed and its number, so that it moves to the
    same last bit whatever it shares a vector, a thread or a chunk with.

    Args:
        system: Film, terms and drive of the batch; float32 on the CPU.
        m: Initial magnetisation, ``[replica, 3, nx, ny]``.
        dt: Time step in s.
        temperature: Temperature in K, one for all replicas or one for each.
        seed: Seed of the ensemble.
        replicas: Numbers of these replicas in the ensemble; default 0, 1, …
        advice: Advice on the step, for error messages.
        threads: Number of threads.

    Raises:
        InputError: The kernel is missing or cannot compute these terms, or an argument is wrong.
    """

    @checks_arguments("StepAdvice", "System")
    def __init__(
        self,
        system: System,
        m: Float[Tensor, "replica 3 nx ny"],
        *,
        dt: float,
        temperature: float | Float[Tensor, " replica"] = 0.0,
        seed: int = 0,
        replicas: Int[Tensor, " replica"] | None = None,
        advice: StepAdvice | None = None,
        threads: int | None = None,
    ) -> None:
        reason = self._why_not(system)
        if reason is not None:
            raise InputError(f"the compiled kernel cannot be used: {reason}")
        check_stepping(system, dt, temperature, replicas)
        shape = (system.replicas, 3, *system.film.grid.shape)
        if not isinstance(m, Tensor) or tuple(m.shape) not in (shape, (1, *shape[1:])):
            what = f"shape {tuple(m.shape)}" if isinstance(m, Tensor) else type(m).__name__
            raise InputError(f"magnetisation: {what} is not a tensor of the shape {shape}")
        self.system, self.dt, self.advice = system, dt, advice
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        self._lanes = compiled.LaneEnsemble(
            self._problem(system), system.replicas, torch.get_num_threads() if threads is None else threads
        )
        self._lanes.set_magnetisation(m.expand(system.replicas, -1, -1, -1).numpy())
        self._lanes.seed(seed, self.replicas.numpy())
        self._constant: tuple[Tensor, np.ndarray] | None = None
        self.set_temperature(temperature)

    @staticmethod
    @abc.abstractmethod
    def _why_not(system: System) -> str | None:
        """Why the kernel cannot compute this system, or ``None`` if it can."""

    @staticmethod
    @abc.abstractmethod
    def _problem(system: System) -> compiled.LaneProblem:
        """Constants of the system as the kernel takes them."""

    @abc.abstractmethod
    def _steps(self, start: float, first: int, count: int) -> compiled.Outcome:
        """Make ``count`` steps, the first of which begins ``first`` steps after ``start`` (s)."""

    @abc.abstractmethod
    def _failure(self, replica: int, time: float, deviation: float) -> OutcomeError:
        """Error for a replica that broke down at a time in s, with what the kernel measured, or NaN."""

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Copy of the current magnetisation."""
        return torch.from_numpy(self._lanes.magnetisation())

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, a whole number of steps apart."""
        steps = whole_steps(start, stop, self.dt)
        for first in range(0, steps, TABLE_STEPS):
            outcome = self._steps(start, first, min(TABLE_STEPS, steps - first))
            failed = np.flatnonzero(outcome.failed_step >= 0)
            if len(failed):
                worst = failed[np.argmin(outcome.failed_step[failed])]
                time = start + (first + int(outcome.failed_step[worst])) * self.dt
                deviation = float(outcome.deviation[worst])
                raise self._failure(
                    int(self.replicas[worst]), time, deviation if math.isfinite(deviation) else math.nan
                )

    def _lane_drive(self, start: float, first: int, count: int, share: float = 0.0) -> np.ndarray:
        """Drive ``share`` of a step after the begin of each of ``count`` steps.

        That of a constant drive is kept for as long as it acts.
        """
        constant = self.system.drive.constant
        if constant is None:
            return lane_drive(self.system, step_times(start, first, count, self.dt) + share * self.dt)
        if self._constant is None or self._constant[0] is not constant:
            self._constant = constant, lane_drive(self.system, step_times(start, first, 1, self.dt))
        return np.broadcast_to(self._constant[1], (count, *self._constant[1].shape[1:]))

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation and random state."""
        return {"m": self.m, "random": torch.from_numpy(self._lanes.rng_state().astype(np.int64))}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        check_stepper_state(state, {"m": (self.system.replicas, 3, *self.system.film.grid.shape), "random": None})
        self._lanes.set_magnetisation(state["m"].numpy())
        self._lanes.set_rng_state(state["random"].numpy().astype(np.uint32))
