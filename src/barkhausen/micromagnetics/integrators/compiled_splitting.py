"""Symmetric splitting on a checkerboard in the compiled kernel."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.lanes.maps import of_lanes
from barkhausen.micromagnetics.integrators.lanes.problem import lane_problem, why_not
from barkhausen.micromagnetics.integrators.lanes.stepper import CompiledStepper
from barkhausen.micromagnetics.integrators.local_fields import NearDemag
from barkhausen.micromagnetics.integrators.splitting import thermal_turn
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


class CompiledSplitting(CompiledStepper):
    """As :class:`~barkhausen.micromagnetics.integrators.splitting.Splitting`, to rounding, with noise of its own.

    Arguments and errors are those of :class:`~barkhausen.micromagnetics.integrators.lanes.stepper.CompiledStepper`.
    """

    @staticmethod
    def _why_not(system: System) -> str | None:
        return why_not_compiled(system.terms, system.dtype, system.device, system.film)

    @staticmethod
    def _problem(system: System) -> compiled.LaneProblem:
        return split_problem(system)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        values = torch.as_tensor(temperature, dtype=torch.float64).expand(self.system.replicas).tolist()
        kicks = {value: thermal_turn(self.system.film, value, self.dt) for value in set(values)}
        self._kick = np.array([kicks[value] for value in values])

    def set_magnetisation(self, m: Float[Tensor, "replica 3 nx ny"]) -> None:
        """Replace the magnetisation; the extrapolation starts anew."""
        self._lanes.set_magnetisation(m.expand(self.system.replicas, -1, -1, -1).numpy())
        self._lanes.set_last_stray(None)

    def _steps(self, start: float, first: int, count: int) -> compiled.Outcome:
        return self._lanes.split(self.dt, self._kick, self._lane_drive(start, first, count, 0.5), TURN_LIMIT)

    def _failure(self, replica: int, time: float, deviation: float) -> TurnError:
        # The kernel measures the square of the turn.
        return TurnError(replica, time, math.sqrt(deviation), self.advice)

    def take_film(self) -> bool:
        """Write the film's anisotropy to where the kernel reads it, if it fits there."""
        if self.system.film.easy_axis is not None:
            return False
        problem = split_problem(self.system)
        return self._lanes.set_anisotropy(problem.anisotropy, problem.anisotropy_x)

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation, random state, and the far part of the stray field one step ago."""
        state = super().state_dict()
        if any(isinstance(term, Demag) for term in self.system.terms):
            state["far"] = torch.from_numpy(self._lanes.last_stray())
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        super().load_state_dict(state)
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
