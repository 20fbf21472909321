"""Resting walls of each device, in order along the track: the minima that paths lead between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.device.domain_wall.barriers.walls import tilted_walls
from barkhausen.micromagnetics import Film, System, WallPosition
from barkhausen.micromagnetics.equilibrium.minimize import descend

TORQUE = 2e-4
"""Largest torque in T of a wall at rest: its energy is then off by less than 1e-3 kB T."""

APART = 3e-9
"""Distance in m below which two resting walls are one."""

ITERATIONS = 20_000


@dataclass(frozen=True, eq=False)
class RestingWall:
    """A wall at rest on a device."""

    device: int
    position: float
    """In m."""
    state: Float[Tensor, "3 nx ny"]
    energy: float
    """Total energy of the film in J."""


def resting_walls(film: Film, places: Sequence[Sequence[float]]) -> list[list[RestingWall]]:
    """Walls at rest of each device, in order of position, found by descent from straight walls.

    Args:
        film: Film of the devices.
        places: Positions in m of each device from which walls descend; NaN is left out.
    """
    start = [(d, q) for d, row in enumerate(places) for q in row if math.isfinite(q)]
    walls: list[list[RestingWall]] = [[] for _ in places]
    if not start:
        return walls
    numbers = torch.tensor([d for d, _ in start])
    q = torch.tensor([q for _, q in start], dtype=torch.float64).clamp(0.0, film.grid.length)
    system = System(film.assign(numbers), replicas=len(start))
    m = descend(
        system, tilted_walls(film, q, torch.zeros_like(q)), torque=TORQUE, time=0.0, iterations=ITERATIONS
    )  # fmt: skip
    energies = system.energy(m)
    found = WallPosition()(system, system.state(m))
    for k in torch.argsort(energies).tolist():
        # A wall that left the track, or was split, is no resting wall.
        position, device = float(found[k]), start[k][0]
        if math.isnan(position) or any(abs(w.position - position) < APART for w in walls[device]):
            continue
        walls[device].append(RestingWall(device, position, m[k], float(energies[k])))
    return [sorted(row, key=lambda wall: wall.position) for row in walls]
