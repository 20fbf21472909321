"""Triangles and connected regions of the lattice of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from barkhausen.micromagnetics.film import Film

LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT, UPPER_RIGHT = (0, 0), (1, 0), (0, 1), (1, 1)
"""Cells at the corners of a square of four neighbours, as offsets along x and y from its first."""

HALVES = ((LOWER_LEFT, LOWER_RIGHT, UPPER_RIGHT), (LOWER_LEFT, UPPER_RIGHT, UPPER_LEFT))
"""The two triangles of a square whose four cells hold material."""

REMAINDERS = (
    (UPPER_RIGHT, (LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT)),
    (LOWER_LEFT, (LOWER_RIGHT, UPPER_RIGHT, UPPER_LEFT)),
)
"""Triangles left by an empty cell that lies on the diagonal of the two halves."""


@dataclass(frozen=True)
class Triangles:
    """Triangles of neighbouring cells, one for each cell from which they start; corners counter-clockwise.

    Args:
        corners: Offsets of the three corners along x and y.
        present: Triangles whose corners all hold material; ``None``: all.
    """

    corners: tuple[tuple[int, int], ...]
    present: Bool[Tensor, "device nx ny"] | None

    def at(self, field: Float[Tensor, "*any nx ny"], corner: int) -> Float[Tensor, "*any nx ny"]:
        """Values of a field at a corner of each triangle."""
        return shifted(field, self.corners[corner])


def shifted(field: Tensor, offset: tuple[int, int]) -> Tensor:
    """Values of a field at the cell that lies ``offset`` cells further along x and y, going round."""
    return field if offset == (0, 0) else torch.roll(field, (-offset[0], -offset[1]), (-2, -1))


def triangles_of(film: Film) -> Iterator[Triangles]:
    """Triangles that cover the material of a film, each of them once.

    A square of four cells makes two triangles, a square with one empty cell one, and squares across an edge that is not
    periodic none. An axis of a single cell makes no triangle.
    """
    if min(film.grid.shape) == 1:
        return
    filled, inside = film.filled, _inside(film)
    if filled is None:
        for corners in HALVES:
            yield Triangles(corners, inside)
        return
    for corners in HALVES:
        yield Triangles(corners, _all(filled, corners, inside))
    for missing, corners in REMAINDERS:
        yield Triangles(corners, _all(filled, corners, inside) & ~shifted(filled, missing))


def _inside(film: Film) -> Bool[Tensor, "1 nx ny"] | None:
    """Squares, by their first cell, that do not lie across an edge of the grid; ``None`` if there are no edges."""
    if all(film.grid.periodic):
        return None
    inside = torch.ones(1, *film.grid.shape, dtype=torch.bool, device=film.full(0.0).device)
    for axis, periodic in enumerate(film.grid.periodic):
        if not periodic:
            inside.select(1 + axis, -1).fill_(False)
    return inside


def _all(filled: Tensor, corners: tuple[tuple[int, int], ...], inside: Tensor | None) -> Tensor:
    first, second, third = (shifted(filled, corner) for corner in corners)
    present = first & second & third
    return present if inside is None else present & inside


def at_edge(film: Film) -> Bool[Tensor, "device nx ny"]:
    """Cells with material that lack one of their four neighbours."""
    filled = film.filled
    if filled is None:
        filled = torch.ones(1, *film.grid.shape, dtype=torch.bool, device=film.full(0.0).device)
    surrounded = torch.ones_like(filled)
    for axis, periodic in enumerate(film.grid.periodic):
        for step in (1, -1):
            neighbour = torch.roll(filled, step, 1 + axis)
            if not periodic:
                neighbour.select(1 + axis, 0 if step == 1 else -1).fill_(False)
            surrounded &= neighbour
    return filled & ~surrounded


def label_regions(mask: Bool[Tensor, "replica nx ny"], periodic: tuple[bool, bool]) -> Int[Tensor, "replica nx ny"]:
    """Number of the connected region to which each cell belongs, 0 outside; regions of all replicas are numbered on.

    Cells that share a side or a corner are connected; periodic edges connect.
    """
    structure = np.zeros((3, 3, 3), dtype=bool)
    structure[1] = True  # within a replica
    labels, count = label(mask.cpu().numpy(), structure)
    pairs = [pair for axis in (0, 1) if periodic[axis] for pair in _across(labels, axis, periodic[1 - axis])]
    if count and pairs:
        first, second = np.concatenate(pairs, axis=1)
        graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count + 1, count + 1))
        group = connected_components(graph, directed=False)[1]
        # What is outside touches nothing and is the first group, so that its number stays 0.
        labels = group[labels]
    return torch.from_numpy(labels.astype(np.int64)).to(mask.device)


def _across(labels: np.ndarray, axis: int, around: bool) -> Iterator[np.ndarray]:
    """Pairs of labels ``[2, pair]`` that touch across the periodic edge, straight or by a corner.

    Args:
        labels: Labels of the regions, ``[replica, nx, ny]``.
        axis: Axis of the periodic edge, 0 for x.
        around: Whether the other axis is periodic too.
    """
    last, first = np.take(labels, -1, axis=1 + axis), np.take(labels, 0, axis=1 + axis)
    for step in (-1, 0, 1):
        neighbour = np.roll(first, step, axis=1)
        if step and not around:
            neighbour[:, 0 if step == 1 else -1] = 0
        both = (last > 0) & (neighbour > 0)
        yield np.stack((last[both], neighbour[both]))
