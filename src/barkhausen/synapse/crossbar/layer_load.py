"""The load of one layer on a chip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.core.errors import InputError


@dataclass(frozen=True)
class LayerLoad:
    """The load of one layer on a chip in one inference.

    Args:
        outputs, inputs: Size of its weight matrix; the inputs of a convolution are channels times kernel positions.
        mean_conductance: Mean conductance in S of the devices that hold weights (both devices of a pair).
        mean_square_voltage: Mean squared row voltage in V² over inputs, positions, samples and planes.
        uses: Number of uses of the matrix in one inference: 1, or the number of positions of a convolution.
        reference_conductance: Mean conductance in S of the devices of reference columns. Default: ``mean_conductance``.
        mean_square_error_voltage: Mean squared column voltage in V² of errors in a backward pass. Default:
            ``mean_square_voltage``.
        mean_square_common_voltage: Mean squared voltage in V² of the second of two reads, which is common to all rows.
            Default: ``mean_square_voltage``, which is the most it can be.
        name: Name of the layer in messages.
        largest_voltage: Voltage in V of the largest input, at which single devices are read. Default: twice the root of
            ``mean_square_voltage``.
        learnt: Whether a training changes its weights.

    Raises:
        InputError: There is no output, input or use, or a conductance or squared voltage is negative or not finite.
    """

    outputs: int
    inputs: int
    mean_conductance: float
    mean_square_voltage: float
    uses: int = 1
    reference_conductance: float | None = None
    mean_square_error_voltage: float | None = None
    name: str = "layer"
    largest_voltage: float | None = None
    mean_square_common_voltage: float | None = None
    learnt: bool = True

    def __post_init__(self) -> None:
        for what in ("outputs", "inputs", "uses"):
            if getattr(self, what) < 1:
                raise InputError(f"{self.name}: {what} = {getattr(self, what)}: must be 1 or more")
        for what in (
            "mean_conductance",
            "mean_square_voltage",
            "reference_conductance",
            "mean_square_error_voltage",
            "largest_voltage",
            "mean_square_common_voltage",
        ):
            value = getattr(self, what)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{self.name}: {what} = {value:g}: must be zero or positive")

    @property
    def synapses(self) -> int:
        """Number of weights of the layer."""
        return self.outputs * self.inputs

    @property
    def full_voltage(self) -> float:
        """Voltage in V at which single devices are read."""
        return 2 * math.sqrt(self.mean_square_voltage) if self.largest_voltage is None else self.largest_voltage

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds in one inference."""
        return self.synapses * self.uses


def learnt_layers(layers: Sequence[LayerLoad]) -> list[LayerLoad]:
    """The layers whose weights a training changes.

    Args:
        layers: Loads of the layers, in order.
    """
    return [layer for layer in layers if layer.learnt]


def passed_back(layers: Sequence[LayerLoad]) -> list[LayerLoad]:
    """The layers that a backward pass goes through: those after the first one that learns.

    Args:
        layers: Loads of the layers, in order.
    """
    first = next((place for place, layer in enumerate(layers) if layer.learnt), len(layers))
    return list(layers[first + 1 :])
