"""Eigenfrequencies of a system about a state: of the linearised Landau-Lifshitz-Gilbert equation as it is computed."""

from __future__ import annotations

import torch
from torch import Tensor

from barkhausen.micromagnetics import System


def frequencies(system: System, m: Tensor, patterns: list[Tensor]) -> Tensor:
    """Frequencies in Hz, sorted, of the modes made of given rotations.

    Args:
        system: System of one replica in float64.
        m: State at rest, ``[row, 3, nx, ny]``.
        patterns: Orthogonal patterns, ``[row, 3, nx, ny]``, perpendicular to m, which the dynamics do not leave.
    """
    columns = []
    for pattern in patterns:
        small = 1e-5
        up, down = (system.rate(at, system.field(at)) for at in (m + small * pattern, m - small * pattern))
        change = (up - down) / (2 * small)
        columns.append(torch.stack([(other * change).sum() / (other * other).sum() for other in patterns]))
    values = torch.linalg.eigvals(torch.stack(columns, 1))
    return (values.imag[values.imag > 0] / (2 * torch.pi)).sort().values
