"""Bonds between neighbouring cells: how strongly each cell feels the next and the previous one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from barkhausen.micromagnetics.film import Film

Pair = tuple[Tensor, Tensor]
"""Factors with which the first cell of each bond feels the second, and the second the first."""


def pieces(cells: int, periodic: bool) -> Iterator[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """Bonds along a line of cells, in pieces that can be cut out of a tensor with ``narrow``.

    Yields:
        Start and length of the first cells, of the second cells, and of the bonds (bond i goes from cell i to the
        next). In a periodic line the last cell has a bond with the first.
    """
    if cells > 1:
        yield (0, cells - 1), (1, cells - 1), (0, cells - 1)
        if periodic:
            yield (cells - 1, 1), (0, 1), (cells - 1, 1)


def geometric(film: Film, axis: int) -> Pair | None:
    """Weights min(phi_i, phi_j)/phi_i of the bonds along an axis, without the constants of the material.

    Returns:
        Two tensors ``[device, bonds…]``, or ``None`` if all cells are full.
    """
    if film.fill is None or film.inverse_fill is None:
        return None
    return _sides(film, axis, _shared(film, axis), film.inverse_fill)


def weighted(film: Film, axis: int, name: str) -> Pair | None:
    """Factors C_ij w_ij/(Ms_i phi_i) of the bonds along an axis, with the constant C of each bond.

    C_ij is the harmonic mean of A (series of two half cells) or the arithmetic mean of D, w_ij the smaller of the
    filled fractions times the strength of the bond. Both sides of a bond see the same energy.

    Args:
        film: Film with maps.
        axis: 0 along x, 1 along y.
        name: ``exchange_stiffness`` or ``dmi``.

    Returns:
        Two tensors ``[device, bonds…]`` in T m² or T m, or ``None`` if the material's constant and filled fractions
        are all there is.
    """
    maps = film.maps
    strength = None if maps is None else (maps.bond_x, maps.bond_y)[axis]
    constant = None if maps is None else getattr(maps, name)
    if maps is None or (strength is None and constant is None and maps.saturation_magnetisation is None):
        return None
    return _per_moment(film, axis, _shared_constant(film, axis, name))


def strengths(film: Film, axis: int, name: str) -> Tensor:
    """C_ij w_ij/Ms of the bonds along an axis, with the material's Ms, ``[device, bonds…]`` (see :func:`weighted`)."""
    return _shared_constant(film, axis, name) / film.material.saturation_magnetisation


def _shared_constant(film: Film, axis: int, name: str) -> Tensor:
    """C_ij w_ij of the bonds along an axis."""
    shared = _strength(film, axis)
    constant = None if film.maps is None else getattr(film.maps, name)
    if constant is None:
        shared = shared * getattr(film.material, name)
    else:
        first, second = _ends(constant, 1 + axis, film.grid.periodic[axis])
        harmonic = name == "exchange_stiffness"
        shared = shared * (2 * first * second / (first + second) if harmonic else (first + second) / 2)
    return shared


def unweighted(film: Film, axis: int) -> Pair | None:
    """Factors w_ij/(Ms_i phi_i) of the bonds along an axis in m/A, for a constant that is the same everywhere.

    Returns:
        Two tensors ``[device, bonds…]``, or ``None`` if all are 1/Ms of the material.
    """
    maps = film.maps
    strength = None if maps is None else (maps.bond_x, maps.bond_y)[axis]
    if film.relative_density is None and strength is None:
        return None
    return _per_moment(film, axis, _strength(film, axis))


def _strength(film: Film, axis: int) -> Tensor:
    """Weight w_ij of each bond: the smaller filled fraction times the strength of the bond."""
    shared = film.full(1.0, 1, *_shape(film, axis)) if film.fill is None else _shared(film, axis)
    strength = None if film.maps is None else (film.maps.bond_x, film.maps.bond_y)[axis]
    return shared if strength is None else shared * strength.narrow(1 + axis, 0, _bonds(film, axis))


def _per_moment(film: Film, axis: int, shared: Tensor) -> Pair:
    """Value of each bond over Ms_i phi_i of its two cells."""
    shared = shared / film.material.saturation_magnetisation
    inverse = film.full(1.0, 1, *film.grid.shape) if film.inverse_density is None else film.inverse_density
    return _sides(film, axis, shared, inverse)


def _shared(film: Film, axis: int) -> Tensor:
    """The smaller filled fraction of the two cells of each bond."""
    assert film.fill is not None
    first, second = _ends(film.fill, 1 + axis, film.grid.periodic[axis])
    return torch.minimum(second, first)


def _sides(film: Film, axis: int, shared: Tensor, inverse: Tensor) -> Pair:
    first, second = _ends(inverse, 1 + axis, film.grid.periodic[axis])
    return shared * first, shared * second


def _ends(values: Tensor, dim: int, periodic: bool) -> Pair:
    """Values at the first and at the second cell of each bond."""
    cells = values.shape[dim]
    if periodic and cells > 1:
        return values, values.roll(-1, dim)
    return values.narrow(dim, 0, cells - 1), values.narrow(dim, 1, cells - 1)


def _bonds(film: Film, axis: int) -> int:
    cells = film.grid.shape[axis]
    return cells if film.grid.periodic[axis] and cells > 1 else cells - 1


def _shape(film: Film, axis: int) -> tuple[int, int]:
    shape = list(film.grid.shape)
    shape[axis] = _bonds(film, axis)
    return shape[0], shape[1]
