"""Grains whose constants, easy axes and boundaries differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.plausible import plausible
from barkhausen.core.seeds import mixed_seed, numbered_generator
from barkhausen.micromagnetics.grid import Grid

TILE = 8
"""Edge of a tile of the plane in grain sizes; each tile has grains of its own."""

QUANTITIES = ("anisotropy", "saturation_magnetisation", "exchange_stiffness", "dmi", "damping")
"""Quantities that each grain has a random number for; those of one grain are independent."""

AXES = 2
"""Random numbers of each grain for the tilt of its easy axis."""


@dataclass(frozen=True, eq=False)
class GrainStructure:
    """Grains of one film or several: Voronoi cells of random points, with random numbers for each grain.

    Args:
        grain: Number of the grain of each cell, ``[device, nx, ny]``.
        normal: Standard normal numbers of each grain of each device, ``[device, grain, 7]``.
    """

    grain: Int[Tensor, "device nx ny"]
    normal: Float[Tensor, "device grain 7"]

    @checks_arguments()
    def values(self, base: float, spread: float, quantity: str = "anisotropy") -> Float[Tensor, "device nx ny"]:
        """Quantity of each cell: ``base`` × (1 + ``spread`` × a normal number of its grain); float64.

        Args:
            base: Mean value.
            spread: Relative standard deviation between grains.
            quantity: ``anisotropy``, ``saturation_magnetisation``, ``exchange_stiffness``, ``dmi`` or ``damping``: each
                has random numbers of its own. Numbers beyond three standard deviations are drawn back to three.

        Raises:
            InputError: A spread out of range, or an unknown quantity.
        """
        if quantity not in QUANTITIES:
            raise InputError(f"quantity = {quantity!r}: must be one of {', '.join(QUANTITIES)}")
        if not (math.isfinite(spread) and spread >= 0):
            raise InputError(f"spread = {spread}: must be zero or positive")
        if quantity != "anisotropy" and spread >= 1 / 3:
            raise InputError(f"spread = {spread}: must be below 1/3, or {quantity} would change its sign")
        if not math.isfinite(base):
            raise InputError(f"base = {base}: must be finite")
        return base * (1 + spread * self._of_cells(QUANTITIES.index(quantity)).clamp(-3, 3))

    @checks_arguments()
    def easy_axis(self, spread: float, axis: tuple[float, float, float] = (0, 0, 1)) -> Float[Tensor, "device 3 nx ny"]:
        """Easy axis of each cell: ``axis`` tilted by normal angles of standard deviation ``spread`` (rad) about two
        directions across it.

        Raises:
            InputError: A spread out of range, or an axis without a direction.
        """
        if not 0 <= spread <= 1:
            raise InputError(f"spread = {spread}: must be 0 to 1 rad")
        mean = np.asarray(axis, dtype=np.float64)
        if mean.shape != (3,) or not (np.isfinite(mean).all() and np.linalg.norm(mean) > 0):
            raise InputError(f"axis = {list(axis)}: must be three numbers, not all zero")
        mean /= np.linalg.norm(mean)
        least = np.eye(3)[np.abs(mean).argmin()]
        first = np.cross(mean, least)
        first /= np.linalg.norm(first)
        second = np.cross(mean, first)
        u, v = (spread * self._of_cells(len(QUANTITIES) + k)[:, None] for k in range(AXES))
        tilt = torch.sqrt(u * u + v * v)
        share = torch.where(tilt > 0, torch.sin(tilt) / tilt.clamp_min(1e-300), 1.0)
        parts = [torch.from_numpy(part)[None, :, None, None] for part in (mean, first, second)]
        return torch.cos(tilt) * parts[0] + share * (u * parts[1] + v * parts[2])

    @checks_arguments()
    def bonds(self, strength: float) -> dict[str, Float[Tensor, "device nx ny"]]:
        """Factors of exchange and DMI between cells, ``strength`` across grain boundaries and 1 within grains.

        Returns:
            ``bond_x`` and ``bond_y`` for :class:`ParameterMaps`: ``ParameterMaps(**grains.bonds(0.5))``.

        Raises:
            InputError: A negative strength.
        """
        if not (math.isfinite(strength) and strength >= 0):
            raise InputError(f"strength = {strength}: must be zero or positive")
        found = {}
        for name, axis in (("bond_x", 1), ("bond_y", 2)):
            # The last cell is compared with the first: that bond counts only in a periodic film.
            same = self.grain == self.grain.roll(-1, axis)
            found[name] = torch.where(same, 1.0, float(strength)).to(torch.float64)
        return found

    def _of_cells(self, number: int) -> Float[Tensor, "device nx ny"]:
        rows = [own[grain] for own, grain in zip(self.normal[:, :, number], self.grain, strict=True)]
        return torch.stack(rows)


@checks_arguments("Grid")
def grain_structure(
    grid: Grid, *, size: float, devices: int = 1, seed: int = 0, centred: bool = False
) -> GrainStructure:
    """Grains of a film, the same for the same seed and device whatever the cells and the extent of the grid.

    The plane is tiled; each tile of 8 × 8 grain sizes holds 64 random centres that depend on the seed, the device and
    the tile alone. x counts from the left end and y from the middle of the grid, as tracks lie on their grids.

    Args:
        grid: Grid of cells.
        size: Mean diameter of a grain in m; there is one grain for each area size².
        devices: Number of different films.
        seed: Seed of the grains.
        centred: Whether x counts from the middle too, as for :func:`shape_film`.

    Raises:
        InputError: A size or number out of range.
    """
    if size > 0:
        plausible("length", size, "grains.size")
    if not (math.isfinite(size) and size > 0):
        raise InputError(f"grains.size = {size}: must be a positive length in m")
    if devices < 1:
        raise InputError(f"devices = {devices}: must be 1 or more")
    x = grid.x - grid.length / 2 if centred else grid.x
    y = grid.y - grid.width / 2
    edge = TILE * size
    # The tiles around have grains that reach in.
    ranges = [range(math.floor(float(c[0]) / edge) - 1, math.floor(float(c[-1]) / edge) + 2) for c in (x, y)]
    number = len(ranges[0]) * len(ranges[1]) * TILE**2
    check_memory(200.0 * number * devices, f"grains.size = {size:g}: {number} grains")
    places = torch.cartesian_prod(x, y).numpy()
    columns = len(QUANTITIES) + AXES
    grains, normals = [], []
    for device in range(devices):
        centres, normal = [], []
        for i in ranges[0]:
            for j in ranges[1]:
                generator = numbered_generator(mixed_seed(mixed_seed(seed, device), i), j)
                inside = torch.rand(TILE**2, 2, dtype=torch.float64, generator=generator)
                centres.append((inside + torch.tensor([i, j])) * edge)
                normal.append(torch.randn(TILE**2, columns, dtype=torch.float64, generator=generator))
        nearest = cKDTree(torch.cat(centres).numpy()).query(places)[1]
        grains.append(torch.from_numpy(nearest.astype(np.int64)).view(grid.shape))
        normals.append(torch.cat(normal))
    return GrainStructure(torch.stack(grains), torch.stack(normals))
