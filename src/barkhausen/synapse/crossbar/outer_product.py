"""Gradient products on a crossbar: inputs on the rows, errors on the columns, a capacitor at each crossing.

Beside the forward and the transposed mode of its tiles, a chip can have a third one for the weight gradient, the outer
product (A. Ankit et al., *PANTHER*, IEEE Trans. Comput. 69, 1128 (2020), where it changes the weights at once). Devices
of few states could not hold the sum, so that each cell has a capacitor of its own (three transistors and a capacitor:
S. Ambrogio et al., Nature 558, 60 (2018)). It is charged by every sample and converted once for each batch; the digital
latent weight takes the result.

- gradient: the gates of a cell for each product of two numbers other than zero;
- gradient sums: one conversion of every cell for each batch, and its reset;
- gradient operands: a driver on each row and column of every tile for each use and sample, with their wires, and one
  read of inputs and errors from the buffer. Nothing is kept until the end of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import LearningLoad


def outer_product_energy(chip: Chip, layers: Sequence[LayerLoad], batch: int, load: LearningLoad) -> dict[str, float]:
    """Energy in J of the gradient products of one step, by cause.

    Args:
        chip: Chip.
        layers: Loads of the layers.
        batch: Number of samples.
        load: Bits of drivers and converters, and share of the products.
    """
    constants, square = chip.constants, chip.accumulators.voltage**2
    synapses = sum(layer.synapses for layer in layers)
    products = load.products * batch * sum(layer.multiply_adds for layer in layers)
    conversion = constants.adc_step.value * 2.0**load.gradient_bits
    return {
        "gradient": products * constants.accumulator_gates.value * square,
        "gradient sums": synapses * (conversion + constants.accumulator.value * square),
        "gradient operands": batch * math.fsum(_operands(chip, layer, load, square) for layer in layers),
    }


def _operands(chip: Chip, layer: LayerLoad, load: LearningLoad, square: float) -> float:
    """Energy in J of driving inputs and errors of one sample."""
    down, across = chip.tile.blocks(layer.outputs, layer.inputs)
    rows, columns = layer.inputs * across, layer.outputs * down
    wires = (rows * chip.tile.columns + columns * chip.tile.rows) * chip.constants.wire_capacitance.value * square
    drivers = rows * chip.drive_energy_of(load.activation_bits) + columns * chip.drive_energy_of(load.error_bits)
    read = (layer.inputs * load.activation_bits + layer.outputs * load.error_bits) / 32
    return layer.uses * (drivers + wires + read * chip.word(chip.digital.buffer))


def outer_product_time(chip: Chip, layers: Sequence[LayerLoad], batch: int) -> float:
    """Duration in s of the gradient products of one step: a pulse of the sense time for each use and sample, and the
    conversion of all cells of a tile in turn; tiles work in parallel."""
    pulses = batch * sum(layer.uses for layer in layers) * chip.sense.time
    cells = max(
        math.ceil(layer.outputs / across) * math.ceil(layer.inputs / down)
        for layer in layers
        for down, across in [chip.tile.blocks(layer.outputs, layer.inputs)]
    )
    return pulses + math.ceil(cells / chip.converters) * chip.constants.adc_time.value
