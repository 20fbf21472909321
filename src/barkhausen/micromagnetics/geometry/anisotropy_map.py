"""Anisotropy that differs from place to place: regions, gradients, grains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from scipy.spatial import cKDTree
from torch import Tensor

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import checked_as
from barkhausen.core.seeds import numbered_generator
from barkhausen.micromagnetics.grid import Grid


class Region(Parameters):
    """Stretch of the track with its own Ku, from ``start`` to ``stop`` in m along x."""

    start: Annotated[float, Field(allow_inf_nan=False), checked_as("position")]
    stop: Annotated[float, Field(allow_inf_nan=False), checked_as("position")]
    anisotropy: Annotated[float, Field(allow_inf_nan=False), checked_as("anisotropy")]
    """Ku in J/m³."""

    def share(self, grid: Grid) -> Float[Tensor, "nx 1"]:
        """Fraction of each column of cells that the region covers; float64."""
        left = torch.arange(grid.nx, dtype=torch.float64) * grid.dx
        overlap = (left + grid.dx).clamp_max(self.stop) - left.clamp_min(self.start)
        return (overlap.clamp_min(0.0) / grid.dx)[:, None]


def anisotropy_map(
    grid: Grid, base: float, *, gradient: float = 0.0, regions: Sequence[Region] = ()
) -> Float[Tensor, "nx ny"]:
    """Ku of each cell in J/m³, float64.

    Args:
        grid: Grid of cells.
        base: Ku at the left end.
        gradient: Gradient dKu/dx in J/m⁴.
        regions: Stretches with their own Ku, later ones over earlier ones; a cell at a border takes the mean.

    Raises:
        InputError: A region that ends before it starts.
    """
    ku = (base + gradient * grid.x)[:, None].expand(grid.shape).clone()
    for region in regions:
        if not region.stop > region.start:
            raise InputError(f"region: stop = {region.stop:g} must lie beyond start = {region.start:g}")
        share = region.share(grid)
        ku = torch.lerp(ku, torch.full_like(ku, region.anisotropy), share.expand_as(ku))
    return ku


def grains(
    grid: Grid, base: float, *, size: float, spread: float, devices: int = 1, seed: int = 0
) -> Float[Tensor, "device nx ny"]:
    """Ku of a film of grains: Voronoi cells, each with a normally distributed Ku; J/m³, float64.

    The grains of a device depend on seed and number alone: the same device can be simulated with other cells.

    Args:
        grid: Grid of cells.
        base: Mean Ku in J/m³.
        size: Mean diameter of a grain in m; there is one grain for each area size².
        spread: Relative standard deviation of Ku between grains.
        devices: Number of different films.
        seed: Seed of the grains.

    Raises:
        InputError: A size or spread out of range.
    """
    if not (math.isfinite(size) and size > 0):
        raise InputError(f"grains.size = {size}: must be a positive length in m")
    if not (math.isfinite(spread) and spread >= 0):
        raise InputError(f"grains.spread = {spread}: must be zero or positive")
    if devices < 1:
        raise InputError(f"devices = {devices}: must be 1 or more")
    # The margin gives grains at the border neighbours beyond it.
    length, width = grid.length + 4 * size, grid.width + 4 * size
    number = max(1, round(length * width / size**2))
    x, y = torch.meshgrid(grid.x + 2 * size, grid.y + 2 * size, indexing="ij")
    places = torch.stack((x.flatten(), y.flatten()), dim=1).numpy()
    maps = []
    for device in range(devices):
        generator = numbered_generator(seed, device)
        centres = torch.rand(number, 2, dtype=torch.float64, generator=generator) * torch.tensor([length, width])
        height = torch.randn(number, dtype=torch.float64, generator=generator)
        nearest = torch.from_numpy(cKDTree(centres.numpy()).query(places)[1])
        maps.append(base * (1 + spread * height[nearest]).view(grid.shape))
    return torch.stack(maps)
