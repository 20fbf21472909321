"""Grid: one layer of equal rectangular cells."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible

MAXIMAL_CELLS = 1 << 24
"""Largest number of cells in one layer; more are probably a mistake in the units."""

OF_TRACK = {"length": "track length", "width": "width", "thickness": "film thickness", "cell": "cell size"}
"""Quantity of each size of a track, for its plausible range."""


@dataclass(frozen=True)
class Grid:
    """Grid of ``nx`` × ``ny`` cells of ``dx`` × ``dy`` × ``dz`` metres; the film is one cell thick.

    Args:
        nx, ny: Numbers of cells.
        dx, dy, dz: Edges of a cell in m.
        periodic: Whether the film goes on periodically along x and along y.

    Raises:
        InputError: A count below 1 or a size that is not positive.
    """

    nx: int
    ny: int
    dx: float
    dy: float
    dz: float
    periodic: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        for name in ("nx", "ny"):
            value = getattr(self, name)
            if not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
                raise InputError(f"grid.{name} = {value}: must be a whole number of cells, 1 or more")
        pair = self.periodic if isinstance(self.periodic, tuple | list) else ()
        if len(pair) != 2 or not all(isinstance(value, bool) for value in pair):
            raise InputError(f"grid.periodic = {self.periodic}: must be two of True and False, along x and along y")
        object.__setattr__(self, "periodic", tuple(self.periodic))
        if self.nx * self.ny > MAXIMAL_CELLS:
            raise InputError(f"grid: {self.nx} x {self.ny} cells are more than {MAXIMAL_CELLS}")
        for name in ("dx", "dy", "dz"):
            value = getattr(self, name)
            if not isinstance(value, float | int):
                raise InputError(f"grid.{name} = {value!r}: must be a length in metres")
            if value > 0:
                plausible("film thickness" if name == "dz" else "cell size", value, f"grid.{name}")
            if not 0 < value < 1e-3:
                raise InputError(f"grid.{name} = {value}: must be a positive length in metres, below 1 mm")

    @staticmethod
    def of_track(length: float, width: float, thickness: float, cell: float) -> Grid:
        """Grid of square cells that covers ``length`` × ``width`` (metres), rounded up to whole cells.

        Cells that the track only partly fills carry their filled fraction (:mod:`.outline`).

        Raises:
            InputError: A size that is not positive, or a cell larger than the track.
        """
        for name, value in (("length", length), ("width", width), ("thickness", thickness), ("cell", cell)):
            if value > 0:
                plausible(OF_TRACK[name], value, name)
            if not 0 < value < 1e-3:
                raise InputError(f"{name} = {value}: must be a positive length in metres, below 1 mm")
        if cell > min(length, width):
            raise InputError(f"cell = {cell:g}: is larger than the track ({length:g} x {width:g} m)")
        # The tolerance keeps 512e-9 / 4e-9 at 128 cells.
        nx, ny = (int(-(-size // cell)) if abs(size / cell - round(size / cell)) > 1e-6 else round(size / cell)
                  for size in (length, width))  # fmt: skip
        return Grid(nx, ny, cell, cell, thickness)

    @property
    def shape(self) -> tuple[int, int]:
        """Cells along x and y."""
        return self.nx, self.ny

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.nx * self.ny

    @property
    def cell_volume(self) -> float:
        """Volume of one cell in m³."""
        return self.dx * self.dy * self.dz

    @property
    def length(self) -> float:
        """Extent along x in m."""
        return self.nx * self.dx

    @property
    def width(self) -> float:
        """Extent along y in m."""
        return self.ny * self.dy

    @property
    def x(self) -> Float[Tensor, " nx"]:
        """Centres of the cells along x in m, from the left end (float64)."""
        return (torch.arange(self.nx, dtype=torch.float64) + 0.5) * self.dx

    @property
    def y(self) -> Float[Tensor, " ny"]:
        """Centres of the cells along y in m, from the lower edge (float64)."""
        return (torch.arange(self.ny, dtype=torch.float64) + 0.5) * self.dy
