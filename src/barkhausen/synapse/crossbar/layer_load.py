"""The load of one layer on a chip."""

from __future__ import annotations

import math
from dataclasses import dataclass

from barkhausen.core.errors import InputError


@dataclass(frozen=True)
class LayerLoad:
    """What a layer asks of the chip in one inference.

    Args:
        outputs, inputs: of its weight matrix; a convolution's inputs are channels times kernel.
        mean_conductance: of the devices that hold weights (both of a pair), in S.
        mean_square_voltage: of its inputs on their rows, over inputs, places, samples and planes, in V².
        uses: how often the matrix is used: 1, or the number of places of a convolution.
        reference_conductance: of the devices of reference columns, in S; ``mean_conductance`` if None.
        mean_square_error_voltage: of its errors on the columns in a backward pass; ``mean_square_voltage`` if None.
        name: for messages.

    Raises:
        InputError: no output, input or use, or a conductance or square that is negative or not finite.
    """

    outputs: int
    inputs: int
    mean_conductance: float
    mean_square_voltage: float
    uses: int = 1
    reference_conductance: float | None = None
    mean_square_error_voltage: float | None = None
    name: str = "layer"

    def __post_init__(self) -> None:
        for what in ("outputs", "inputs", "uses"):
            if getattr(self, what) < 1:
                raise InputError(f"{self.name}: {what} = {getattr(self, what)}: must be 1 or more")
        for what in (
            "mean_conductance",
            "mean_square_voltage",
            "reference_conductance",
            "mean_square_error_voltage",
        ):
            value = getattr(self, what)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{self.name}: {what} = {value:g}: must be zero or positive")

    @property
    def synapses(self) -> int:
        """Weights of the layer."""
        return self.outputs * self.inputs

    @property
    def multiply_adds(self) -> int:
        """Of one inference."""
        return self.synapses * self.uses
