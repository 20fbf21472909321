"""Rough edges of shapes of any form, independent of the cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.micromagnetics.geometry.coverage import Points, signed_area
from barkhausen.micromagnetics.geometry.roughness import POINTS, EdgeRoughness
from barkhausen.micromagnetics.geometry.shapes import SAMPLES, Bounds, Polygon, Shape, inside_samples, mean_of_samples
from barkhausen.micromagnetics.grid import Grid

WAVES = 400
"""Plane waves of the displacement field of shapes that are no polygons."""


def roughened(shape: Shape, roughness: EdgeRoughness, generator: torch.Generator) -> Shape:
    """Shape with rough edges.

    The edge of a polygon is displaced along its normal by a Gaussian process of the arc length, each ring by its own.
    Another shape is displaced as a whole by a random field in the plane with the same correlation, so that edges
    closer than the correlation length move together.
    """
    if roughness.rms == 0:
        return shape
    if isinstance(shape, Polygon):
        rings = [_rough_ring(ring, roughness, generator) for ring in shape.rings]
        return Polygon(rings[0], tuple(rings[1:]), name=f"rough {shape.name}", loops=True)
    return Displaced.of(shape, roughness, generator)


def reach(roughness: EdgeRoughness | None) -> float:
    """Greatest displacement in m for which a grid leaves room."""
    return 0.0 if roughness is None else roughness.reach


def _rough_ring(ring: Points, roughness: EdgeRoughness, generator: torch.Generator) -> Points:
    step = roughness.correlation_length / POINTS
    sides = np.roll(ring, -1, axis=0) - ring
    long = np.hypot(*sides.T)
    parts = np.maximum(1, np.ceil(long / step)).astype(int)
    check_memory(200.0 * parts.sum(), f"roughness: {parts.sum()} points along the edge")
    index = np.repeat(np.arange(len(ring)), parts)
    share = (np.arange(len(index)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[index]
    points = ring[index] + share[:, None] * sides[index]
    arc = (np.cumsum(long) - long)[index] + share * long[index]
    perimeter = float(long.sum())
    knots = max(8, round(perimeter / step))
    white = torch.randn(knots, dtype=torch.float64, generator=generator)
    # Smoothing with exp(−2 (d/l)²) around the ring, as along a straight edge.
    distance = np.minimum(np.arange(knots), knots - np.arange(knots)) * perimeter / knots
    kernel = np.exp(-2 * (distance / roughness.correlation_length) ** 2)
    kernel *= roughness.rms / np.linalg.norm(kernel)
    smooth = np.fft.irfft(np.fft.rfft(white.numpy()) * np.fft.rfft(kernel), knots)
    place = arc / perimeter * knots
    height = np.interp(place, np.arange(knots + 1), np.append(smooth, smooth[0]))
    height = roughness.limited(torch.from_numpy(height)).numpy()
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    normal = np.stack((along[:, 1], -along[:, 0]), 1) / np.hypot(*along.T)[:, None]
    moved: Points = points + height[:, None] * normal
    if signed_area(moved) * signed_area(ring) <= 0:
        raise InputError("roughness: cuts the shape apart; give it a smaller rms or a bound")
    return moved


@dataclass(frozen=True, eq=False)
class Displaced(Shape):
    """Shape seen through a random displacement of the plane."""

    shape: Shape
    roughness: EdgeRoughness
    waves: Float[Tensor, "wave 2"]
    """Wave vectors in 1/m."""
    phases: Float[Tensor, "2 wave"]

    @staticmethod
    def of(shape: Shape, roughness: EdgeRoughness, generator: torch.Generator) -> Displaced:
        """Displacement drawn with a generator: a sum of waves with the wanted correlation exp(−(d/l)²)."""
        waves = torch.randn(WAVES, 2, dtype=torch.float64, generator=generator)
        phases = 2 * math.pi * torch.rand(2, WAVES, dtype=torch.float64, generator=generator)
        return Displaced(shape, roughness, waves * math.sqrt(2) / roughness.correlation_length, phases)

    @property
    def bounds(self) -> Bounds:
        """Bounds of the smooth shape and room for its roughest edge."""
        x0, y0, x1, y1 = self.shape.bounds
        r = self.roughness.reach
        return x0 - r, y0 - r, x1 + r, y1 + r

    def mapped(self, function: Callable[[Points], Points]) -> Displaced:
        """The smooth shape moved, seen through the same displacement."""
        return Displaced(self.shape.mapped(function), self.roughness, self.waves, self.phases)

    def coverage(self, grid: Grid, origin: tuple[float, float] = (0.0, 0.0)) -> Float[Tensor, "nx ny"]:
        """Fraction of each cell inside the shape, from 8 × 8 samples; float64."""
        fine = (grid.nx * SAMPLES, grid.ny * SAMPLES)
        steps = (grid.dx / SAMPLES, grid.dy / SAMPLES)
        # The displacement is smooth on a tenth of its correlation length.
        spacing = self.roughness.correlation_length / 10
        knots = [np.arange(0, n * s + 2 * spacing, spacing) for n, s in zip(fine, steps, strict=True)]
        x, y = np.meshgrid(*(k + o for k, o in zip(knots, origin, strict=True)), indexing="ij")
        turns = torch.from_numpy(np.stack((x.ravel(), y.ravel()), 1)) @ self.waves.T
        centres = [(np.arange(n) + 0.5) * s for n, s in zip(fine, steps, strict=True)]
        # Samples beyond the grid are looked up as well, at the edge of a margin as wide as the greatest displacement.
        margin = [math.ceil(self.roughness.reach / size) for size in (grid.dx, grid.dy)]
        wide = Grid(grid.nx + 2 * margin[0], grid.ny + 2 * margin[1], grid.dx, grid.dy, grid.dz)
        corner = (origin[0] - margin[0] * grid.dx, origin[1] - margin[1] * grid.dy)
        inside = inside_samples(self.shape, wide, corner).numpy()
        places: list[npt.NDArray[np.int64]] = []
        for axis in (0, 1):
            waves = math.sqrt(2 / WAVES) * torch.cos(turns + self.phases[axis]).sum(1)
            field = self.roughness.limited(self.roughness.rms * waves).reshape(x.shape).numpy()
            at = np.meshgrid(*(c / spacing for c in centres), indexing="ij")
            shift = ndimage.map_coordinates(field, at, order=1, mode="nearest")
            here = centres[axis][:, None] if axis == 0 else centres[axis][None]
            index = np.floor((here - shift) / steps[axis]).astype(np.int64) + margin[axis] * SAMPLES
            places.append(np.clip(index, 0, inside.shape[axis] - 1))
        return mean_of_samples(torch.from_numpy(inside[places[0], places[1]]), grid)

    def __repr__(self) -> str:
        return f"rough {self.shape}"


def parts_of(coverage: Float[Tensor, "nx ny"]) -> int:
    """Number of connected parts of the cells that are at least half filled, joined at sides or corners."""
    return int(ndimage.label((coverage >= 0.5).numpy(), np.ones((3, 3)))[1])
