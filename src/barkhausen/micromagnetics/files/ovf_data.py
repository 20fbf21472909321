"""Content of an OVF file: values on a rectangular mesh, and what its header says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from barkhausen.core.errors import InputError, shortened
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.grid import Grid

SAME_MESH = 1e-3
"""Relative difference of two cell sizes that counts as rounding of a text file."""


@dataclass(frozen=True)
class OvfMesh:
    """Rectangular mesh.

    Args:
        nodes: Numbers of cells along x, y and z.
        step: Edges of a cell in m.
        base: Centre of the first cell in m.
    """

    nodes: tuple[int, int, int]
    step: tuple[float, float, float]
    base: tuple[float, float, float]

    def __post_init__(self) -> None:
        for name, kind in (("nodes", Integral), ("step", Real), ("base", Real)):
            triple = getattr(self, name)
            if (
                not isinstance(triple, Sequence)
                or len(triple) != 3
                or not all(isinstance(part, kind) for part in triple)
            ):
                raise InputError(f"mesh.{name} = {triple!r}: must be three {'whole ' * (name == 'nodes')}numbers")
        if min(self.nodes) < 1:
            raise InputError(f"mesh.nodes = {self.nodes}: must be 1 or more along each axis")
        if not all(math.isfinite(s) and s > 0 for s in self.step) or not all(map(math.isfinite, self.base)):
            raise InputError(f"mesh: cells of {_times(self.step)} m; must be positive and finite")

    @staticmethod
    def of_grid(grid: Grid, layers: int = 1) -> OvfMesh:
        """OvfMesh of a grid with its lower left corner at the origin, or of a stack of such layers."""
        step = (grid.dx, grid.dy, grid.dz)
        return OvfMesh((grid.nx, grid.ny, layers), step, (grid.dx / 2, grid.dy / 2, grid.dz / 2))

    def difference_from(self, grid: Grid) -> str | None:
        """What differs from the mesh of one layer of a grid, as words for a message; None if nothing does."""
        if self.nodes[:2] != grid.shape:
            return f"{self.nodes[0]} x {self.nodes[1]} cells are not the film's {grid.nx} x {grid.ny}"
        own = (grid.dx, grid.dy, grid.dz)
        if any(abs(a - b) > SAME_MESH * b for a, b in zip(self.step, own, strict=True)):
            return f"cells of {_times(self.step)} m are not the film's {_times(own)} m"
        return None


@dataclass(frozen=True, eq=False)
class OvfData:
    """One segment of an OVF file.

    Args:
        values: Values ``[component, nx, ny, nz]``, float64, in the units of ``units``.
        mesh: OvfMesh, in m.
        time: Simulated time in s, from the description; None if it is not given.
        title: Title.
        description: Lines of the description.
        labels: Name of each component.
        units: Unit of each component.
        version: Version of the format, 1 or 2.
    """

    values: npt.NDArray[np.float64]
    mesh: OvfMesh
    time: float | None = None
    title: str = ""
    description: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    version: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.values, np.ndarray) or not isinstance(self.mesh, OvfMesh):
            raise InputError("ovf: needs values, a numpy array, and a mesh, an OvfMesh")
        if self.values.ndim != 4 or self.values.shape[1:] != self.mesh.nodes or not self.values.shape[0]:
            raise InputError(f"ovf: values of shape {self.values.shape} do not fit a mesh of {_times(self.mesh.nodes)}")

    def __repr__(self) -> str:
        """What is there, without the values themselves."""
        labels = f" ({', '.join(self.labels)})" if self.labels else ""
        parts = [
            f"{self.components} component{'s' * (self.components > 1)}{labels}",
            f"{_times(self.mesh.nodes)} cells of {_times(self.mesh.step)} m",
        ]
        if self.time is not None:
            parts.append(f"t = {self.time:g} s")
        if self.title:
            parts.append(f"title {shortened(self.title)!r}")
        return f"OvfData({', '.join(parts)}, OVF {self.version}.0)"

    @property
    def components(self) -> int:
        """Number of components of each value."""
        return int(self.values.shape[0])


def check_mesh(data: OvfData, film: Film, origin: str) -> None:
    """Refuse a file of another mesh than the film's.

    Raises:
        InputError: The numbers of cells or their sizes differ.
    """
    difference = data.mesh.difference_from(film.grid)
    if difference is not None:
        raise InputError(f"{origin}: is of another mesh; {difference}")


def _times(sizes: tuple[float, ...]) -> str:
    return " x ".join(f"{size:g}" for size in sizes)
