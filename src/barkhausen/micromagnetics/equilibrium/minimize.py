"""Descent of the energy."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.equilibrium.rest import (
    EVALUATIONS,
    TORQUE,
    NotConvergedError,
    OnMaximum,
    check_on_maximum,
    check_torque,
    settled,
)
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.system import System

CHECK = 10
"""Iterations from one look at the torque to the next."""

LONGEST_STEP, SHORTEST_LIMIT = 10.0, 1e-3
"""Longest step in 1/T, and the lowest that its limit can be: below 2 over the field of any stiffest mode."""

STALL = 100
"""Iterations without progress after which the limit of the steps is halved."""


@checks_arguments("System")
def minimize(
    system: System,
    m: Float[Tensor, "replica 3 nx ny"],
    *,
    torque: float = TORQUE,
    time: float = 0.0,
    iterations: int = EVALUATIONS,
    on_maximum: OnMaximum = "warn",
    seed: int = 0,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Descend the energy by steepest descent with Barzilai-Borwein steps, each replica with its own.

    Exl et al., J. Appl. Phys. 115, 17D118 (2014), as mumax3's ``Minimize()``. Much faster than :func:`relax`, but
    from a state far from equilibrium it may end in another minimum.

    Args:
        system: Film, terms and drive; terms that derive from no energy (torques) are followed all the same.
        m: Initial magnetisation.
        torque: Largest |m × B| in T at which a cell counts as at rest.
        time: Time of the drive in s.
        iterations: Largest number of iterations, a field evaluation each.
        on_maximum: What to do with a state at rest that is a maximum or saddle of the energy
            (:func:`~barkhausen.micromagnetics.equilibrium.stability.stability`): ``warn``; ``perturb`` it along its
            softest mode and go on; ``ignore``, which saves the up to 60 field evaluations of the check.
        seed: Seed of the perturbation, which chooses its side.

    Raises:
        NotConvergedError: The magnetisation is not at rest after that many iterations.
        InputError: An unknown ``on_maximum``.
    """
    check_on_maximum(on_maximum)
    check_torque(torque)

    def to_rest(start: Tensor) -> Tensor:
        return descend(system, start, torque=torque, time=time, iterations=iterations)

    return settled(to_rest, system, m, time=time, on_maximum=on_maximum, seed=seed, name="minimize")


def descend(system: System, m: Tensor, *, torque: float, time: float, iterations: int) -> Tensor:
    """The nearest state at rest, of whatever curvature."""
    inputs = system.inputs(time)

    def descent(at: Tensor) -> Tensor:
        downhill = cross(at, cross(at, system.field(at, inputs)))
        return downhill if system.film.moving is None else downhill.mul_(system.film.moving[:, None])

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return system.over_layers((a * b).sum((1, 2, 3)))[:, None, None, None]

    m = system.start(m)
    if not bool(torch.isfinite(m).all()):
        raise InputError("magnetisation: not all values are finite")
    gradient = descent(m)
    step = m.new_full((m.shape[0], 1, 1, 1), 1e-2)
    patience = _Patience(step)
    worst = float("inf")
    for k in range(iterations):
        if k % CHECK == 0:
            torques = system.over_layers(torch.linalg.vector_norm(gradient, dim=1).amax((1, 2)), "amax")
            worst = float(torques.max())
            if worst < torque:
                return m
            patience.look(torques)
        # The rotation that an implicit midpoint step about m × B makes: norms are kept exactly.
        axis = step * cross(m, gradient)
        square = (axis * axis).sum(1, keepdim=True)
        moved = ((4 - square) * m - 4 * step * gradient) / (4 + square)
        change, before = moved - m, gradient
        m, gradient = moved, descent(moved)
        turn = gradient - before
        overlap = dot(change, turn)
        # The two Barzilai-Borwein steps in turn.
        if k % 2:
            proposed = overlap / dot(turn, turn).clamp_min(1e-30)
        else:
            proposed = dot(change, change) / torch.where(overlap == 0, 1e-30, overlap)
        step = patience.limited(proposed)
    raise NotConvergedError(
        f"minimize: largest torque is {worst:.3g} T after {iterations} iterations, wanted {torque:g} T"
    )


class _Patience:
    """Limit of the steps of each replica, lowered where they lead nowhere.

    Barzilai-Borwein steps are not monotone, and that makes them fast; but on few spins they can go round in circles
    for ever, and where the energy is concave they say nothing. A replica whose torque has not fallen for
    :data:`STALL` iterations gets half the limit, down to where plain descent is stable, and steps of the size of the
    inverse curvature where that is negative; when the torque falls again the limit rises.
    """

    def __init__(self, step: Tensor) -> None:
        self.limit = torch.full_like(step, LONGEST_STEP)
        self.best = step.new_full((len(step),), torch.inf)
        self.idle = torch.zeros(len(step), dtype=torch.int64, device=step.device)

    def look(self, torques: Tensor) -> None:
        """Take note of the largest torque of each replica."""
        better = torques < 0.9 * self.best
        self.best = torch.where(better, torques, self.best)
        self.idle = torch.where(better, 0, self.idle + CHECK)
        stalled = self.idle >= STALL
        self.idle = torch.where(stalled, 0, self.idle)
        # Uphill from there may be the only way on.
        self.best = torch.where(stalled, torques, self.best)
        factor = torch.where(stalled, 0.5, torch.where(better, 1.2, 1.0))[:, None, None, None]
        self.limit = (self.limit * factor).clamp(SHORTEST_LIMIT, LONGEST_STEP)

    def limited(self, proposed: Tensor) -> Tensor:
        """The step to make, of the one proposed."""
        concave = torch.where(self.limit < LONGEST_STEP, proposed.abs(), 1e-2)
        usable = torch.isfinite(proposed) & (proposed > 0)
        step = torch.where(usable, proposed, torch.where(torch.isfinite(concave), concave, 1e-2))
        return torch.minimum(step.clamp_min(1e-8), self.limit)
