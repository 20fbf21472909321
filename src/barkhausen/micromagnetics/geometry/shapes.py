"""Outlines of any form: polygons with holes, masks, and what unions, differences and intersections make of them."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.plausible import plausible
from barkhausen.micromagnetics.geometry.coverage import Points, polygon_coverage, signed_area
from barkhausen.micromagnetics.grid import Grid

if TYPE_CHECKING:
    from typing_extensions import Self

SAMPLES = 8
"""Samples along each edge of a cell, where a shape is no polygon."""

Bounds = tuple[float, float, float, float]
"""Smallest x and y and greatest x and y in m."""


class Shape(abc.ABC):
    """Outline in the plane, in m. ``a | b``, ``a & b`` and ``a - b`` are union, intersection and difference."""

    @property
    @abc.abstractmethod
    def bounds(self) -> Bounds:
        """Smallest rectangle that holds the shape."""

    @abc.abstractmethod
    def coverage(self, grid: Grid, origin: tuple[float, float] = (0.0, 0.0)) -> Float[Tensor, "nx ny"]:
        """Fraction of each cell inside the shape; float64.

        Args:
            grid: Grid of cells.
            origin: Lower left corner of the grid in m.
        """

    @abc.abstractmethod
    def mapped(self, function: Callable[[Points], Points]) -> Self:
        """Shape with every point moved by an affine function."""

    @checks_arguments()
    def moved(self, x: float, y: float) -> Self:
        """Shape displaced by x and y in m."""
        return self.mapped(lambda points: points + np.array([x, y]))

    @checks_arguments()
    def scaled(self, factor: float, centre: tuple[float, float] | None = None) -> Self:
        """Shape magnified about a point. Default: the middle of its bounds.

        Raises:
            InputError: A factor that is not positive.
        """
        if not (math.isfinite(factor) and factor > 0):
            raise InputError(f"factor = {factor}: must be positive")
        middle = np.array(self.middle if centre is None else centre)
        return self.mapped(lambda points: middle + factor * (points - middle))

    @checks_arguments()
    def rotated(self, angle: float, centre: tuple[float, float] | None = None) -> Self:
        """Shape turned anticlockwise by an angle in rad about a point. Default: the middle of its bounds."""
        if not math.isfinite(angle):
            raise InputError(f"angle = {angle}: must be a finite angle in rad")
        middle = np.array(self.middle if centre is None else centre)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        return self.mapped(lambda points: middle + (points - middle) @ turn)

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the bounds in m."""
        x0, y0, x1, y1 = self.bounds
        return 0.5 * (x0 + x1), 0.5 * (y0 + y1)

    def __or__(self, other: Shape) -> Shape:
        return Combination("|", self, other)

    def __and__(self, other: Shape) -> Shape:
        return Combination("&", self, other)

    def __sub__(self, other: Shape) -> Shape:
        return Combination("-", self, other)


@dataclass(frozen=True, eq=False)
class Polygon(Shape):
    """Polygon with holes. Filled fractions are exact.

    Args:
        points: Vertices (x, y) in m in order along the outline, in either sense, the last joined to the first.
        holes: Outlines of holes, each a list of vertices.
        name: Description for the origin of a film.
        loops: Whether small loops, as rough edges have at corners, are tolerated; they count as empty.

    Raises:
        InputError: Fewer than three vertices, an outline without area or that crosses itself, a hole that reaches out.
    """

    points: Points
    holes: tuple[Points, ...] = ()
    name: str = field(default="polygon", kw_only=True)
    loops: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        rings = [_ring("points", self.points)]
        if isinstance(self.holes, str) or not isinstance(self.holes, Iterable):
            raise InputError(f"polygon.holes: {type(self.holes).__name__} is no list of holes")
        rings += [_ring(f"holes[{k}]", hole) for k, hole in enumerate(self.holes)]
        rings = [ring if (signed_area(ring) > 0) == (k == 0) else ring[::-1].copy() for k, ring in enumerate(rings)]
        low, high = rings[0].min(0), rings[0].max(0)
        slack = 1e-9 * (high - low)
        if not self.loops and any(
            bool((ring.min(0) < low - slack).any() or (ring.max(0) > high + slack).any()) for ring in rings[1:]
        ):
            raise InputError(f"{self.name}.holes: a hole reaches beyond the outline")
        object.__setattr__(self, "points", rings[0])
        object.__setattr__(self, "holes", tuple(rings[1:]))

    @property
    def rings(self) -> tuple[Points, ...]:
        """Outer ring, anticlockwise, and holes, clockwise."""
        return self.points, *self.holes

    @property
    def area(self) -> float:
        """Area in m²."""
        return sum(map(signed_area, self.rings))

    @property
    def bounds(self) -> Bounds:
        """Smallest rectangle that holds the shape."""
        (x0, y0), (x1, y1) = self.points.min(0), self.points.max(0)
        return float(x0), float(y0), float(x1), float(y1)

    def coverage(self, grid: Grid, origin: tuple[float, float] = (0.0, 0.0)) -> Float[Tensor, "nx ny"]:
        """Fraction of each cell inside the polygon, exact up to rounding; float64.

        Raises:
            InputError: The outline crosses itself, or a hole reaches beyond it.
        """
        covered = polygon_coverage(self.rings, grid.shape, (grid.dx, grid.dy), origin)
        if not self.loops and not bool(((covered > -1e-6) & (covered < 1 + 1e-6)).all()):
            raise InputError(f"{self.name}: the outline crosses itself, or a hole reaches beyond it")
        return covered.clamp(0.0, 1.0)

    def mapped(self, function: Callable[[Points], Points]) -> Polygon:
        """Polygon with every vertex moved by a function."""
        return Polygon(function(self.points), tuple(map(function, self.holes)), name=self.name, loops=self.loops)

    def __repr__(self) -> str:
        return f"{self.name} of {len(self.points)} vertices, {len(self.holes)} holes"


@dataclass(frozen=True, eq=False)
class Mask(Shape):
    """Raster of filled fractions, such as a boolean array. It is resampled on cells by area.

    Args:
        fractions: Filled fraction of each pixel, 0 to 1 or boolean, ``[nx, ny]``: the first axis along x.
        pixel: Edges of a pixel in m, along x and along y.
        corner: Lower left corner in m.

    Raises:
        InputError: Not a matrix of fractions, nothing filled, or a pixel size out of range.
    """

    fractions: npt.NDArray[np.float64]
    pixel: tuple[float, float]
    corner: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        given = np.asarray(self.fractions)
        if given.ndim != 2 or not given.size or given.dtype.kind not in "biuf":
            raise InputError(f"mask: shape {given.shape} of {given.dtype} is no matrix of filled fractions")
        values = given.astype(np.float64)
        if not bool(((values >= 0) & (values <= 1)).all()):
            raise InputError("mask: filled fractions must lie between 0 and 1")
        if not values.any():
            raise InputError("mask: nothing is filled")
        for name in ("pixel", "corner"):
            pair = getattr(self, name)
            if not isinstance(pair, Sequence) or len(pair) != 2 or not all(isinstance(part, Real) for part in pair):
                raise InputError(f"mask.{name} = {pair!r}: must be two lengths in m, along x and along y")
        for size in self.pixel:
            _length("mask.pixel", size)
        object.__setattr__(self, "fractions", values)

    @staticmethod
    @checks_arguments()
    def of_image(image: npt.NDArray[np.generic], pixel: float, *, filled: str = "dark", threshold: float = 0.5) -> Mask:
        """Mask of an image: rows from the top, grey (``[row, column]``) or in colours (``[row, column, 3 or 4]``).

        Args:
            image: Brightness as integers from 0 to 255 or as numbers from 0 to 1.
            pixel: Edge of a pixel in m.
            filled: ``dark`` or ``bright``: which pixels hold material.
            threshold: Brightness between the two, 0 to 1.

        Raises:
            InputError: Not an image, or nothing filled.
        """
        given = np.asarray(image)
        if given.dtype.kind not in "biuf":
            raise InputError(f"image: {type(image).__name__} of {given.dtype} is no array of brightness")
        if given.ndim not in (2, 3) or (given.ndim == 3 and given.shape[2] not in (3, 4)) or not given.size:
            raise InputError(f"image: shape {given.shape} is not (rows, columns) or (rows, columns, 3 or 4)")
        if filled not in ("dark", "bright"):
            raise InputError(f"filled = {filled!r}: must be dark or bright")
        if not 0 < threshold < 1:
            raise InputError(f"threshold = {threshold}: must lie between 0 and 1")
        grey = given.astype(np.float64) / (np.iinfo(given.dtype).max if given.dtype.kind in "iu" else 1.0)
        grey = grey if grey.ndim == 2 else grey[:, :, :3].mean(2)
        solid = grey < threshold if filled == "dark" else grey >= threshold
        return Mask(solid[::-1].T.astype(np.float64), (pixel, pixel))

    @property
    def bounds(self) -> Bounds:
        """Smallest rectangle that holds the filled pixels."""
        ends = []
        for axis in (0, 1):
            filled = np.flatnonzero(self.fractions.any(1 - axis))
            ends.append([self.corner[axis] + k * self.pixel[axis] for k in (filled[0], filled[-1] + 1)])
        (x0, x1), (y0, y1) = ends
        return float(x0), float(y0), float(x1), float(y1)

    def coverage(self, grid: Grid, origin: tuple[float, float] = (0.0, 0.0)) -> Float[Tensor, "nx ny"]:
        """Fraction of each cell that is filled, by area; float64."""
        shares = [
            _overlap(n, step, start - corner, pixels, pixel)
            for n, step, start, corner, pixels, pixel in zip(
                grid.shape, (grid.dx, grid.dy), origin, self.corner, self.fractions.shape, self.pixel, strict=True
            )
        ]
        return torch.from_numpy(np.clip(shares[0] @ self.fractions @ shares[1].T, 0.0, 1.0))

    def mapped(self, function: Callable[[Points], Points]) -> Mask:
        """Mask moved or magnified.

        Raises:
            InputError: The function turns or shears.
        """
        corner = np.array(self.corner)
        ends = function(corner + np.array([[0.0, 0.0], [self.pixel[0], 0.0], [0.0, self.pixel[1]]]))
        along, across = ends[1] - ends[0], ends[2] - ends[0]
        if abs(along[1]) > 1e-9 * abs(along[0]) or abs(across[0]) > 1e-9 * abs(across[1]):
            raise InputError("mask: cannot be turned; turn the raster itself")
        size = (float(along[0]), float(across[1]))
        return Mask(self.fractions, size, (float(ends[0, 0]), float(ends[0, 1])))

    def __repr__(self) -> str:
        return f"mask of {self.fractions.shape[0]} x {self.fractions.shape[1]} pixels"


@dataclass(frozen=True, eq=False)
class Combination(Shape):
    """Union (``|``), intersection (``&``) or difference (``-``) of two shapes.

    Each cell is resolved on 8 × 8 samples, filled where at least half of a sample is inside. The error of a filled
    fraction is below 1/16 where one straight edge crosses the cell; in films that ``shape_film`` makes the cells are
    subcells of 0.5 nm.
    """

    operation: str
    first: Shape
    second: Shape

    @property
    def bounds(self) -> Bounds:
        """Rectangle that holds the shape; for a difference that of the first shape."""
        a, b = self.first.bounds, self.second.bounds
        if self.operation == "-":
            return a
        outer, inner = (min, max) if self.operation == "|" else (max, min)
        x0, y0, x1, y1 = outer(a[0], b[0]), outer(a[1], b[1]), inner(a[2], b[2]), inner(a[3], b[3])
        if not (x1 > x0 and y1 > y0):
            raise InputError("shape: the intersection is empty")
        return x0, y0, x1, y1

    def coverage(self, grid: Grid, origin: tuple[float, float] = (0.0, 0.0)) -> Float[Tensor, "nx ny"]:
        """Fraction of each cell inside the shape, from samples; float64."""
        return mean_of_samples(self.samples(grid, origin), grid)

    def samples(self, grid: Grid, origin: tuple[float, float]) -> Tensor:
        """Whether each of the samples is inside, ``[8 nx, 8 ny]``."""
        first, second = (inside_samples(shape, grid, origin) for shape in (self.first, self.second))
        if self.operation == "|":
            return first | second
        return first & second if self.operation == "&" else first & ~second

    def mapped(self, function: Callable[[Points], Points]) -> Combination:
        """Combination of the parts moved by a function."""
        return Combination(self.operation, self.first.mapped(function), self.second.mapped(function))

    def __repr__(self) -> str:
        return f"({self.first} {self.operation} {self.second})"


def inside_samples(shape: Shape, grid: Grid, origin: tuple[float, float]) -> Tensor:
    """Whether at least half of each sample of the cells lies inside a shape."""
    if isinstance(shape, Combination):
        return shape.samples(grid, origin)
    check_memory(20.0 * grid.cells * SAMPLES**2, f"shape: {SAMPLES} x {SAMPLES} samples of {grid.cells} cells")
    fine = Grid(grid.nx * SAMPLES, grid.ny * SAMPLES, grid.dx / SAMPLES, grid.dy / SAMPLES, grid.dz)
    inside: Tensor = shape.coverage(fine, origin) >= 0.5 - 1e-9
    return inside


def mean_of_samples(inside: Tensor, grid: Grid) -> Float[Tensor, "nx ny"]:
    """Share of the samples of each cell that are inside; float64."""
    samples: Tensor = inside.to(torch.float64).unflatten(1, (grid.ny, SAMPLES)).unflatten(0, (grid.nx, SAMPLES))
    return samples.mean((1, 3))


def _overlap(cells: int, step: float, start: float, pixels: int, pixel: float) -> npt.NDArray[np.float64]:
    """Share of each cell that each pixel takes, ``[cell, pixel]``, along one axis."""
    left = start + step * np.arange(cells)[:, None]
    edge = pixel * np.arange(pixels)[None]
    shared = np.minimum(left + step, edge + pixel) - np.maximum(left, edge)
    shares: npt.NDArray[np.float64] = np.maximum(shared, 0.0) / step
    return shares


def _ring(name: str, given: Points | Sequence[Sequence[float]]) -> Points:
    points = as_tensor_of_numbers(f"polygon.{name}", given).numpy().copy()
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
        raise InputError(f"polygon.{name}: must be three points (x, y) or more, in m")
    if not np.isfinite(points).all():
        raise InputError(f"polygon.{name}: not all values are finite")
    points = points[np.any(points != np.roll(points, -1, axis=0), axis=1)]
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    _length(f"polygon.{name}: extent", extent)
    if abs(signed_area(points)) < 1e-12 * extent**2:
        raise InputError(f"polygon.{name}: encloses no area")
    return points


def _length(name: str, value: float) -> None:
    if value > 0:
        plausible("length", value, name)
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} = {value}: must be a positive length in m")
