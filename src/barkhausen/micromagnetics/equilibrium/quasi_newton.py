"""Quasi-Newton directions on the sphere from the last few steps."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.micromagnetics.equilibrium.sphere_paths import Images, Metric, length, scalar

MEMORY = 6
"""Steps remembered."""

FIRST = 1e-2
"""Step in rad/T while nothing is remembered."""

LONGEST = 0.1
"""Largest rotation of a cell in one step, in rad."""


class QuasiNewton:
    """Limited-memory BFGS (Nocedal 1980) for forces on paths, each path with its own history.

    It needs forces alone, no energy: the force of a path derives from none. The direction is projected to the present
    tangent space; a path whose force grows, or whose direction points against its force, forgets its steps (Ivanov,
    Uzdin and Jónsson, Comput. Phys. Commun. 260, 107749 (2021), who found it the fastest for such paths).

    Steps, changes of the force and the force itself are the rows of one matrix for each path. Both loops run on its
    Gram matrix, so that the long vectors are read twice an iteration and not two dozen times (the vector-free form of
    Chen, Wang and Zhou, NIPS 27, 1332 (2014)).

    Args:
        metric: Scalar product of rotations.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.forget()

    def forget(self, which: Bool[Tensor, " path"] | None = None) -> None:
        """Start again with steps along the force: all paths, or those of a mask."""
        if which is None:
            self._rows: Tensor | None = None
            self._force: Tensor | None = None
            self._step: Tensor | None = None
            self._fresh: Tensor | None = None
            self._count = 0
        elif self._rows is not None and bool(which.any()):
            # Rows of zeros count as nothing remembered.
            self._rows[which] = 0.0
            self._fresh = which.clone() if self._fresh is None else self._fresh | which

    def keep(self, which: Int[Tensor, " kept"]) -> None:
        """Go on with some of the paths, by number."""
        self.metric = self.metric.select(which)
        self._rows, self._force, self._step, self._fresh = (
            None if row is None else row[which] for row in (self._rows, self._force, self._step, self._fresh)
        )

    def step(self, m: Images, force: Images) -> Images:
        """Rotations (rad) to make at m under a force (T)."""
        root = self.metric.root
        if self._rows is None:
            self._rows = force.new_zeros((len(force), 2 * MEMORY + 1, force[0].numel()))
        scaled = (force * root).flatten(1)
        if self._force is not None and self._step is not None:
            self._remember(scaled)
        direction = torch.bmm(self._combined(scaled)[:, None], self._rows)[:, 0].view_as(force)
        direction = _tangent(m, direction / root.clamp_min(1e-150))
        against = self.metric.dot(direction, force).sum(1) <= 0
        if bool(against.any()):
            # Where the direction is of no use, along the force.
            direction = torch.where(_spread(against), FIRST * force, direction)
        largest = length(direction).amax((1, 2, 3, 4))
        step = direction.mul_(_spread((LONGEST / largest.clamp_min(1e-300)).clamp_max(1.0)))
        self._force, self._step = scaled, (step * root).flatten(1)
        return step

    def _remember(self, force: Float[Tensor, "path n"]) -> None:
        assert self._rows is not None
        assert self._force is not None
        assert self._step is not None
        grown = (force * force).sum(1) > 4 * (self._force * self._force).sum(1)
        if bool(grown.any()):
            self._rows[grown] = 0.0
        place = self._count % MEMORY
        self._rows[:, place] = self._step
        self._rows[:, MEMORY + place] = self._force - force
        if self._fresh is not None:
            grown, self._fresh = grown | self._fresh, None
        if bool(grown.any()):
            self._rows[grown] = 0.0
        self._count += 1

    def _combined(self, force: Float[Tensor, "path n"]) -> Float[Tensor, "path row"]:
        """Shares of the rows in the direction: both loops of the recursion on the scalar products of the rows."""
        assert self._rows is not None
        self._rows[:, -1] = force
        gram = torch.bmm(self._rows, self._rows.transpose(1, 2))
        share = gram.new_zeros(len(gram), 2 * MEMORY + 1)
        share[:, -1] = 1.0
        order = [(self._count - 1 - k) % MEMORY for k in range(min(self._count, MEMORY))]
        kept = []
        for place in order:
            step, turn = place, MEMORY + place
            overlap = gram[:, step, turn]
            usable = overlap > 1e-12 * (gram[:, step, step] * gram[:, turn, turn]).sqrt()
            weight = torch.where(usable, 1 / torch.where(usable, overlap, 1.0), 0.0)
            taken = weight * (gram[:, step] * share).sum(1)
            share[:, turn] -= taken
            kept.append((step, turn, weight, taken))
        scale = force.new_full((len(force),), FIRST)
        if order:
            step, turn = order[0], MEMORY + order[0]
            overlap, square = gram[:, step, turn], gram[:, turn, turn]
            usable = (overlap > 0) & (square > 0)
            scale = torch.where(usable, overlap / torch.where(usable, square, 1.0), scale)
        share = share * scale[:, None]
        for step, turn, weight, taken in reversed(kept):
            back = weight * (gram[:, turn] * share).sum(1)
            share[:, step] += taken - back
        return share


def _spread(values: Tensor) -> Tensor:
    return values[:, None, None, None, None]


def _tangent(m: Tensor, v: Tensor) -> Tensor:
    return torch.addcmul(v, scalar(m, v), m, value=-1.0)
