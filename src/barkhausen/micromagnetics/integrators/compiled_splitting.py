"""Symmetric splitting on a checkerboard in the compiled kernel: CPU, float32, replicas as lanes of the vector unit."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.base import Stepper
from barkhausen.micromagnetics.integrators.compiled_heun import TABLE_STEPS, lane_drive, lane_problem, why_not
from barkhausen.micromagnetics.integrators.lane_maps import of_lanes
from barkhausen.micromagnetics.integrators.local_fields import NearDemag
from barkhausen.micromagnetics.integrators.splitting import thermal_turn
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, step_times, whole_steps
from barkhausen.micromagnetics.integrators.turn_guard import TURN_LIMIT, TurnError
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import CubicAnisotropy, Demag, Exchange, Term, ZhangLi


def why_not_compiled(
    terms: tuple[Term, ...],
    dtype: torch.dtype,
    device: torch.device | str,
    film: Film | None = None,
) -> str | None:
    """Why the compiled kernel cannot split this, or ``None`` if it can."""
    for term in terms:
        if isinstance(term, (CubicAnisotropy, ZhangLi)):
            return f"its splitting does not know the term {type(term).__name__}"
    return why_not(terms, dtype, device, film)


class CompiledSplitting(Stepper):
    """As :class:`~barkhausen.micromagnetics.integrators.splitting.Splitting`, to rounding, with noise of its own.

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
        InputError: The kernel is missing or cannot compute these terms.
    """

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
        reason = why_not_compiled(system.terms, system.dtype, system.device, system.film)
        if reason is not None:
            raise InputError(f"the compiled kernel cannot be used: {reason}")
        self.system, self.dt, self.advice = system, dt, advice
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        self._stray = any(isinstance(term, Demag) for term in system.terms)
        self._lanes = compiled.LaneEnsemble(
            split_problem(system), system.replicas, torch.get_num_threads() if threads is None else threads
        )
        self._lanes.set_magnetisation(m.expand(system.replicas, -1, -1, -1).numpy())
        self._lanes.seed(seed, self.replicas.numpy())
        self.set_temperature(temperature)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        values = torch.as_tensor(temperature, dtype=torch.float64).expand(self.system.replicas).tolist()
        kicks = {value: thermal_turn(self.system.film, value, self.dt) for value in set(values)}
        self._kick = np.array([kicks[value] for value in values])

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Copy of the current magnetisation."""
        return torch.from_numpy(self._lanes.magnetisation())

    def set_magnetisation(self, m: Float[Tensor, "replica 3 nx ny"]) -> None:
        """Replace the magnetisation; the extrapolation starts anew."""
        self._lanes.set_magnetisation(m.expand(self.system.replicas, -1, -1, -1).numpy())
        self._lanes.set_last_stray(None)

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, a whole number of steps apart."""
        steps = whole_steps(start, stop, self.dt)
        for first in range(0, steps, TABLE_STEPS):
            count = min(TABLE_STEPS, steps - first)
            drive = lane_drive(self.system, step_times(start, first, count, self.dt) + 0.5 * self.dt)
            outcome = self._lanes.split(self.dt, self._kick, drive, TURN_LIMIT)
            failed = np.flatnonzero(outcome.failed_step >= 0)
            if len(failed):
                worst = failed[np.argmin(outcome.failed_step[failed])]
                time = start + (first + int(outcome.failed_step[worst])) * self.dt
                square = float(outcome.deviation[worst])
                turn = math.sqrt(square) if math.isfinite(square) else math.nan
                raise TurnError(int(self.replicas[worst]), time, turn, self.advice)

    def take_film(self) -> bool:
        """Write the film's anisotropy to where the kernel reads it, if it fits there."""
        if self.system.film.easy_axis is not None:
            return False
        problem = split_problem(self.system)
        return self._lanes.set_anisotropy(problem.anisotropy, problem.anisotropy_x)

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation, random state, and the far part of the stray field one step ago."""
        state = {"m": self.m, "random": torch.from_numpy(self._lanes.rng_state().astype(np.int64))}
        if self._stray:
            state["far"] = torch.from_numpy(self._lanes.last_stray())
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        self._lanes.set_magnetisation(state["m"].numpy())
        self._lanes.set_rng_state(state["random"].numpy().astype(np.uint32))
        self._lanes.set_last_stray(state["far"].numpy() if "far" in state else None)


def split_problem(system: System) -> compiled.LaneProblem:
    """The constants of a system as the kernel's splitting takes them: the near stray field among the local terms."""
    coupled = any(isinstance(term, Exchange) for term in system.terms) and system.film.grid.cells > 1
    problem = dataclasses.replace(lane_problem(system), coupled=coupled)
    if problem.demag is None:
        return problem
    near = NearDemag.of(system.film.demag_kernel)
    moment = np.ones(()) if system.film.relative_moment is None else of_lanes(system.film.relative_moment)
    along_x, along_z, maps = problem.anisotropy_x, problem.anisotropy, problem.maps
    if near.own_x:
        along_x = near.own_x * moment + (0.0 if along_x is None else along_x)
    if maps is None or maps.axis is None:
        along_z = along_z + near.own_z * moment
    else:
        edge = 0.0 if maps.anisotropy_z is None else maps.anisotropy_z
        maps = dataclasses.replace(maps, anisotropy_z=near.own_z * moment + edge)
    return dataclasses.replace(
        problem,
        anisotropy=along_z,
        anisotropy_x=along_x,
        demag=NearDemag.far_kernel(system.film.demag_kernel).numpy(),
        near_x=near.beside,
        near_y=near.above,
        maps=maps,
    )
