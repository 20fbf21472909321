"""Exact filled fractions of the cells that a polygon cuts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

Points = npt.NDArray[np.float64]
"""Vertices ``[vertex, 2]`` of one closed ring."""


def polygon_coverage(
    rings: Sequence[Points], shape: tuple[int, int], cell: tuple[float, float], origin: tuple[float, float]
) -> Float[Tensor, "nx ny"]:
    """Fraction of each cell inside the rings, exact up to rounding; float64.

    By Green's theorem, as renderers of fonts do: each edge is split where it enters another cell; a piece of it adds
    the area below it in its own cell, and its full width in all cells below.

    Args:
        rings: Closed rings; anticlockwise ones add area, clockwise ones (holes) take it away.
        shape: Numbers of cells.
        cell: Edges of a cell in m.
        origin: Lower left corner of the cells in m.
    """
    nx, ny = shape
    total = np.zeros((nx, ny + 1))
    below = np.zeros((nx, ny + 1))
    for ring in rings:
        start = (np.asarray(ring, dtype=np.float64) - origin) / cell
        stop = np.roll(start, -1, axis=0)
        for k in range(0, len(start), 65536):
            a, b = _pieces(start[k : k + 65536], stop[k : k + 65536])
            middle, width = 0.5 * (a + b), a[:, 0] - b[:, 0]
            column, row = np.floor(middle).astype(np.int64).T
            # Above the grid a piece covers whole columns; below it and beside it nothing.
            height = np.where(row >= ny, 0.0, middle[:, 1] - row)
            row = np.minimum(row, ny)
            keep = (column >= 0) & (column < nx) & (row >= 0) & (width != 0)
            place = (column[keep], row[keep])
            np.add.at(total, place, (width * height)[keep])
            np.add.at(below, place, width[keep])
    covered = np.cumsum(below[:, ::-1], axis=1)[:, ::-1]
    return torch.from_numpy(np.ascontiguousarray(total[:, :ny] + covered[:, 1:]))


def _pieces(start: Points, stop: Points) -> tuple[Points, Points]:
    """Edges split at the lines between the cells, in units of cells."""
    edges = [np.repeat(np.arange(len(start)), 2)]
    places = [np.tile([0.0, 1.0], len(start))]
    for axis in (0, 1):
        a, b = start[:, axis], stop[:, axis]
        low, high = np.minimum(a, b), np.maximum(a, b)
        first = np.floor(low) + 1
        crossings = np.maximum(0, np.ceil(high) - first).astype(np.int64)
        edge = np.repeat(np.arange(len(start)), crossings)
        step = np.arange(len(edge)) - np.repeat(np.cumsum(crossings) - crossings, crossings)
        line = first[edge] + step
        edges.append(edge)
        places.append(np.clip((line - a[edge]) / (b - a)[edge], 0.0, 1.0))
    edge, place = np.concatenate(edges), np.concatenate(places)
    order = np.lexsort((place, edge))
    edge, place = edge[order], place[order]
    points = start[edge] + place[:, None] * (stop - start)[edge]
    same = edge[1:] == edge[:-1]
    return points[:-1][same], points[1:][same]


def signed_area(ring: Points) -> float:
    """Area of a ring in m², positive if it is anticlockwise."""
    after = np.roll(ring, -1, axis=0)
    return float(0.5 * np.sum(ring[:, 0] * after[:, 1] - after[:, 0] * ring[:, 1]))
