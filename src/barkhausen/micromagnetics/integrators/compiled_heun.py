"""Stochastic Heun method in the compiled kernel."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import warn
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.integrators.guard import NORM_LIMIT, IntegrationError
from barkhausen.micromagnetics.integrators.lanes.problem import lane_anisotropy, lane_problem, why_not
from barkhausen.micromagnetics.integrators.lanes.stepper import CompiledStepper
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import thermal_amplitude

LEAST_DAMPING = 1e-4
"""Damping below which rounding shows in the kernel: at 1e-13 s in 0.1 T it is 0.3 % off at 1e-4 and 19 % at 1e-5."""


class CompiledHeun(CompiledStepper):
    """As :class:`~barkhausen.micromagnetics.integrators.heun.Heun`, to rounding, with noise of its own.

    Arguments and errors are those of :class:`~barkhausen.micromagnetics.integrators.lanes.stepper.CompiledStepper`.
    """

    @staticmethod
    def _why_not(system: System) -> str | None:
        return why_not(system.terms, system.dtype, system.device, system.film)

    @staticmethod
    def _problem(system: System) -> compiled.LaneProblem:
        damping = float(torch.as_tensor(system.film.damping).min())
        if damping < LEAST_DAMPING:
            warn(
                f"damping = {damping:g}: the compiled kernel rounds to float32, which changes "
                f"damping by some 1e-6; take backend = 'torch', which makes up for it"
            )
        return lane_problem(system)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        if isinstance(temperature, Tensor):
            amplitude = thermal_amplitude(self.system.film, 1.0, self.dt) * temperature.sqrt()
            self._thermal = np.broadcast_to(amplitude.numpy(), (self.system.replicas,))
        else:
            self._thermal = np.full(self.system.replicas, thermal_amplitude(self.system.film, temperature, self.dt))

    def _steps(self, start: float, first: int, count: int) -> compiled.Outcome:
        # One row more: each drives the end of one step and the begin of the next.
        drive = self._lane_drive(start, first, count + 1)
        return self._lanes.advance(self.dt, self._thermal, drive, norm_limit=NORM_LIMIT)

    def _failure(self, replica: int, time: float, deviation: float) -> IntegrationError:
        return IntegrationError(replica, time, deviation, self.advice)

    def take_film(self) -> bool:
        """Write the film's anisotropy to where the kernel reads it, if it fits there."""
        if self.system.film.easy_axis is not None:
            return False
        return self._lanes.set_anisotropy(*lane_anisotropy(self.system))
