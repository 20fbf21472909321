"""Equilibrium of the magnetisation, by damped motion or by descent of the energy."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import OutcomeError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.integrators.dormand_prince import DormandPrince
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Torque

TORQUE = 1e-5
"""Default largest |m × B| in T at which the magnetisation counts as at rest."""


NEAR_REST = 2e-2
"""Largest |m × B| in T at which damped motion has chosen its minimum."""


class NotConvergedError(OutcomeError):
    """Error for an equilibrium that was not reached within the limit."""


class _Damped(System):
    """System without precession and with the strongest damping."""

    def __init__(self, system: System) -> None:
        self.__dict__.update(system.__dict__)

    def rate(self, m: Tensor, field: Tensor, out: Tensor | None = None) -> Tensor:
        return cross(m, cross(m, field.mul_(-GYROMAGNETIC_RATIO)), out)


def largest_torque(system: System, m: Float[Tensor, "replica 3 nx ny"], time: float = 0.0) -> Float[Tensor, " replica"]:
    """Largest |m × B| of each replica in T."""
    torques: Tensor = torch.linalg.vector_norm(cross(m, system.field(m, time)), dim=1)
    return torques.amax((1, 2))


def relax(
    system: System,
    m: Float[Tensor, "replica 3 nx ny"],
    *,
    torque: float = TORQUE,
    time: float = 0.0,
    longest: float = 1e-6,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Let the magnetisation come to rest by damping alone (no precession), as mumax3's ``Relax()``.

    Damped motion decides which minimum it comes to; once all torques are small, :func:`minimize` covers the last, slow
    part of the way, if it leads down.

    Args:
        system: Film, terms and drive; the drive is held at its value at ``time``.
        m: Initial magnetisation.
        torque: Largest |m × B| in T at which a cell counts as at rest.
        time: Time of the drive in s.
        longest: Limit of the simulated time in s.

    Raises:
        NotConvergedError: The magnetisation is not at rest after ``longest``.
    """
    stepper = DormandPrince(_Frozen(_Damped(system), time), m, tolerance=1e-4)
    elapsed, interval = 0.0, 1e-11
    while elapsed < longest:
        stepper.advance(elapsed, elapsed + interval)
        elapsed += interval
        rest = float(largest_torque(system, stepper.m, time).max())
        if rest < torque:
            return stepper.m
        if rest < NEAR_REST and _has_energy(system):
            try:
                polished = minimize(system, stepper.m, torque=torque, time=time, iterations=3000)
            except NotConvergedError:
                continue
            if bool((system.energy(polished, time) <= system.energy(stepper.m, time)).all()):
                return polished
        # Where the error control alone limits the descent it dithers at its own tolerance.
        stepper.tolerance = max(1e-9, min(stepper.tolerance, 1e-2 * rest))
    raise NotConvergedError(f"relax: largest torque is {rest:.3g} T after {longest:g} s, wanted {torque:g} T")


def _has_energy(system: System) -> bool:
    """Whether no torque drives it that derives from no energy."""
    return not any(isinstance(term, Torque) for term in system.terms)


class _Frozen(System):
    """System with the drive held at one instant."""

    def __init__(self, system: System, time: float) -> None:
        self.__dict__.update(system.__dict__)
        self._system, self._inputs = system, system.inputs(time)

    def field(self, m: Tensor, inputs: object = 0.0) -> Tensor:
        return self._system.field(m, self._inputs)

    def rate(self, m: Tensor, field: Tensor, out: Tensor | None = None) -> Tensor:
        return self._system.rate(m, field, out)


def minimize(
    system: System,
    m: Float[Tensor, "replica 3 nx ny"],
    *,
    torque: float = TORQUE,
    time: float = 0.0,
    iterations: int = 20_000,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Descend the energy by steepest descent with Barzilai-Borwein steps, each replica with its own.

    Exl et al., J. Appl. Phys. 115, 17D118 (2014), as mumax3's ``Minimize()``. Much faster than :func:`relax`, but
    from a state far from equilibrium it may end in another minimum.

    Args:
        system: Film, terms and drive; terms that derive from no energy (torques) are followed all the same.
        m: Initial magnetisation.
        torque: Largest |m × B| in T at which a cell counts as at rest.
        time: Time of the drive in s.
        iterations: Largest number of iterations.

    Raises:
        NotConvergedError: The magnetisation is not at rest after that many iterations.
    """
    inputs = system.inputs(time)

    def descent(at: Tensor) -> Tensor:
        field = system.field(at, inputs)
        return cross(at, cross(at, field))

    m = system.start(m)
    gradient = descent(m)
    step = m.new_full((m.shape[0], 1, 1, 1), 1e-2)
    worst = float("inf")
    for k in range(iterations):
        if k % 10 == 0:
            worst = float(torch.linalg.vector_norm(gradient, dim=1).max())
            if worst < torque:
                return m
        # The rotation that an implicit midpoint step about m × B makes: norms are kept exactly.
        axis = step * cross(m, gradient)
        square = (axis * axis).sum(1, keepdim=True)
        moved = ((4 - square) * m - 4 * step * gradient) / (4 + square)
        change, before = moved - m, gradient
        m, gradient = moved, descent(moved)
        turn = gradient - before
        overlap = (change * turn).sum((1, 2, 3), keepdim=True)
        # The two Barzilai-Borwein steps in turn.
        if k % 2:
            proposed = overlap / (turn * turn).sum((1, 2, 3), keepdim=True).clamp_min(1e-30)
        else:
            proposed = (change * change).sum((1, 2, 3), keepdim=True) / torch.where(overlap == 0, 1e-30, overlap)
        step = torch.where(torch.isfinite(proposed) & (proposed > 0), proposed, 1e-2).clamp(1e-8, 10.0)
    raise NotConvergedError(
        f"minimize: largest torque is {worst:.3g} T after {iterations} iterations, wanted {torque:g}"
    )
