"""Films of any outline, one device or a family whose sizes and edges differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.plausible import plausible
from barkhausen.core.seeds import numbered_generator
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.edge_demag import SMALLEST_FILL, coarsen
from barkhausen.micromagnetics.geometry.outline import SUBCELL
from barkhausen.micromagnetics.geometry.rough_shapes import parts_of, reach, roughened
from barkhausen.micromagnetics.geometry.roughness import EdgeRoughness
from barkhausen.micromagnetics.geometry.shapes import Shape
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.material import Material

LARGEST_DRAW = 3.0
"""Sizes are drawn within this many standard deviations."""

BYTES_OF_A_SUBCELL = 300
"""Memory that the correction of the edges takes for each subcell."""


@checks_arguments("EdgeRoughness", "Grid", "Material", "ParameterMaps", "Shape")
def shape_film(
    shape: Shape,
    material: Material,
    *,
    thickness: float = 1e-9,
    cell: float = 4e-9,
    grid: Grid | None = None,
    devices: int = 1,
    seed: int = 0,
    size_spread: float = 0.0,
    sizes: Sequence[float] | None = None,
    roughness: EdgeRoughness | None = None,
    anisotropy: Float[Tensor, "device nx ny"] | None = None,
    maps: ParameterMaps | None = None,
    subcell: float = SUBCELL,
    smallest_fill: float = SMALLEST_FILL,
) -> Film:
    """Film of a shape: grid, filled fractions, and corrected stray field of the edges.

    The middle of the shape's bounds lies in the middle of the grid. A device depends on the seed and its number
    alone, not on the cells or on the number of devices.

    Args:
        shape: Outline: :class:`Polygon`, :class:`Mask`, :func:`disc` and the like, or a combination of these.
        material: Material constants.
        thickness: Thickness of the film in m.
        cell: Edge of the square cells in m.
        grid: Grid in place of the one that just holds the shape; then thickness and cell are those of the grid.
        devices: Number of devices with different sizes and edges.
        seed: Seed of sizes and roughness.
        size_spread: Relative standard deviation of the size (0.05: diameters ± 5 %), normal, within three of them.
        sizes: Relative size of each device instead, such as ``[0.95, 1, 1.05]``.
        roughness: Roughness of the edges.
        anisotropy: Ku of each cell in J/m³.
        maps: Further parameters that differ from cell to cell.
        subcell: Size in m on which the edges are resolved for their stray field (:mod:`.edge_demag`).
        smallest_fill: Filled fraction below which a cell is left empty. At a temperature a cell of little moment
            fluctuates more than the film does; leaving more of them empty costs some area of the shape.

    Raises:
        InputError: A length out of range, a shape that the grid does not hold, or roughness that cuts it apart.
    """
    factors = _sizes(devices, seed, size_spread, sizes)
    if grid is None:
        grid = _grid(shape, max(factors), reach(roughness), thickness, cell)
    if not 0 < subcell <= max(grid.dx, grid.dy):
        raise InputError(f"subcell = {subcell:g}: must be positive and at most the cell of {grid.dx:g} m")
    if not 0 <= smallest_fill <= 1:
        raise InputError(f"smallest_fill = {smallest_fill}: must be 0 to 1")
    factor = max(1, math.ceil(max(grid.dx, grid.dy) / subcell - 1e-9))
    check_memory(
        float(BYTES_OF_A_SUBCELL) * grid.cells * factor**2, f"cells of {grid.dx:g} m in subcells of {subcell:g} m"
    )
    fine = Grid(grid.nx * factor, grid.ny * factor, grid.dx / factor, grid.dy / factor, grid.dz)
    middle = shape.middle
    origin = (middle[0] - grid.length / 2, middle[1] - grid.width / 2)
    covered = []
    for device, size in enumerate(factors):
        own = shape if size == 1.0 else shape.scaled(size, middle)
        smooth = own.coverage(fine, origin)
        if roughness is not None and roughness.rms > 0:
            rough = roughened(own, roughness, numbered_generator(seed, device)).coverage(fine, origin)
            if parts_of(rough) > parts_of(smooth):
                raise InputError(
                    f"roughness: rms = {roughness.rms:g} m cuts device {device} apart; give a smaller rms or a bound"
                )
            smooth = rough
        if not bool((smooth > 0).any()):
            raise InputError(f"shape: device {device} fills no cell of the grid")
        covered.append(smooth)
    fill, edge_demag = coarsen(grid, torch.stack(covered), factor, smallest_fill)
    family = f"seed={seed}, subcell={subcell:g}, size_spread={size_spread:g}, sizes={sizes}, roughness={roughness!r}"
    family = f"smallest_fill={smallest_fill:g}, {family}"
    return Film(
        grid, material, fill, anisotropy, edge_demag=edge_demag, origin=f"shape_film({family}): {shape}", maps=maps
    )


def _sizes(devices: int, seed: int, spread: float, sizes: Sequence[float] | None) -> list[float]:
    if devices < 1:
        raise InputError(f"devices = {devices}: must be 1 or more")
    if not 0 <= spread < 1 / LARGEST_DRAW:
        raise InputError(f"size_spread = {spread}: must be 0 or more and below 1/3")
    if sizes is not None:
        given = [float(size) for size in sizes]
        if spread > 0:
            raise InputError("sizes, size_spread: exclude each other")
        if len(given) != devices or not all(math.isfinite(size) and size > 0 for size in given):
            raise InputError(f"sizes = {given}: must be {devices} positive numbers, one for each device")
        return given
    if spread == 0:
        return [1.0] * devices
    # The stream of sizes has nothing in common with that of the edges.
    drawn = [
        float(torch.randn((), dtype=torch.float64, generator=numbered_generator(~seed, d))) for d in range(devices)
    ]
    return [1 + spread * max(-LARGEST_DRAW, min(LARGEST_DRAW, value)) for value in drawn]


def _grid(shape: Shape, size: float, margin: float, thickness: float, cell: float) -> Grid:
    x0, y0, x1, y1 = shape.bounds
    if cell > 0:
        plausible("cell size", cell, "cell")
    if not 0 < cell < 1e-3:
        raise InputError(f"cell = {cell}: must be a positive length in metres, below 1 mm")
    if cell > 2 * max(x1 - x0, y1 - y0) * size:
        raise InputError(f"cell = {cell:g} m: is more than twice the shape of {x1 - x0:g} x {y1 - y0:g} m")
    cells = []
    for extent in (x1 - x0, y1 - y0):
        # A thousandth of a cell too much is rounding, or a corner of a circle's polygon.
        wanted = (extent * size + 2 * margin) / cell
        cells.append(max(1, math.ceil(wanted - 1e-3)))
    return Grid(cells[0], cells[1], cell, cell, thickness)
