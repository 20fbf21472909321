"""Quasi-Newton directions on the sphere from the last few steps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.equilibrium.sphere_paths import Images, Metric

MEMORY = 6
"""Steps remembered."""

FIRST = 1e-2
"""Step in rad/T while nothing is remembered."""

LONGEST = 0.1
"""Largest rotation of a cell in one step, in rad."""


class QuasiNewton:
    """Limited-memory BFGS (Nocedal 1980) for forces on paths, each path with its own history.

    It needs forces alone, no energy: the force of a path derives from none. Remembered steps are projected to the
    present tangent space; a path whose force grows, or whose direction points against its force, forgets them (Ivanov,
    Uzdin and Jónsson, Comput. Phys. Commun. 260, 107749 (2021), who found it the fastest for such paths).

    Args:
        metric: Scalar product of rotations.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.forget()

    def forget(self) -> None:
        """Start again with steps along the force."""
        self._steps: list[Tensor] = []
        self._turns: list[Tensor] = []
        self._force: Tensor | None = None
        self._step: Tensor | None = None

    def step(self, m: Images, force: Images) -> Images:
        """Rotations (rad) to make at m under a force (T)."""
        if self._force is not None and self._step is not None:
            self._remember(m, force)
        direction = self._direction(m, force)
        against = self._whole(direction, force) <= 0
        # Where the direction is of no use, along the force.
        direction = torch.where(_spread(against), FIRST * force, direction)
        largest = torch.linalg.vector_norm(direction, dim=-3).amax((1, 2, 3))
        step = direction * _spread((LONGEST / largest.clamp_min(1e-300)).clamp_max(1.0))
        self._force, self._step = force, step
        return step

    def _remember(self, m: Images, force: Images) -> None:
        assert self._force is not None
        assert self._step is not None
        grown = self._whole(force, force) > 4 * self._whole(self._force, self._force)
        self._steps.append(self._step)
        self._turns.append(self._force - force)
        self._steps, self._turns = (
            [_tangent(m, torch.where(_spread(grown), 0.0, row)) for row in rows[-MEMORY:]]
            for rows in (self._steps, self._turns)
        )

    def _direction(self, m: Images, force: Images) -> Images:
        q = force
        shares, weights = [], []
        for step, turn in zip(reversed(self._steps), reversed(self._turns), strict=True):
            overlap = self._whole(step, turn)
            usable = overlap > 1e-12 * (self._whole(step, step) * self._whole(turn, turn)).sqrt()
            weight = torch.where(usable, 1 / torch.where(usable, overlap, 1.0), 0.0)
            share = weight * self._whole(step, q)
            q = q - _spread(share) * turn
            shares.append(share)
            weights.append(weight)
        scale = force.new_full((len(force),), FIRST)
        if self._steps:
            overlap, square = (
                self._whole(self._steps[-1], self._turns[-1]),
                self._whole(self._turns[-1], self._turns[-1]),
            )
            usable = (overlap > 0) & (square > 0)
            scale = torch.where(usable, overlap / torch.where(usable, square, 1.0), scale)
        q = _spread(scale) * q
        for step, turn, share, weight in zip(
            self._steps, self._turns, reversed(shares), reversed(weights), strict=True
        ):
            back = weight * self._whole(turn, q)
            q = q + _spread(share - back) * step
        return _tangent(m, q)

    def _whole(self, a: Tensor, b: Tensor) -> Float[Tensor, " path"]:
        return self.metric.dot(a, b).sum(1)


def _spread(values: Tensor) -> Tensor:
    return values[:, None, None, None, None]


def _tangent(m: Tensor, v: Tensor) -> Tensor:
    along: Tensor = (m * v).sum(-3, keepdim=True)
    return v - along * m
