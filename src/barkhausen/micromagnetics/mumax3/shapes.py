"""Shapes in mumax3's script language: an outline in metres, or a set of cells, as unions of rectangles."""

from __future__ import annotations

import math
from itertools import groupby
from operator import itemgetter

import torch
from jaxtyping import Int
from torch import Tensor

from barkhausen.micromagnetics.geometry.outline import TrackOutline
from barkhausen.micromagnetics.grid import Grid

STAIR = 0.5e-9
"""Longest piece in m along the track within which an edge is written as straight."""


def shape_of_outline(grid: Grid, outline: TrackOutline, device: int, seed: int) -> list[str]:
    """The edges of the device in metres, as stairs; where they are straight, one stair is as long as they are."""
    step = grid.dx / math.ceil(grid.dx / STAIR - 1e-9)
    borders = torch.arange(math.ceil(outline.length / step - 1e-9) + 1, dtype=torch.float64) * step
    borders = borders.clamp_max(outline.length)
    lower, upper = (e[device].tolist() for e in outline.edges(0.5 * (borders[1:] + borders[:-1]), device + 1, seed))
    x = [metres(border) for border in (borders - grid.length / 2).tolist()]
    across = [f"YRange({metres(low)}, {metres(high)})" for low, high in zip(lower, upper, strict=True)]
    lines = ["track := Universe().Inverse()"]
    for strip, run in groupby(enumerate(across), key=itemgetter(1)):
        stairs = [k for k, _ in run]
        lines.append(f"track = track.Add(XRange({x[stairs[0]]}, {x[stairs[-1] + 1]}).Intersect({strip}))")
    return [*lines, "SetGeom(track)"]


def shape_of_places(grid: Grid, places: Int[Tensor, "nx ny"], smooth: int) -> list[str]:
    """A shape in which mumax3 counts ``places[cell]`` of smooth² places of each cell.

    mumax3 takes a cell for full (or empty) if its centre and corners are, and counts places otherwise. So every cell
    with material is a whole rectangle, and a piece is cut out of those not full that holds as many places as are
    missing, and the centre, but no corner. All borders stay a quarter of the places' distance away from places and
    corners, so that rounding does not matter.
    """
    margin = (grid.dx / (4 * smooth), grid.dy / (4 * smooth))

    def stretch(cell: int, axis: int, first: int, last: int) -> str:
        """From the first to the last of the places along one axis of a cell."""
        size, low = (grid.dx, -grid.length / 2) if axis == 0 else (grid.dy, -grid.width / 2)
        start = low + cell * size
        a = max(start + first * size / smooth - margin[axis], start + margin[axis])
        b = min(start + (last + 1) * size / smooth + margin[axis], start + size - margin[axis])
        return f"{'XY'[axis]}Range({metres(a)}, {metres(b)})"

    lines = ["track := Universe().Inverse()"]
    lines += [f"track = track.Add({box})" for box, _ in boxes(grid, (places > 0).to(torch.int64), margin)]
    lines.append("missing := Universe().Inverse()")
    for ix, iy in ((places > 0) & (places < smooth**2)).nonzero().tolist():
        rows, rest = divmod(smooth**2 - int(places[ix, iy]), smooth)
        first, column = (smooth - rows) // 2, (smooth - rest) // 2
        pieces = [(0, smooth - 1, first, first + rows - 1)] if rows else []
        pieces += [(column, column + rest - 1, first + rows, first + rows)] if rest else []
        for a, b, c, d in pieces:
            lines.append(f"missing = missing.Add({stretch(ix, 0, a, b)}.Intersect({stretch(iy, 1, c, d)}))")
    return [*lines, "SetGeom(track.Sub(missing))"]


def boxes(grid: Grid, labels: Int[Tensor, "nx ny"], margin: tuple[float, float] = (0.0, 0.0)) -> list[tuple[str, int]]:
    """Rectangles and their labels that cover all cells with a label above 0, and a margin in m."""
    found = []
    for column, same in groupby(enumerate(labels.tolist()), key=itemgetter(1)):
        xs = [ix for ix, _ in same]
        x0, x1 = xs[0] * grid.dx - grid.length / 2 - margin[0], (xs[-1] + 1) * grid.dx - grid.length / 2 + margin[0]
        for label, run in groupby(enumerate(column), key=itemgetter(1)):
            ys = [iy for iy, _ in run]
            if label:
                y0, y1 = (
                    ys[0] * grid.dy - grid.width / 2 - margin[1],
                    (ys[-1] + 1) * grid.dy - grid.width / 2 + margin[1],
                )
                found.append(
                    (f"XRange({metres(x0)}, {metres(x1)}).Intersect(YRange({metres(y0)}, {metres(y1)}))", label)
                )
    return found


def metres(length: float) -> str:
    """Six digits of a nanometre, so that neighbouring pieces meet in the same number."""
    digits = f"{length * 1e9:.6f}".rstrip("0").rstrip(".")
    return "0" if digits in ("0", "-0") else f"{digits}e-9"
