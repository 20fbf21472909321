"""Parameters that differ from place to place: gradients, profiles, regions, edge patches, ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.micromagnetics.geometry.outlines import rectangle
from barkhausen.micromagnetics.geometry.shapes import Polygon, Shape
from barkhausen.micromagnetics.grid import Grid

Place = Shape | tuple[float, float]
"""Shape in the coordinates of the grid, or start and stop along x in m."""

Ends = Literal["left", "right", "both"]


@checks_arguments("Grid")
def parameter_map(
    grid: Grid,
    base: float,
    *,
    gradient: float | tuple[float, float] = 0.0,
    profile: Sequence[tuple[float, float]] = (),
    step: float | None = None,
    regions: Sequence[tuple[Place, float]] = (),
) -> Float[Tensor, "nx ny"]:
    """Value of a parameter in each cell, for :class:`ParameterMaps` or the anisotropy of a film; float64.

    Args:
        grid: Grid of cells.
        base: Value at the lower left corner of the grid.
        gradient: Change per metre along x, or along x and y.
        profile: Points (x in m, value) in place of ``base`` and ``gradient``, linear in between and constant beyond.
        step: Length in m of steps along x in which gradient and profile are constant, with the value at the middle of
            each. Default: none, the value at the middle of each cell.
        regions: Places with a value of their own, later ones over earlier ones: a :class:`Shape` in the coordinates
            of the grid (m from its lower left corner) or (start, stop) along x. A cell at a border takes the mean.

    Raises:
        InputError: A value that is not finite, a profile out of order, a region that ends before it starts.
    """
    slope = (gradient, 0.0) if isinstance(gradient, int | float) else tuple(gradient)
    if len(slope) != 2 or not all(math.isfinite(value) for value in (base, *slope)):
        raise InputError("parameter_map: base and gradient must be finite numbers, the gradient one or two of them")
    x = grid.x
    if step is not None:
        if not (math.isfinite(step) and step > 0):
            raise InputError(f"step = {step}: must be a positive length in m")
        x = (torch.floor(x / step * (1 + 1e-12)) + 0.5) * step
    if profile:
        if base != 0.0 or slope != (0.0, 0.0):
            raise InputError("profile: stands in place of base and gradient; give base = 0 and no gradient")
        along = _profile(profile, x)
    else:
        along = base + slope[0] * x
    values = (along[:, None] + slope[1] * grid.y[None]).clone()
    for k, (place, value) in enumerate(regions):
        if not math.isfinite(value):
            raise InputError(f"regions[{k}]: value = {value} is not finite")
        share = place.coverage(grid) if isinstance(place, Shape) else _stretch(grid, place, f"regions[{k}]")
        values = torch.lerp(values, torch.full_like(values, value), share.expand_as(values))
    return values


@checks_arguments("Grid")
def edge_patches(
    grid: Grid,
    *,
    width: float,
    pitch: float,
    length: float,
    depth: float,
    side: Literal["both", "upper", "lower"] = "both",
) -> list[Polygon]:
    """Rectangles along the edges of a track, for :func:`parameter_map`: edge defects of another anisotropy.

    Args:
        grid: Grid of the track, which lies in its middle.
        width: Width of the track in m.
        pitch: Distance between the middles of neighbouring patches in m; the first lies half a pitch from the left end.
        length, depth: Extent of a patch along the edge and into the track, in m.
        side: Edge with patches.

    Raises:
        InputError: A length out of range, or a side that is none.
    """
    for name, value in (("width", width), ("pitch", pitch), ("length", length), ("depth", depth)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} = {value}: must be a positive length in m")
    if side not in ("both", "upper", "lower"):
        raise InputError(f"side = {side!r}: must be both, upper or lower")
        plausible("length", value, name)
    number = math.floor(grid.length / pitch + 1e-9)
    if number > grid.nx:
        raise InputError(f"pitch = {pitch:g}: must not be below a cell, {grid.dx:g} m")
    middle, inset = grid.width / 2, width / 2 - depth / 2
    levels = [level for name, level in (("lower", middle - inset), ("upper", middle + inset)) if side in ("both", name)]
    patch = rectangle(length, depth)
    return [patch.moved((k + 0.5) * pitch, level) for k in range(number) for level in levels]


@checks_arguments("Grid")
def absorbing_ends(
    grid: Grid, damping: float, *, length: float, largest: float = 1.0, ends: Ends = "both"
) -> Float[Tensor, "nx ny"]:
    """Damping of each cell that grows quadratically towards the ends of a film, so that spin waves do not return.

    Args:
        grid: Grid of cells.
        damping: Gilbert damping away from the ends.
        length: Length of each ramp in m.
        largest: Damping at the very end.
        ends: ``left``, ``right`` or ``both``.

    Raises:
        InputError: A damping or length out of range.
    """
    if not 0 <= damping <= largest <= 10:
        raise InputError(f"damping = {damping}, largest = {largest}: must be 0 to 10, the largest not below damping")
    depth = _depth(grid, length, ends)
    share: Tensor = (1 - depth / length).clamp_min(0.0) ** 2
    return (damping + (largest - damping) * share)[:, None].expand(grid.shape).clone()


@checks_arguments("Grid")
def frozen_ends(grid: Grid, *, length: float, ends: Ends = "both") -> Bool[Tensor, "nx ny"]:
    """Mask of the cells within ``length`` (m) of the ends, for :attr:`ParameterMaps.frozen`: cells that do not move.

    With :func:`with_ends` they hold a domain at an end: a wall stands before it, or is injected when a current moves it
    off.

    Raises:
        InputError: A length out of range.
    """
    inside = _depth(grid, length, ends) < length * (1 - 1e-9)
    return inside[:, None].expand(grid.shape).clone()


@checks_arguments("Grid")
def with_ends(
    m: Float[Tensor, "replica 3 nx ny"],
    grid: Grid,
    *,
    length: float,
    left: Sequence[float] | None = None,
    right: Sequence[float] | None = None,
) -> Float[Tensor, "replica 3 nx ny"]:
    """State with the cells within ``length`` (m) of an end magnetised along a direction. Empty cells stay empty.

    Raises:
        InputError: A length out of range, or a direction that has none.
    """
    changed = m.clone()
    for name, direction in (("left", left), ("right", right)):
        if direction is None:
            continue
        vector = torch.as_tensor(direction, dtype=m.dtype)
        if vector.shape != (3,) or not (math.isfinite(float(vector.norm())) and float(vector.norm()) > 0):
            raise InputError(f"{name} = {list(direction)}: must be three numbers, not all zero")
        inside = frozen_ends(grid, length=length, ends="left" if name == "left" else "right")
        inside = inside & (torch.linalg.vector_norm(m, dim=1) > 0)
        unit = (vector / vector.norm())[None, :, None, None].expand_as(m)
        changed = torch.where(inside[:, None], unit, changed)
    return changed


def _depth(grid: Grid, length: float, ends: Ends) -> Float[Tensor, " nx"]:
    """Distance of each column from the nearer of the chosen ends, in m."""
    if not 0 < length <= grid.length:
        raise InputError(f"length = {length}: must be positive and at most that of the film, {grid.length:g} m")
    if ends not in ("left", "right", "both"):
        raise InputError(f"ends = {ends!r}: must be left, right or both")
    left, right = grid.x, grid.length - grid.x
    return {"left": left, "right": right, "both": torch.minimum(left, right)}[ends]


def _profile(points: Sequence[tuple[float, float]], x: Float[Tensor, " nx"]) -> Float[Tensor, " nx"]:
    table = torch.as_tensor(points, dtype=torch.float64)
    if table.dim() != 2 or table.shape[1] != 2 or not bool(torch.isfinite(table).all()):
        raise InputError("profile: must be points (x in m, value), all finite")
    place, value = table.T.contiguous()
    if not bool((place[1:] > place[:-1]).all()):
        raise InputError("profile: x must grow from point to point")
    after = torch.searchsorted(place, x).clamp(1, max(1, len(place) - 1))
    if len(place) == 1:
        constant: Tensor = value.expand(len(x)).clone()
        return constant
    share = ((x - place[after - 1]) / (place[after] - place[after - 1])).clamp(0.0, 1.0)
    return torch.lerp(value[after - 1], value[after], share)


def _stretch(grid: Grid, ends: tuple[float, float], name: str) -> Float[Tensor, "nx 1"]:
    """Fraction of each column of cells between two places along x."""
    start, stop = ends
    if not (math.isfinite(start) and math.isfinite(stop) and stop > start):
        raise InputError(f"{name}: stop = {stop:g} must lie beyond start = {start:g}")
    left = torch.arange(grid.nx, dtype=torch.float64) * grid.dx
    overlap = (left + grid.dx).clamp_max(stop) - left.clamp_min(start)
    share: Tensor = (overlap.clamp_min(0.0) / grid.dx)[:, None]
    return share
