"""The demagnetisation tensor between two cells of one layer."""

from __future__ import annotations

import math
from collections.abc import Callable

import scipy.fft
import torch
from jaxtyping import Float
from torch import Tensor

NEAR = 10.0
"""Up to this distance (in units of the largest cell edge) the closed form is used. Its rounding error grows as the
sixth power of the distance, the error of the quadrature beyond falls as the sixth power; both are below 1e-9 here."""


def demagnetisation_tensor(nx: int, ny: int, dx: float, dy: float, dz: float) -> Float[Tensor, "4 offsets_x offsets_y"]:
    """Volume-averaged demagnetisation tensor N of cells of dx × dy × dz for all offsets in one layer.

    The field that a cell of magnetisation M exerts on one at the offset is H = −N M. Near cells by the closed form
    (Newell, Williams and Dunlop, J. Geophys. Res. 98, 9551 (1993)), far ones by averaging the dipole field over both
    volumes with a quadrature that is exact to fifth order.

    Args:
        nx, ny: Numbers of cells; offsets run from −(nx−1) to nx−1 and −(ny−1) to ny−1.
        dx, dy, dz: Edges of a cell, all in the same unit.

    Returns:
        [4, 2 nx − 1, 2 ny − 1], components xx, yy, zz, xy (xz and yz vanish in one layer); float64. Offset (0, 0) is
        at index (nx − 1, ny − 1).
    """
    largest = max(dx, dy, dz)
    hx, hy, hz = dx / largest, dy / largest, dz / largest
    # By symmetry one quadrant is enough.
    x, y = torch.meshgrid(
        torch.arange(nx, dtype=torch.float64) * hx, torch.arange(ny, dtype=torch.float64) * hy, indexing="ij"
    )
    quadrant = cell_tensor(x, y, hx, hy, hz)
    full = torch.cat((quadrant.flip(1)[:, :-1], quadrant), dim=1)
    full = torch.cat((full.flip(2)[:, :, :-1], full), dim=2)
    # xy is odd in both offsets.
    full[3, : nx - 1] *= -1
    full[3, :, : ny - 1] *= -1
    return full


def cell_tensor(
    x: Float[Tensor, "nx ny"], y: Float[Tensor, "nx ny"], hx: float, hy: float, hz: float
) -> Float[Tensor, "4 nx ny"]:
    """Tensor of two cells at the offset (x, y); lengths in units of the largest edge hx, hy or hz of a cell."""
    tensor = _averaged_dipole(x, y, hx, hy, hz)
    near = x * x + y * y <= NEAR**2
    tensor[:, near] = _closed_form(x[near], y[near], hx, hy, hz)
    return tensor


def zero_padded(tensor: Float[Tensor, "component offsets_x offsets_y"]) -> Float[Tensor, "component padded_x padded_y"]:
    """Values for every offset of two cells, laid out for a circular convolution that equals the open one.

    Args:
        tensor: Tensor with the offset (0, 0) in the middle, as :func:`demagnetisation_tensor` returns it.

    Returns:
        The same on a grid that is quick to transform, offset (0, 0) at index (0, 0), negative ones at the end.
    """
    sizes = [(length + 1) // 2 for length in tensor.shape[1:]]
    px, py = (scipy.fft.next_fast_len(2 * n - 1, real=True) for n in sizes)
    x, y = (torch.arange(-n + 1, n) % p for n, p in zip(sizes, (px, py), strict=True))
    padded = torch.zeros(len(tensor), px, py, dtype=tensor.dtype)
    padded[:, x[:, None], y] = tensor
    return padded


def _closed_form(x: Tensor, y: Tensor, hx: float, hy: float, hz: float) -> Tensor:
    zero = torch.zeros_like(x)
    edges = (hx, hy, hz)

    def differences(function: Callable[[Tensor, Tensor, Tensor], Tensor], order: tuple[int, int, int]) -> Tensor:
        total = torch.zeros_like(x)
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                for c in (-1, 0, 1):
                    weight = math.prod(2 if step == 0 else -1 for step in (a, b, c))
                    point = (x + a * edges[0], y + b * edges[1], zero + c * edges[2])
                    total += weight * function(*(point[axis] for axis in order))
        return total / (4 * math.pi * hx * hy * hz)

    return torch.stack(
        [
            differences(newell_f, (0, 1, 2)),
            differences(newell_f, (1, 0, 2)),
            differences(newell_f, (2, 1, 0)),
            differences(newell_g, (0, 1, 2)),
        ]
    )


def _finite(value: Tensor) -> Tensor:
    """Terms of the form 0 · log 0 and 0 · atan(0/0) vanish."""
    return torch.nan_to_num(value, nan=0.0, posinf=0.0, neginf=0.0)


def newell_f(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """f of Newell et al. (1993), equation 27: its second differences give the diagonal components."""
    x, y, z = x.abs(), y.abs(), z.abs()
    r = (x * x + y * y + z * z).sqrt()
    return (
        0.5 * y * (z * z - x * x) * _finite(torch.asinh(_finite(y / (x * x + z * z).sqrt())))
        + 0.5 * z * (y * y - x * x) * _finite(torch.asinh(_finite(z / (x * x + y * y).sqrt())))
        - x * y * z * _finite(torch.atan(_finite(y * z / (x * r))))
        + (2 * x * x - y * y - z * z) * r / 6
    )


def newell_g(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """g of Newell et al. (1993), equation 32: its second differences give the off-diagonal component."""
    z = z.abs()
    r = (x * x + y * y + z * z).sqrt()
    return (
        x * y * z * _finite(torch.asinh(_finite(z / (x * x + y * y).sqrt())))
        + y / 6 * (3 * z * z - y * y) * _finite(torch.asinh(_finite(x / (y * y + z * z).sqrt())))
        + x / 6 * (3 * z * z - x * x) * _finite(torch.asinh(_finite(y / (x * x + z * z).sqrt())))
        - z**3 / 6 * _finite(torch.atan(_finite(x * y / (z * r))))
        - z * y * y / 2 * _finite(torch.atan(_finite(x * z / (y * r))))
        - z * x * x / 2 * _finite(torch.atan(_finite(y * z / (x * r))))
        - x * y * r / 3
    )


def _averaged_dipole(x: Tensor, y: Tensor, hx: float, hy: float, hz: float) -> Tensor:
    """Dipole tensor averaged over source and target cell; zero at the origin, where it does not hold."""
    # The distance of two uniform points in cells of edge h is triangular on [-h, h]: three Gauss points.
    nodes = ((-math.sqrt(0.4), 5 / 24), (0.0, 7 / 12), (math.sqrt(0.4), 5 / 24))
    total = torch.zeros(4, *x.shape, dtype=x.dtype)
    for u, wu in nodes:
        for v, wv in nodes:
            for w, ww in nodes:
                px, py, pz = x + u * hx, y + v * hy, w * hz
                square = px * px + py * py + pz * pz
                inverse = torch.where(square > 0, square, torch.inf) ** -2.5
                weight = wu * wv * ww * hx * hy * hz / (4 * math.pi)
                total[0] += weight * (square - 3 * px * px) * inverse
                total[1] += weight * (square - 3 * py * py) * inverse
                total[2] += weight * (square - 3 * pz * pz) * inverse
                total[3] -= weight * 3 * px * py * inverse
    return total
