"""Resistive wires of a crossbar: the exact matrix from row voltages to column currents.

Rows are word lines, each driven at its left end by an ideal source; columns are bit lines, each held at 0 V at its
bottom end by the read-out. Between neighbouring crossings of a line, between a source and the first crossing, and
between the last crossing and the read-out lies one segment of wire: the convention of badcrossbar (Joksas and Mehonic,
SoftwareX 12, 100617 (2020)). All conductances in S, resistances in ohm.

The nodal equations (Kirchhoff's current law at both ends of every device) are linear, so the currents are I = V G_eff
for any voltages. Their matrix, symmetric and positive definite, is block tridiagonal with one block
for each row, and is factorised once, from the top row down. A row i with its sources is a current source s_i V_i with
an admittance A_i [columns, columns] between its crossings with the bit lines,

    s_i = D (K + R_w D)⁻¹ e_first,    A_i = D − R_w D (K + R_w D)⁻¹ D,

with D the conductances of its devices on a diagonal and K the Laplacian of a chain that ends at the source. The rows
so far together act as a source T (one row of T for each) with an admittance Y. Each step adds the next row and then one
segment of every bit line (after the last row, the segment that leads to the read-out):

    Y ← Y + A_i,  T ← T with s_i below it;    Y ← Y (1 + R_b Y)⁻¹,  T ← T (1 + R_b Y)⁻¹.

After the last row G_eff = T. This elimination carries its right-hand sides along (T is the adjoint solution, seen from
the sources), so no factor is kept. It never subtracts nearly equal numbers. A factorisation of the nodal matrix would
lose digits for short wires, since wires of 10 S swamp devices of 10 µS; this elimination stays exact down to 0 ohm.

It costs rows × columns³ operations: where there are more columns than rows the crossbar is transposed, and by
reciprocity (the nodal matrix is symmetric) so is its effective matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError

AT_ONCE = 128
"""Number of tiles solved together; for 128 × 128 they need about 100 MiB of work space."""


@dataclass(frozen=True)
class Wires:
    """Resistance in ohm of one wire segment, from one crossing to the next.

    Args:
        word_line: Resistance in ohm of a segment along a row.
        bit_line: Resistance in ohm of a segment along a column.

    Raises:
        InputError: A resistance is negative or not finite.
    """

    word_line: float = 0.0
    bit_line: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("word_line", self.word_line), ("bit_line", self.bit_line)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} = {value}: the resistance of a wire segment (ohm) must be finite and not < 0")

    @property
    def turned(self) -> Wires:
        """Wires of the transposed crossbar."""
        return Wires(self.bit_line, self.word_line)


IDEAL = Wires()
"""No resistance."""


def check_conductances(conductance: Float[Tensor, "*tile rows columns"]) -> None:
    """Check that these can be the conductances in S of a crossbar's devices.

    Raises:
        InputError: A conductance is negative or not finite, or there is none.
    """
    if conductance.ndim < 2 or conductance.numel() == 0:
        raise InputError(f"conductances of shape {tuple(conductance.shape)}: must be [..., rows, columns], none empty")
    if not bool(torch.isfinite(conductance).all()):
        raise InputError("conductances of a crossbar (S) must be finite: some are not")
    if bool((conductance < 0).any()):
        raise InputError(
            f"conductances of a crossbar must not be negative: the lowest is {float(conductance.min()):g} S"
        )


@torch.no_grad()
def effective_conductance(
    conductance: Float[Tensor, "*tile rows columns"], wires: Wires
) -> Float[Tensor, "*tile rows columns"]:
    """Effective matrix G_eff in S, including wires: column currents I = V @ G_eff for any row voltages V.

    Args:
        conductance: Conductances in S of the devices of one crossbar, or of many of the same size; 0 where there is no
            device.
        wires: Wire resistances of all crossbars.

    Returns:
        The matrix in double precision. No element is negative, and no row or column sums to more than its devices do.
        An element without a device may be nonzero because of current paths through other devices.

    Raises:
        InputError: A conductance is negative or not finite.
    """
    check_conductances(conductance)
    devices = conductance.to(torch.float64)
    rows, columns = devices.shape[-2:]
    # Without bit-line resistance there is nothing to eliminate; otherwise the blocks are those of the shorter side.
    turn = wires.word_line == 0 or (wires.bit_line > 0 and columns > rows)
    if turn:
        # Now the columns are driven, from their bottom ends, and the rows are read, at their left ends.
        devices, wires = devices.mT.flip(-2, -1), wires.turned
    flat = devices.reshape(-1, *devices.shape[-2:])
    solved = torch.cat([_solved(part, wires) for part in flat.split(AT_ONCE)]).view(devices.shape)
    return (solved.flip(-2, -1).mT if turn else solved).contiguous()


def _solved(devices: Float[Tensor, "tile rows columns"], wires: Wires) -> Float[Tensor, "tile rows columns"]:
    """The elimination, row by row."""
    lines = _WordLines.of(devices, wires.word_line)
    if wires.bit_line == 0:
        return lines.transfer
    tiles, rows, columns = devices.shape
    # Admittance Y above, source T below, so that one product updates both.
    seen = devices.new_zeros(tiles, columns + rows, columns)
    admittance = seen[:, :columns]
    for row in range(rows):
        admittance += lines.admittance(row)
        seen[:, columns + row] = lines.transfer[:, row]
        past = admittance * wires.bit_line
        past.diagonal(dim1=-2, dim2=-1).add_(1)
        # The inverse itself: a product with it is faster than two triangular solutions and as exact (1 + R_b Y is
        # diagonally dominant without positive off-diagonal elements).
        inverse = torch.cholesky_inverse(torch.linalg.cholesky_ex(past)[0])
        live = seen[:, : columns + row + 1]
        live.copy_(live @ inverse)
    return seen[:, columns:]


@dataclass(frozen=True)
class _WordLines:
    """All word lines, each with its source and its devices, as seen from the bit lines.

    Let ``ahead`` and ``behind`` be the admittances of a word line seen from one crossing to both sides, in units of
    1/R_w. Then the inverse of K + R_w D is 1/(behind + R_w D + ahead) on its diagonal, and falls off along the
    line by a factor 1/(1 + R_w D + ahead) at every crossing.
    """

    resistance: float
    devices: Float[Tensor, "tile rows columns"]
    itself: Float[Tensor, "tile rows columns"]
    """Voltage at a crossing for a unit current into it: the diagonal of (K + R_w D)⁻¹."""
    own: Float[Tensor, "tile rows columns"]
    """Diagonal of the admittance A."""
    decay: Float[Tensor, "tile rows columns"]
    """−log of the ratio of the voltage at a crossing to that of the source."""
    transfer: Float[Tensor, "tile rows columns"]
    """Current into each bit line, held at 0 V, for 1 V at the source: the vector s."""

    @classmethod
    def of(cls, devices: Float[Tensor, "tile rows columns"], resistance: float) -> _WordLines:
        loads = devices * resistance
        columns = loads.shape[-1]
        ahead, behind = torch.zeros_like(loads), torch.ones_like(loads)
        for place in range(columns - 1, 0, -1):
            further = ahead[..., place] + loads[..., place]
            ahead[..., place - 1] = further / (1 + further)
        for place in range(columns - 1):
            further = behind[..., place] + loads[..., place]
            behind[..., place + 1] = further / (1 + further)
        itself = 1 / (behind + loads + ahead)
        # log1p and sums of logarithms: products of factors near 1 would lose digits, of small ones underflow.
        decay = torch.log1p(loads + ahead).cumsum(-1)
        return cls(resistance, devices, itself, devices * (behind + ahead) * itself, decay, devices * (-decay).exp())

    def admittance(self, row: int) -> Float[Tensor, "tile columns columns"]:
        """Admittance A of one row."""
        decay, devices, itself = self.decay[:, row], self.devices[:, row], self.itself[:, row]
        between = (decay[:, :, None] - decay[:, None, :]).abs_().neg_().exp_()
        # Of two crossings the factors lead from the one nearer to the source to the other.
        first = torch.ones(between.shape[-2:], dtype=torch.bool, device=between.device).triu()
        between.mul_(torch.where(first, itself[:, :, None], itself[:, None, :]))
        between.mul_(devices[:, :, None] * -self.resistance).mul_(devices[:, None, :])
        between.diagonal(dim1=-2, dim2=-1).copy_(self.own[:, row])
        return between
