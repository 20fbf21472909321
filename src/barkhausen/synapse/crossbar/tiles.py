"""A matrix of synaptic weights on crossbar tiles of fixed size, and the matrix that they then compute with.

Inputs are voltages on rows, outputs currents of columns. A crossbar is linear: an input of either sign is a voltage of
either sign, or the difference of two phases with voltages of one sign, and the matrix is the same. The partial sums of
tiles that share outputs are added digitally.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar.wires import IDEAL, Wires, check_conductances, effective_conductance

Scheme = Literal["reference column", "differential pair"]
"""How conductances, which are positive, make weights of both signs.

``"reference column"``: one device a weight, G = G_ref + G_unit w; each tile has one column of half-way devices (w = 0,
G_ref) whose current is subtracted from that of every output. It stands in the middle of the columns in use, since its
word-line voltages are then about the mean of theirs.

``"differential pair"``: two devices a weight in neighbouring columns, G(w) and G(−w), whose currents are subtracted.
G(−w) rather than a half-way device: the signal is twice that of one device at the same read voltage, and the sum of
both is 2 G_ref whatever the weight, so that the load of a word line, and with it most of the voltage lost along the
wires, does not depend on what is stored.
"""

ROUNDING = 1e-9
"""A conductance that is negative by less than this share of the reference is that of an ideal junction, and 0."""


@dataclass(frozen=True)
class Tiling:
    """Which device stands where.

    Inputs are shared out evenly over as few tiles as hold them, in order, and so are outputs (100 rows for each of two
    tiles rather than 128 and 72: shorter lines lose less). The rows in use are those next to the read-out, the columns
    those next to the sources; the other cells have no device.

    Args:
        outputs, inputs: of the weight matrix.
        rows, columns: of one tile.
        scheme: for the sign of a weight.

    Raises:
        InputError: a tile too small for one weight, an unknown scheme, or an empty matrix.
    """

    outputs: int
    inputs: int
    rows: int = 128
    columns: int = 128
    scheme: Scheme = "reference column"

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise InputError(f"scheme = {self.scheme!r}: unknown{did_you_mean(str(self.scheme), get_args(Scheme))}")
        if self.outputs < 1 or self.inputs < 1:
            raise InputError(f"a weight matrix of {self.outputs} outputs and {self.inputs} inputs is empty")
        if self.rows < 1 or self.columns < 2:
            need = "an output and its reference" if self.scheme == "reference column" else "one pair"
            raise InputError(
                f"a tile of {self.rows} x {self.columns} is too small: at least 1 row and 2 columns ({need})"
            )

    @property
    def outputs_per_tile(self) -> int:
        """The most outputs that one tile holds."""
        return self.columns - 1 if self.scheme == "reference column" else self.columns // 2

    @property
    def shape(self) -> tuple[int, int]:
        """Tiles along the inputs, and along the outputs."""
        return -(-self.inputs // self.rows), -(-self.outputs // self.outputs_per_tile)

    def rows_of_inputs(self) -> tuple[Int[Tensor, " inputs"], Int[Tensor, " inputs"]]:
        """Tile and row of every input."""
        tile, place, size = _shared_out(self.inputs, self.shape[0])
        return tile, self.rows - size + place

    def columns_of_outputs(
        self,
    ) -> tuple[Int[Tensor, " outputs"], Int[Tensor, " outputs"], Int[Tensor, " outputs"]]:
        """Tile of every output, its column, and the column whose current is subtracted."""
        tile, place, size = _shared_out(self.outputs, self.shape[1])
        if self.scheme == "differential pair":
            return tile, 2 * place, 2 * place + 1
        reference = size // 2
        return tile, place + (place >= reference).long(), reference


class CrossbarTiles:
    """A matrix of synaptic weights as the conductances of tiles, solved with their wires.

    At inference one plain product does: ``x @ tiles.effective_weight().T``, in the units of the synaptic weights (a
    layer's scale comes on top). Without wire resistance that is the weight matrix again, to rounding.

    Args:
        weight: synaptic weights [outputs, inputs], of which w = ±1 are the outermost states.
        conductance: of a device as a function of its weight.
        wires: of every tile.
        rows, columns: of one tile.
        scheme: for the sign of a weight, see :data:`Scheme`.
        minus: weights of the second devices of the pairs [outputs, inputs], where these are devices with errors of
            their own; the pair then computes with (weight − minus)/2. −weight by default.

    Raises:
        InputError: a tile too small for one weight, a weight that no conductance has, or ``minus`` without pairs.
    """

    tiling: Tiling
    wires: Wires
    conductances: Float[Tensor, "row_tile column_tile rows columns"]
    """Of all devices in S, 0 where there is none; changed by :meth:`program` and :meth:`replace` only."""
    stale: Bool[Tensor, "row_tile column_tile"]
    """Tiles whose conductances changed since they were last solved."""

    def __init__(
        self,
        weight: Float[Tensor, "outputs inputs"],
        conductance: ConductanceMap,
        *,
        wires: Wires = IDEAL,
        rows: int = 128,
        columns: int = 128,
        scheme: Scheme = "reference column",
        minus: Float[Tensor, "outputs inputs"] | None = None,
    ) -> None:
        if weight.ndim != 2:
            raise InputError(f"weights of shape {tuple(weight.shape)}: must be [outputs, inputs]")
        outputs, inputs = weight.shape
        self.tiling, self.wires, self._map = Tiling(outputs, inputs, rows, columns, scheme), wires, conductance
        (row_tile, row), (column_tile, plus, less) = self.tiling.rows_of_inputs(), self.tiling.columns_of_outputs()
        places = [[row_tile[:, None], column_tile, row[:, None], column] for column in (plus, less)]
        self._plus, self._less = (tuple(part.to(weight.device) for part in place) for place in places)
        shape = (*self.tiling.shape, rows, columns)
        self.conductances = torch.zeros(shape, dtype=torch.float64, device=weight.device)
        self._effective = torch.zeros_like(self.conductances)
        # An empty tile computes with zeros: these are solved already.
        self.stale = torch.zeros(self.tiling.shape, dtype=torch.bool, device=weight.device)
        self.program(weight, minus=minus)

    @torch.no_grad()
    def program(
        self, weight: Float[Tensor, "outputs inputs"], *, minus: Float[Tensor, "outputs inputs"] | None = None
    ) -> None:
        """Give the devices other weights; tiles in which none changes need not be solved again.

        Raises:
            InputError: a matrix of another shape, a weight that no conductance has, or ``minus`` without pairs.
        """
        pairs = self.tiling.scheme == "differential pair"
        if minus is not None and not pairs:
            raise InputError(f"minus: a {self.tiling.scheme!r} has no second devices")
        devices = self.conductances.clone()
        devices[self._plus] = self._conductance(weight).mT
        devices[self._less] = (
            self._conductance(-weight if minus is None else minus).mT if pairs else self._map.reference
        )
        self.replace(devices)

    @torch.no_grad()
    def replace(self, conductances: Float[Tensor, "row_tile column_tile rows columns"]) -> None:
        """Give the devices, those of the references included, other conductances (S): what no weight says.

        Raises:
            InputError: another shape, or a conductance that is negative or not finite.
        """
        if conductances.shape != self.conductances.shape:
            raise InputError(
                f"conductances of shape {tuple(conductances.shape)}: the tiles have {tuple(self.conductances.shape)}"
            )
        check_conductances(conductances)
        # A copy: what the caller does with his tensor later must not pass unnoticed.
        changed = conductances.to(self.conductances, copy=True)
        self.stale |= (changed != self.conductances).flatten(2).any(-1)
        self.conductances = changed

    def effective(self) -> Float[Tensor, "row_tile column_tile rows columns"]:
        """The effective matrices (S) of all tiles; those are solved whose conductances changed."""
        if bool(self.stale.any()):
            # Another tensor: what was handed out before stays what it was.
            solved = self._effective.clone()
            solved[self.stale] = effective_conductance(self.conductances[self.stale], self.wires)
            self._effective = solved
            self.stale.zero_()
        return self._effective

    def effective_weight(self) -> Float[Tensor, "outputs inputs"]:
        """What the tiles compute with, in units of the synaptic weight and in double precision: y = x @ w.T."""
        solved, unit = self.effective(), self._map.unit
        signal = solved[self._plus] - solved[self._less]
        return (signal / (2 * unit if self.tiling.scheme == "differential pair" else unit)).mT.contiguous()

    def _conductance(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
        """Conductances (S) of devices of these weights."""
        if weight.shape != (self.tiling.outputs, self.tiling.inputs):
            raise InputError(
                f"weights of shape {tuple(weight.shape)}: the tiles hold {self.tiling.outputs} x {self.tiling.inputs}"
            )
        value = self._map.reference + self._map.unit * weight.to(torch.float64)
        lowest = float(value.min())
        if lowest < -ROUNDING * self._map.reference:
            raise InputError(
                f"a device of weight {(lowest - self._map.reference) / self._map.unit:g} would have {lowest:g} S"
            )
        return value.clamp_min(0)


def _shared_out(count: int, tiles: int) -> tuple[Int[Tensor, " count"], Int[Tensor, " count"], Int[Tensor, " count"]]:
    """Tile of each of so many lines shared out evenly in order, its place in it, and how many that tile has."""
    tile = torch.arange(count) * tiles // count
    size = torch.bincount(tile, minlength=tiles)
    first = size.cumsum(0) - size
    return tile, torch.arange(count) - first[tile], size[tile]
