"""Correction of the stray field of partly filled cells.

A cell that an edge cuts holds its material on one side. Scaling its moment by the filled fraction spreads that
material over the whole cell, which is right far away but wrong nearby: a half-filled cell of a thin film would
demagnetise itself half as much as the film does. On 4 nm cells this would make half of the pinning of a rough edge.
The correction makes the field of a *uniformly* magnetised film exact. For each cell the diagonal factors
N_xx, N_yy, N_zz of the outline, resolved on subcells and averaged over the cell's material, are compared with those of
the scaled cells, and the difference is added to the cell's own demagnetisation. It costs nothing at run time, and
vanishes in full cells. (In the spirit of Donahue and McMichael, IEEE Trans. Magn. 43, 2878 (2007), who correct the
interactions near curved edges one by one.)
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor, zero_padded
from barkhausen.micromagnetics.grid import Grid

SMALLEST_FILL = 0.05
"""Cells filled less than this are left empty: their moment is negligible, their thermal field is not. (At 0.1 the error
of the pinning on 4 nm cells would be twice as large.)"""


def coarsen(
    grid: Grid, fine: Float[Tensor, "device fine_nx fine_ny"], factor: int, smallest: float = SMALLEST_FILL
) -> tuple[Float[Tensor, "device nx ny"], Float[Tensor, "device 3 nx ny"]]:
    """Filled fractions on ``grid`` from those of its subcells, and the correction of their demagnetising factors.

    Args:
        grid: Grid to compute with.
        fine: Filled fraction of each subcell.
        factor: Number of subcells along each edge of a cell.
        smallest: Filled fraction below which a cell is left empty.

    Returns:
        ``fill``, and the difference of N_xx, N_yy, N_zz to :attr:`Film.edge_demag`; both float64.
    """
    fine = fine.to(torch.float64)
    fill = usable(_pool(fine, factor), smallest)
    subgrid = Grid(grid.nx * factor, grid.ny * factor, grid.dx / factor, grid.dy / factor, grid.dz)
    resolved, scaled = _UniformDemag(subgrid), _UniformDemag(grid)
    correction = torch.empty(len(fine), 3, *grid.shape, dtype=torch.float64)
    # One device at a time: the subcells of many would not fit the memory of a laptop.
    for device, (sub, coarse) in enumerate(zip(fine, fill, strict=True)):
        material = _pool(sub, factor).clamp_min(1e-12)
        correction[device] = _pool(resolved(sub) * sub, factor) / material - scaled(coarse)
    return fill, correction * (fill > 0)[:, None]


def usable(coverage: Float[Tensor, "device nx ny"], smallest: float = SMALLEST_FILL) -> Float[Tensor, "device nx ny"]:
    """Filled fractions without those below ``smallest``; full cells are exactly 1."""
    fill = torch.where(coverage < smallest, 0.0, coverage)
    return torch.where(fill > 1 - 1e-9, 1.0, fill)


class _UniformDemag:
    """N_kk(i) = sum_j N_kk(i − j) phi_j: the demagnetising factors of a uniformly magnetised film."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        nx, ny = grid.shape
        kernel = zero_padded(demagnetisation_tensor(nx, ny, grid.dx, grid.dy, grid.dz)[:3])
        self.padded = (kernel.shape[1], kernel.shape[2])
        self.spectrum = torch.fft.rfft2(kernel)

    def __call__(self, fill: Float[Tensor, "nx ny"]) -> Float[Tensor, "3 nx ny"]:
        product = self.spectrum * torch.fft.rfft2(fill, s=self.padded)
        factors: Tensor = torch.fft.irfft2(product, s=self.padded)
        return factors[:, : self.grid.nx, : self.grid.ny]


def _pool(values: Tensor, factor: int) -> Tensor:
    """Mean over the subcells of each cell; acts on the last two axes."""
    nx, ny = (size // factor for size in values.shape[-2:])
    cells: Tensor = values.unflatten(-1, (ny, factor)).unflatten(-3, (nx, factor))
    return cells.mean((-3, -1))
