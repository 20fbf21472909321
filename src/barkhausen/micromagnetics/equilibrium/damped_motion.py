"""Damped motion without precession, by a stabilised method: for a stiff flow down the energy."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from barkhausen.core.errors import OutcomeError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.integrators.stiffness import stiffest_fields
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.system import System

DAMPING = 2 / 13
"""Damping epsilon of the stability polynomial, which keeps it below 1 inside its interval."""

MOST_STAGES = 60
"""Largest number of stages of a step; the step is as much longer as its square."""

SAFETY = 1.1
"""By how much the field of the stiffest mode is raised: a state in disorder may be stiffer than a uniform one."""

SHORTEST_STEP = 1e-20
"""Below this (s) the error control has failed: the torque is not a number."""


class DampedMotion:
    """dm/dt = −gamma m × (m × B), the drive at rest, with steps that the error limits and not the stiffest mode.

    The Runge-Kutta-Chebyshev method of second order (Sommeijer, Shampine and Verwer, J. Comput. Appl. Math. 88, 315
    (1998)): a step of s stages may be (2/3)(s² − 1)/rate long, where classical methods of s stages allow some s/rate.
    The fastest rate follows from the stiffest field of the terms.

    Args:
        system: Film, terms and drive.
        m: Initial magnetisation.
        tolerance: Largest error of m in one step.
    """

    def __init__(self, system: System, m: Tensor, tolerance: float) -> None:
        self.system, self.tolerance = system, tolerance
        self.m = system.start(m)
        held, driven = stiffest_fields(system.film, system.drive, system.terms)
        self.rate = SAFETY * GYROMAGNETIC_RATIO * max(held + driven, 1e-3)
        self._longest = 0.65 * (MOST_STAGES**2 - 1) / self.rate
        self._step = 1.0 / self.rate
        self._slope: Tensor | None = None
        filled = self.m.square().sum(1, keepdim=True)
        self._empty = (filled == 0).to(self.m.dtype)

    def advance(self, duration: float) -> None:
        """Move on by that time in s."""
        left = duration
        while left > 1e-9 * duration:
            step = min(self._step, self._longest, left)
            if self._slope is None:
                self._slope = self._flow(self.m)
            moved = self._stages(step, self._slope)
            slope = self._flow(moved)
            error = 0.8 * (self.m - moved) + 0.4 * step * (self._slope + slope)
            ratio = float(torch.linalg.vector_norm(error, dim=1).max()) / self.tolerance
            if math.isnan(ratio) or step < SHORTEST_STEP:
                raise OutcomeError("damped motion: the field is not a number")
            if ratio <= 1.0:
                left -= step
                self.m, self._slope = moved, slope
            factor = min(3.0, max(0.2, 0.8 * ratio ** (-1 / 3))) if ratio > 0 else 3.0
            # A step cut short to land on the end says nothing against a longer one.
            if ratio > 1.0 or factor * step > self._step:
                self._step = factor * step

    def _stages(self, step: float, slope: Tensor) -> Tensor:
        table = coefficients(max(2, math.ceil(math.sqrt(1 + 1.54 * step * self.rate))))
        start = self.m
        before, at = start, start.add(slope, alpha=table[0][3] * step)
        for mu, nu, _, own, first in table[1:]:
            moved = start * (1 - mu - nu)
            moved.add_(at, alpha=mu).add_(before, alpha=nu).add_(self._flow(at), alpha=own * step)
            before, at = at, moved.add_(slope, alpha=first * step)
        square = at.square().sum(1, keepdim=True) + self._empty
        return at * square.rsqrt()

    def _flow(self, m: Tensor) -> Tensor:
        # Beyond the unit sphere within a step, as any stage of a Runge-Kutta method.
        down = cross(m, cross(m, self.system.field(m).mul_(-GYROMAGNETIC_RATIO)))
        return down if self.system.film.moving is None else down.mul_(self.system.film.moving[:, None])


@cache
def coefficients(stages: int) -> tuple[tuple[float, float, float, float, float], ...]:
    """mu, nu, b, mu~ and gamma~ of each stage, in the notation of the paper."""
    w0 = 1 + DAMPING / stages**2
    t, dt, ddt = [1.0, w0], [0.0, 1.0], [0.0, 0.0]
    for j in range(2, stages + 1):
        t.append(2 * w0 * t[j - 1] - t[j - 2])
        dt.append(2 * t[j - 1] + 2 * w0 * dt[j - 1] - dt[j - 2])
        ddt.append(4 * dt[j - 1] + 2 * w0 * ddt[j - 1] - ddt[j - 2])
    w1 = dt[stages] / ddt[stages]
    b = [0.0, 0.0] + [ddt[j] / dt[j] ** 2 for j in range(2, stages + 1)]
    b[0] = b[1] = b[2]
    rows = [(0.0, 0.0, b[1], b[1] * w1, 0.0)]
    for j in range(2, stages + 1):
        own = 2 * b[j] * w1 / b[j - 1]
        first = -(1 - b[j - 1] * t[j - 1]) * own
        rows.append((2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], b[j], own, first))
    return tuple(rows)
