"""Weight matrices on crossbar tiles of fixed size, and the matrix that the tiles effectively compute with.

Inputs are row voltages and outputs are column currents. A crossbar is linear, so the matrix is the same whether a
negative input is a negative voltage or a second read phase whose result is subtracted. The partial sums of tiles that
share outputs are added digitally.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar.schemes import ReadScheme, place_on_tiles, scheme_of
from barkhausen.synapse.crossbar.wires import IDEAL, Wires, check_conductances, effective_conductance

Scheme = str
"""Scheme by which positive conductances represent weights of both signs: ``"reference column"``, ``"differential
pair"``, ``"two reads"``, or the same with hyphens as in chip files (:mod:`.schemes`)."""

ROUNDING = 1e-9
"""Negative conductances down to this fraction of the reference are rounding errors of an ideal junction and set to
0."""


@dataclass(frozen=True)
class Tiling:
    """Positions of devices on tiles.

    Inputs are distributed evenly, in order, over the smallest number of tiles that can hold them, and so are outputs
    (100 rows on each of two tiles rather than 128 and 72, since shorter lines lose less voltage). The rows in use are
    those next to the read-out, the columns those next to the sources; other cells have no device.

    Args:
        outputs, inputs: Size of the weight matrix.
        rows, columns: Size of one tile.
        scheme: Scheme for signed weights.

    Raises:
        InputError: The tile is too small for one weight, the scheme is unknown, or the matrix is empty.
    """

    outputs: int
    inputs: int
    rows: int = 128
    columns: int = 128
    scheme: Scheme = "reference column"

    def __post_init__(self) -> None:
        way = scheme_of(self.scheme)
        if self.outputs < 1 or self.inputs < 1:
            raise InputError(f"a weight matrix of {self.outputs} outputs and {self.inputs} inputs is empty")
        if self.rows < 1 or self.columns < way.least_columns:
            raise InputError(
                f"a tile of {self.rows} x {self.columns} is too small: at least 1 row and {way.least_columns} "
                f"column{'s' if way.least_columns > 1 else ''} ({way.smallest})"
            )

    @property
    def way(self) -> ReadScheme:
        """The scheme itself."""
        return scheme_of(self.scheme)

    @property
    def outputs_per_tile(self) -> int:
        """Largest number of outputs on one tile."""
        return self.way.outputs(self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of tiles along the inputs and along the outputs."""
        return -(-self.inputs // self.rows), -(-self.outputs // self.outputs_per_tile)

    def rows_of_inputs(self) -> tuple[Int[Tensor, " inputs"], Int[Tensor, " inputs"]]:
        """Tile and row of every input."""
        tile, place, size = place_on_tiles(self.inputs, self.shape[0])
        return tile, self.rows - size + place

    def columns_of_outputs(
        self,
    ) -> tuple[Int[Tensor, " outputs"], Int[Tensor, " outputs"], Int[Tensor, " outputs"]]:
        """Tile of every output, its column, and the column whose current is subtracted (its own where none is)."""
        tile, place, size = place_on_tiles(self.outputs, self.shape[1])
        return tile, *self.way.columns(place, size)


class CrossbarTiles:
    """A weight matrix stored as the conductances of tiles, solved with their wires.

    Inference is a matrix product ``x @ tiles.effective_weight().T`` in the units of the synaptic weights (a layer also
    applies its scale). Without wire resistance the effective matrix is the weight matrix itself, up to rounding.

    Args:
        weight: Synaptic weights [outputs, inputs]; ±1 are the outermost states.
        conductance: Of a device as a function of its weight.
        wires: Wire resistances of every tile.
        rows, columns: Size of one tile.
        scheme: Scheme for signed weights; see :data:`Scheme`.
        minus: Weights of the second devices of pairs [outputs, inputs], where these have errors of their own; a pair
            then computes with (weight − minus)/2. Default: −weight.

    Raises:
        InputError: The tile is too small for one weight, no conductance corresponds to a weight, or ``minus`` is given
            without pairs.
    """

    tiling: Tiling
    wires: Wires
    conductances: Float[Tensor, "row_tile column_tile rows columns"]
    """Conductances of all devices in S, 0 where there is none; changed only by :meth:`program` and :meth:`replace`."""
    stale: Bool[Tensor, "row_tile column_tile"]
    """Mask of the tiles whose conductances have changed since they were last solved."""

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
        # An empty tile computes with zeros and needs no solution.
        self.stale = torch.zeros(self.tiling.shape, dtype=torch.bool, device=weight.device)
        self.program(weight, minus=minus)

    @torch.no_grad()
    def program(
        self, weight: Float[Tensor, "outputs inputs"], *, minus: Float[Tensor, "outputs inputs"] | None = None
    ) -> None:
        """Change the weights of the devices; tiles without a change are not solved again.

        Raises:
            InputError: The matrix has another shape, no conductance corresponds to a weight, or ``minus`` is given
                without pairs.
        """
        pairs = self.tiling.way.devices_per_weight == 2
        if minus is not None and not pairs:
            raise InputError(f"minus: a {self.tiling.scheme!r} has no second devices")
        devices = self.conductances.clone()
        devices[self._plus] = self._conductance(weight).mT
        if pairs:
            devices[self._less] = self._conductance(-weight if minus is None else minus).mT
        elif self.tiling.way.references:
            devices[self._less] = self._map.reference
        self.replace(devices)

    @torch.no_grad()
    def replace(self, conductances: Float[Tensor, "row_tile column_tile rows columns"]) -> None:
        """Set the conductances in S of all devices directly, including those of references.

        Raises:
            InputError: The shape is wrong, or a conductance is negative or not finite.
        """
        if conductances.shape != self.conductances.shape:
            raise InputError(
                f"conductances of shape {tuple(conductances.shape)}: the tiles have {tuple(self.conductances.shape)}"
            )
        check_conductances(conductances)
        # A copy, so that later changes to the caller's tensor have no effect here.
        changed = conductances.to(self.conductances, copy=True)
        self.stale |= (changed != self.conductances).flatten(2).any(-1)
        self.conductances = changed

    def effective(self) -> Float[Tensor, "row_tile column_tile rows columns"]:
        """Effective matrices (S) of all tiles. Tiles whose conductances have changed are solved first."""
        if bool(self.stale.any()):
            # A new tensor, so that one returned earlier does not change.
            solved = self._effective.clone()
            solved[self.stale] = effective_conductance(self.conductances[self.stale], self.wires)
            self._effective = solved
            self.stale.zero_()
        return self._effective

    def effective_weight(self) -> Float[Tensor, "outputs inputs"]:
        """Effective weight matrix of the tiles in units of synaptic weight and double precision: y = x @ w.T.

        With two reads it is that of the conductances less that of weight 0, which logic subtracts.
        """
        solved, way = self.effective(), self.tiling.way
        signal = solved[self._plus] - (solved[self._less] if way.subtracts else self._map.reference)
        return (signal / (way.devices_per_weight * self._map.unit)).mT.contiguous()

    def _conductance(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
        """Conductances in S of devices with these weights."""
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
