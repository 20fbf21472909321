"""Straight walls at any place and tilt, from which rests and paths are found."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics import Film


def tilted_walls(
    film: Film, position: Float[Tensor, " wall"], tilt: Float[Tensor, " wall"]
) -> Float[Tensor, "wall 3 nx ny"]:
    """Straight walls through (position, middle of the track), the left domain up, magnetised along their normal as the
    DMI prefers.

    Args:
        film: Film with grid and material.
        position: Position in m of each wall.
        tilt: Angle in rad between each wall and the direction across the track, positive if x grows with y along it
            (:class:`~barkhausen.micromagnetics.WallTilt`).
    """
    grid = film.grid
    q, angle = position.to(torch.float64)[:, None, None], tilt.to(torch.float64)[:, None, None]
    along, across = torch.cos(angle), torch.sin(angle)
    distance = (grid.x[:, None] - q) * along - (grid.y - grid.width / 2) * across
    u = distance / film.material.wall_width
    in_wall = 1 / torch.cosh(u)
    sense = -1.0 if film.material.dmi > 0 else 1.0
    return torch.stack((sense * along * in_wall, -sense * across * in_wall, -torch.tanh(u)), 1)


def without_wall(film: Film, up: bool) -> Float[Tensor, "1 3 nx ny"]:
    """One domain."""
    m = torch.zeros(1, 3, *film.grid.shape, dtype=torch.float64)
    m[:, 2] = 1.0 if up else -1.0
    return m
