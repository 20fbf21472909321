"""The demagnetisation tensor between cells of two layers, of any thickness and distance."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.geometry.newell import NEAR, newell_f, newell_g

COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")

TRIANGULAR = ((-math.sqrt(0.4), 5 / 24), (0.0, 7 / 12), (math.sqrt(0.4), 5 / 24))
"""Gauss points of the distance of two uniform points in cells of edge 1."""

UNIFORM = ((-math.sqrt(0.15), 5 / 18), (0.0, 4 / 9), (math.sqrt(0.15), 5 / 18))
"""Gauss points of a uniform point in a cell of edge 1, from its middle."""


def interlayer_tensor(
    nx: int,
    ny: int,
    dx: float,
    dy: float,
    *,
    target: float,
    source: float,
    height: float,
) -> Float[Tensor, "6 offsets_x offsets_y"]:
    """Tensor N between the cells of two layers: H = −N M in the target, averaged over its cells.

    As :func:`~barkhausen.micromagnetics.geometry.newell.demagnetisation_tensor`, with the differences along z taken
    over the four distances of the faces of cells of two thicknesses.

    Args:
        nx, ny: Numbers of cells of both layers.
        dx, dy: Edges of a cell, all lengths in the same unit.
        target, source: Thickness of the layer in which the field acts, and of the one that exerts it.
        height: Height of the lower face of the target above that of the source; negative if it lies below.

    Returns:
        [6, 2 nx − 1, 2 ny − 1], components xx, yy, zz, xy, xz, yz, float64; the offset (target − source) (0, 0) is at
        index (nx − 1, ny − 1).
    """
    unit = max(dx, dy, target, source)
    edges = (dx / unit, dy / unit)
    levels = (target / unit, source / unit, height / unit)
    x, y = torch.meshgrid(
        torch.arange(nx, dtype=torch.float64) * edges[0], torch.arange(ny, dtype=torch.float64) * edges[1],
        indexing="ij",
    )  # fmt: skip
    middle = levels[2] + (levels[0] - levels[1]) / 2
    quadrant = _averaged_dipole(x, y, edges, levels)
    near = x * x + y * y + middle * middle <= NEAR**2
    quadrant[:, near] = _closed_form(x[near], y[near], edges, levels)
    full = torch.cat((quadrant.flip(1)[:, :-1], quadrant), dim=1)
    full = torch.cat((full.flip(2)[:, :, :-1], full), dim=2)
    # xy is odd in both offsets, xz in that along x, yz in that along y.
    full[3:5, : nx - 1] *= -1
    full[3::2, :, : ny - 1] *= -1
    return full


def _closed_form(
    x: Tensor, y: Tensor, edges: tuple[float, float], levels: tuple[float, float, float]
) -> Float[Tensor, "6 cells"]:
    hx, hy = edges
    target, source, height = levels
    along_z = ((height + target, -1), (height + target - source, 1), (height, 1), (height - source, -1))

    def differences(function: Callable[[Tensor, Tensor, Tensor], Tensor], order: tuple[int, int, int]) -> Tensor:
        total = torch.zeros_like(x)
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                for z, sign in along_z:
                    weight = sign * math.prod(2 if step == 0 else -1 for step in (a, b))
                    point = (x + a * hx, y + b * hy, torch.full_like(x, z))
                    total += weight * function(*(point[axis] for axis in order))
        return total / (4 * math.pi * hx * hy * target)

    return torch.stack([
        differences(newell_f, (0, 1, 2)),
        differences(newell_f, (1, 0, 2)),
        differences(newell_f, (2, 1, 0)),
        differences(newell_g, (0, 1, 2)),
        differences(newell_g, (0, 2, 1)),
        differences(newell_g, (1, 2, 0)),
    ])  # fmt: skip


def _averaged_dipole(
    x: Tensor, y: Tensor, edges: tuple[float, float], levels: tuple[float, float, float]
) -> Float[Tensor, "6 nx ny"]:
    """Dipole tensor averaged over source and target cell; of no use where they are close."""
    hx, hy = edges
    target, source, height = levels
    middle = height + (target - source) / 2
    total = torch.zeros(6, *x.shape, dtype=x.dtype)
    points = [
        (u * hx, v * hy, middle + p * target + q * source, wu * wv * wp * wq)
        for u, wu in TRIANGULAR
        for v, wv in TRIANGULAR
        for p, wp in UNIFORM
        for q, wq in UNIFORM
    ]
    for u, v, pz, share in points:
        px, py = x + u, y + v
        square = px * px + py * py + pz * pz
        inverse = torch.where(square > 0, square, torch.inf) ** -2.5
        inverse *= share * hx * hy * source / (4 * math.pi)
        total[0] += (square - 3 * px * px) * inverse
        total[1] += (square - 3 * py * py) * inverse
        total[2] += (square - 3 * pz * pz) * inverse
        total[3] -= 3 * px * py * inverse
        total[4] -= 3 * px * pz * inverse
        total[5] -= 3 * py * pz * inverse
    return total
