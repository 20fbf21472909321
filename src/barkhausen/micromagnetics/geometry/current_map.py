"""Local current density in a film whose width changes, for :attr:`ParameterMaps.current`."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.limits import check_memory
from barkhausen.micromagnetics.film import Film

End = Literal["left", "right", "narrowest", "mean"]
"""Place along the film whose mean current density is 1."""

Method = Literal["laplace", "width"]

BYTES_OF_A_CELL = 3000
"""Memory of the factorised Laplace equation for each cell."""


@checks_arguments("Film")
def current_map(
    film: Film,
    *,
    relative_to: End = "left",
    method: Method = "laplace",
    columns: tuple[int, int] | None = None,
) -> Float[Tensor, "device 2 nx ny"]:
    """Current density along x and y in each cell, for a current from the left end of the film to the right.

    ``laplace``: div(sigma grad V) = 0 with constant potentials at both ends and no current through the edges, by finite
    volumes on the cells; a face between two cells conducts in proportion to the smaller filled fraction. The currents
    through the faces of each cell add up to zero, and the same current flows through every column. The density in a
    cell is the mean of its two faces over its filled height. ``width``: j_x = w0/w(x), j_y = 0, for tracks that change
    slowly. The result multiplies the densities of :class:`Drive`.

    Args:
        film: Film of one device or several.
        relative_to: Column whose mean density is 1: ``left`` or ``right`` end, the ``narrowest`` column, or ``mean``:
            the current through the mean width.
        method: ``laplace`` or ``width``.
        columns: First and last column (inclusive) of the conducting stretch. Default: those that hold material.

    Raises:
        InputError: No conducting path from end to end, or an argument out of range.
    """
    for name, value, known in (("relative_to", relative_to, get_args(End)), ("method", method, get_args(Method))):
        if value not in known:
            raise InputError(f"{name} = {value!r}: must be {', '.join(known)}{did_you_mean(str(value), known)}")
    grid = film.grid
    fill = torch.ones(1, *grid.shape, dtype=torch.float64) if film.fill is None else film.fill.to("cpu", torch.float64)
    check_memory(float(BYTES_OF_A_CELL) * grid.cells, f"current_map: {grid.cells} cells")
    maps = []
    for device, own in enumerate(fill.numpy()):
        present = np.flatnonzero(own.any(1))
        first, last = (int(present[0]), int(present[-1])) if columns is None else columns
        if not 0 <= first <= last < grid.nx:
            raise InputError(f"columns = {columns}: must be two columns of 0 to {grid.nx - 1}, the first one first")
        stretch = own[first : last + 1]
        if not stretch.any(1).all():
            raise InputError(f"current_map: no conducting path through device {device}; a column is empty")
        if method == "laplace":
            stretch = _conducting(stretch, device)
            found = _laplace(stretch, grid.dx, grid.dy)
        else:
            found = np.stack(((stretch > 0) / stretch.sum(1, keepdims=True), np.zeros_like(stretch)))
        # So far the current through each column is 1, in units of the height of a cell.
        width = stretch.sum(1)
        reference = {"left": width[0], "right": width[-1], "narrowest": width.min(), "mean": width.mean()}[relative_to]
        whole = np.zeros((2, *grid.shape))
        whole[:, first : last + 1] = reference * found
        maps.append(torch.from_numpy(whole))
    return torch.stack(maps)


def _conducting(fill: npt.NDArray[np.float64], device: int) -> npt.NDArray[np.float64]:
    """Filled fractions of the cells that are connected to both ends."""
    nx, ny = fill.shape
    number = np.arange(nx * ny).reshape(nx, ny)
    solid = fill > 0
    along, across = solid[1:] & solid[:-1], solid[:, 1:] & solid[:, :-1]
    start = np.concatenate((number[:-1][along], number[:, :-1][across]))
    stop = np.concatenate((number[1:][along], number[:, 1:][across]))
    graph = sparse.coo_array((np.ones(len(start)), (start, stop)), shape=(nx * ny, nx * ny))
    part = connected_components(graph, directed=False)[1].reshape(nx, ny)
    through = np.intersect1d(part[0][solid[0]], part[-1][solid[-1]])
    if not len(through):
        raise InputError(f"current_map: no conducting path through device {device}")
    connected: npt.NDArray[np.float64] = np.where(solid & np.isin(part, through), fill, 0.0)
    return connected


def _laplace(fill: npt.NDArray[np.float64], dx: float, dy: float) -> npt.NDArray[np.float64]:
    """Densities ``[2, nx, ny]`` for a current of 1 (times the height of a cell) through every column."""
    nx, ny = fill.shape
    number = np.full((nx, ny), -1)
    solid = fill > 0
    number[solid] = np.arange(int(solid.sum()))
    # Conductance of a face over that of a square sheet; the contacts are half a cell away.
    along = np.minimum(fill[1:], fill[:-1]) * (dy / dx)
    across = np.minimum(fill[:, 1:], fill[:, :-1]) * (dx / dy)
    contact = 2 * (dy / dx)
    rows, columns, values = [], [], []
    diagonal = np.zeros(int(solid.sum()))
    for conductance, a, b in ((along, number[:-1], number[1:]), (across, number[:, :-1], number[:, 1:])):
        joined = conductance > 0
        g, i, j = conductance[joined], a[joined], b[joined]
        rows += [i, j]
        columns += [j, i]
        values += [-g, -g]
        np.add.at(diagonal, i, g)
        np.add.at(diagonal, j, g)
    source = np.zeros_like(diagonal)
    for column, applied in ((0, 1.0), (nx - 1, 0.0)):
        own = solid[column]
        np.add.at(diagonal, number[column][own], contact * fill[column][own])
        np.add.at(source, number[column][own], contact * fill[column][own] * applied)
    rows.append(np.arange(len(diagonal)))
    columns.append(np.arange(len(diagonal)))
    values.append(diagonal)
    matrix = sparse.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))))
    potential = np.zeros((nx, ny))
    potential[solid] = spsolve(matrix.tocsc(), source)
    through_x, through_y = np.zeros((nx + 1, ny)), np.zeros((nx, ny + 1))
    through_x[1:-1] = along * (potential[:-1] - potential[1:])
    through_x[0] = contact * fill[0] * (1 - potential[0])
    through_x[-1] = contact * fill[-1] * potential[-1]
    through_y[:, 1:-1] = across * (potential[:, :-1] - potential[:, 1:])
    total = through_x[0].sum()
    inverse = np.divide(1.0, fill, out=np.zeros_like(fill), where=solid)
    j_x = 0.5 * (through_x[1:] + through_x[:-1]) * inverse
    # Currents are in units of the height dy; the density along y is over the length dx.
    j_y = 0.5 * (through_y[:, 1:] + through_y[:, :-1]) * inverse * (dy / dx)
    density: npt.NDArray[np.float64] = np.stack((j_x, j_y)) / total
    return density
