"""The demagnetisation tensor between the cells of a film that goes on periodically along one axis or both.

It is the sum of the tensor of the open film over all periodic images, which converges absolutely: the tensor falls as
the cube of the distance. The images are taken in three parts.

1. The cell's own film and its nearest images: the closed form, or the averaged dipole further away, as in
   :mod:`.newell`.
2. The images up to :data:`IMAGES` periods away: a smooth function of the offset, evaluated at a few Chebyshev points
   and interpolated; the error of the interpolation is below 1e-11 of it.
3. All images beyond: an integral over the plane (or the line) outside, with the corrections of Euler and Maclaurin.

A period much shorter than the film is wide is first repeated until it is not, and the result folded together.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.geometry.newell import NEAR, cell_tensor, zero_padded
from barkhausen.micromagnetics.grid import Grid

IMAGES = 14
"""Periods up to which images are summed one by one. The first term of the tail that is left out is about
(thickness/period)/IMAGES⁷, below 1e-9 of N_zz."""

POINTS = 18
"""Chebyshev points along each axis, an even number. The nearest image left to the interpolation is three half ranges
away, so that the error falls by a factor of 6 with each point."""

Dipole = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor, Tensor, Tensor]]
"""xx, yy, zz and xy of −grad grad (1/r) at x, y, z, or of an integral of it."""

STENCIL = (
    (-2, 3 / 640),
    (-1, -1 / 24 - 12 / 640),
    (0, 1 + 2 / 24 + 18 / 640),
    (1, -1 / 24 - 12 / 640),
    (2, 3 / 640),
)
"""Weights that turn an integral over periods into a sum over their midpoints: asinh(d/2)/(d/2) = 1 − d²/24 + 3 d⁴/640
with the central difference d."""


@functools.lru_cache(maxsize=8)
def periodic_tensor(grid: Grid) -> Float[Tensor, "4 offsets_x offsets_y"]:
    """Volume-averaged demagnetisation tensor of cells of a periodic film for all offsets.

    Args:
        grid: Grid of one period, periodic along one axis at least.

    Returns:
        [4, 2 nx − 1, 2 ny − 1] as :func:`.demagnetisation_tensor` returns it; kept for the last few grids, and not to
        be changed in place.
    """
    counts, periodic = grid.shape, grid.periodic
    largest = max(grid.dx, grid.dy, grid.dz)
    edges = (grid.dx / largest, grid.dy / largest, grid.dz / largest)
    # The widest range of offsets, and the closed form, must lie within the nearest images.
    ranges = [(n if wraps else 2 * (n - 1)) * edge for n, edge, wraps in zip(counts, edges[:2], periodic, strict=True)]
    wanted = max(*ranges, 0.7 * NEAR)
    repeats = [
        math.ceil(wanted / (n * edge) * (1 - 1e-9)) if wraps else 1
        for n, edge, wraps in zip(counts, edges[:2], periodic, strict=True)
    ]
    period = _Period((counts[0] * repeats[0], counts[1] * repeats[1]), edges, periodic)
    tensor = period.tensor()
    for dim, (n, repeat, wraps) in enumerate(zip(counts, repeats, periodic, strict=True), start=1):
        if wraps:
            folded = tensor.unflatten(dim, (repeat, n)).sum(dim)
            tensor = folded.index_select(dim, torch.arange(-n + 1, n) % n)
    return tensor


def circular(tensor: Float[Tensor, "component offsets_x offsets_y"], periodic: tuple[bool, bool]) -> Tensor:
    """Values for every offset of two cells, laid out for a circular convolution.

    Args:
        tensor: Tensor with the offset (0, 0) in the middle.
        periodic: Axes along which the convolution is to be circular; along the others the result equals the open
            convolution (:func:`.zero_padded`).

    Returns:
        Offset (0, 0) at index (0, 0), negative ones at the end. A periodic axis has as many values as cells.
    """
    if not any(periodic):
        return zero_padded(tensor)
    if all(periodic):
        nx, ny = ((length + 1) // 2 for length in tensor.shape[1:])
        return tensor[:, nx - 1 :, ny - 1 :].clone()
    dim = 1 if periodic[0] else 2
    cells = (tensor.shape[dim] + 1) // 2
    one_side = tensor.narrow(dim, cells - 1, cells)
    # Padded along the other axis alone: as rows of a tensor with one offset along this.
    rows = torch.movedim(one_side, dim, 1).flatten(0, 1)[:, None]
    padded = zero_padded(rows)[:, 0].unflatten(0, (len(tensor), cells))
    return torch.movedim(padded, 1, dim)


class _Period:
    """One period of about the same extent along both axes; lengths in units of the largest edge of a cell."""

    def __init__(self, counts: tuple[int, int], edges: tuple[float, float, float], periodic: tuple[bool, bool]) -> None:
        self.counts, self.edges, self.periodic = counts, edges, periodic
        self.lengths = counts[0] * edges[0], counts[1] * edges[1]

    def tensor(self) -> Tensor:
        """[4, …]: offsets 0 to n − 1 along a periodic axis, −(n − 1) to n − 1 along another."""
        # By symmetry one quadrant is enough.
        kept = [n // 2 + 1 if wraps else n for n, wraps in zip(self.counts, self.periodic, strict=True)]
        x, y = (torch.arange(n, dtype=torch.float64) * edge for n, edge in zip(kept, self.edges[:2], strict=True))
        total = self._far(x, y)
        for p in self._nearest(0):
            for q in self._nearest(1):
                at_x, at_y = torch.meshgrid(x + p, y + q, indexing="ij")
                total += cell_tensor(at_x, at_y, *self.edges)
        for axis, (n, wraps) in enumerate(zip(self.counts, self.periodic, strict=True)):
            place = torch.arange(0 if wraps else -n + 1, n)
            mirrored = place < 0
            if wraps:
                mirrored = place > n // 2
                place = torch.minimum(place, n - place)
            total = total.index_select(1 + axis, place.abs())
            # xy is odd in both offsets.
            total[3] *= torch.where(mirrored, -1.0, 1.0).unsqueeze(1 - axis)
        return total

    def _nearest(self, axis: int) -> list[float]:
        return [p * self.lengths[axis] for p in (-1, 0, 1)] if self.periodic[axis] else [0.0]

    def _far(self, x: Tensor, y: Tensor) -> Tensor:
        """All images but the nearest, interpolated from Chebyshev points."""
        half = [
            max(length / 2 if wraps else (n - 1) * edge, edge)
            for length, n, edge, wraps in zip(self.lengths, self.counts, self.edges[:2], self.periodic, strict=True)
        ]
        points = torch.cos(math.pi * (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS)
        positive = points[: POINTS // 2]
        at_x, at_y = torch.meshgrid(half[0] * positive, half[1] * positive, indexing="ij")
        values = self._images(at_x, at_y) + self._tail(at_x, at_y)
        # Even in both offsets, but xy odd.
        odd = torch.tensor([1.0, 1.0, 1.0, -1.0], dtype=values.dtype)[:, None, None]
        values = torch.cat((values, odd * values.flip(1)), dim=1)
        values = torch.cat((values, odd * values.flip(2)), dim=2)
        from_points = torch.linalg.inv(_polynomials(points))
        along_x, along_y = (_polynomials(u / a) @ from_points for u, a in zip((x, y), half, strict=True))
        return torch.einsum("xi,cij,yj->cxy", along_x, values, along_y)

    def _images(self, x: Tensor, y: Tensor) -> Tensor:
        numbers = torch.arange(-IMAGES, IMAGES + 1, dtype=torch.float64)
        p, q = (numbers if wraps else torch.zeros(1, dtype=torch.float64) for wraps in self.periodic)
        p, q = torch.meshgrid(p, q, indexing="ij")
        beyond = (p.abs() > 1) | (q.abs() > 1)
        p, q = p[beyond] * self.lengths[0], q[beyond] * self.lengths[1]
        return _over_both_cells(_dipole, x[..., None] + p, y[..., None] + q, self.edges).sum(-1)

    def _tail(self, x: Tensor, y: Tensor) -> Tensor:
        edge_x, edge_y = ((IMAGES + 0.5) * length for length in self.lengths)
        length_x, length_y = self.lengths
        total = torch.zeros(4, *x.shape, dtype=x.dtype)
        if all(self.periodic):
            for side_x, side_y in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                for a, weight_a in STENCIL:
                    for b, weight_b in STENCIL:
                        at = x + side_x * edge_x + a * length_x, y + side_y * edge_y + b * length_y
                        weight = -side_x * side_y * weight_a * weight_b / (length_x * length_y)
                        total += weight * _over_both_cells(_dipole_over_plane, *at, self.edges)
            return total
        along, across, edge, length = (x, y, edge_x, length_x) if self.periodic[0] else (y, x, edge_y, length_y)
        edges = self.edges if self.periodic[0] else (self.edges[1], self.edges[0], self.edges[2])
        for side in (1, -1):
            for a, weight in STENCIL:
                part = _over_both_cells(_dipole_over_ray, side * along + edge + a * length, across, edges)
                part[3] *= side
                total += weight / length * part
        return total if self.periodic[0] else total[[1, 0, 2, 3]]


def _polynomials(u: Tensor) -> Tensor:
    """Chebyshev polynomials up to the order of the interpolation, [point, order]."""
    return torch.cos(torch.arange(POINTS, dtype=torch.float64) * torch.acos(u.clamp(-1, 1))[:, None])


def _dipole(x: Tensor, y: Tensor, z: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    square = x * x + y * y + z * z
    inverse = square**-2.5
    return (
        (square - 3 * x * x) * inverse,
        (square - 3 * y * y) * inverse,
        (square - 3 * z * z) * inverse,
        -3 * x * y * inverse,
    )


def _dipole_over_ray(x: Tensor, y: Tensor, z: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Integral along x from x to infinity; x is positive."""
    r = (x * x + y * y + z * z).sqrt()
    cubes = 1 / (r * (r + x))
    fifths = (2 * r + x) / (3 * r**3 * (r + x) ** 2)
    yy, zz = cubes - 3 * y * y * fifths, cubes - 3 * z * z * fifths
    return -x / r**3, yy, zz, -y / r**3


def _dipole_over_plane(x: Tensor, y: Tensor, z: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Function whose mixed second derivative by x and y is the dipole tensor, and which vanishes far away."""
    r = (x * x + y * y + z * z).sqrt()
    xx, yy = x * y / ((x * x + z * z) * r), x * y / ((y * y + z * z) * r)
    return xx, yy, -xx - yy, -1 / r


def _over_both_cells(function: Dipole, x: Tensor, y: Tensor, edges: tuple[float, float, float]) -> Tensor:
    """The function averaged over source and target cell, times the volume of the source and 1/(4 pi)."""
    hx, hy, hz = edges
    nodes = ((-math.sqrt(0.4), 5 / 24), (0.0, 7 / 12), (math.sqrt(0.4), 5 / 24))
    total = torch.zeros(4, *x.shape, dtype=x.dtype)
    for u, wu in nodes:
        for v, wv in nodes:
            # All functions are even in z.
            for w, ww in ((0.0, 7 / 12), (math.sqrt(0.4), 5 / 12)):
                weight = wu * wv * ww * hx * hy * hz / (4 * math.pi)
                for component, value in enumerate(function(x + u * hx, y + v * hy, w * hz)):
                    total[component] += weight * value
    return total
