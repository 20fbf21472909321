"""Energy and time of one layer on a chip, in one direction."""

from __future__ import annotations

import math

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.two_reads import COMMON_BITS


def forward_energy(chip: Chip, layer: LayerLoad) -> dict[str, float]:
    """Energy in J of one inference, by cause."""
    down, across = chip.tile.blocks(layer.outputs, layer.inputs)
    reference = layer.mean_conductance if layer.reference_conductance is None else layer.reference_conductance
    siemens = layer.synapses * chip.tile.devices_per_weight * layer.mean_conductance
    siemens += chip.tile.way.references * layer.inputs * across * reference
    return _pass(
        chip,
        layer,
        siemens=siemens,
        square=layer.mean_square_voltage,
        common=layer.mean_square_common_voltage,
        driven=layer.inputs * across,
        cells=chip.tile.columns,
        converted=layer.outputs * down,
        results=layer.outputs,
    )


def backward_energy(chip: Chip, layer: LayerLoad) -> dict[str, float]:
    """Energy in J of propagating the errors of one sample from outputs to inputs, by cause."""
    down, across = chip.tile.blocks(layer.outputs, layer.inputs)
    square = layer.mean_square_error_voltage
    return _pass(
        chip,
        layer,
        siemens=layer.synapses * chip.tile.devices_per_weight * layer.mean_conductance,
        square=layer.mean_square_voltage if square is None else square,
        driven=layer.outputs * down * chip.tile.devices_per_weight,
        cells=chip.tile.rows,
        converted=layer.inputs * across,
        results=layer.inputs,
    )


def _pass(
    chip: Chip,
    layer: LayerLoad,
    *,
    siemens: float,
    square: float,
    driven: int,
    cells: int,
    converted: int,
    results: int,
    common: float | None = None,
) -> dict[str, float]:
    """Energy in J of all uses of a layer in one direction, by cause.

    Args:
        siemens: Sum of the conductances in S of all driven devices.
        square: Mean squared voltage in V².
        driven: Number of driven lines of all tiles.
        cells: Number of cells along one driven line.
        converted: Number of converted lines of all tiles.
        results: Number of results.
        common: Mean squared voltage in V² of the second of two reads. Default: ``square``.
    """
    way, planes = chip.tile.way, layer.uses * chip.inputs.planes
    reads = planes * way.reads
    if way.reads > 1 and common is not None:
        square = (square + common) / 2
    return {
        "device read": reads * square * siemens * chip.sense.time,
        "wires": reads * driven * cells * chip.constants.wire_capacitance.value * square,
        "DAC": reads * driven * chip.drive_energy,
        "ADC": reads * converted * chip.conversion_energy,
        "accumulate": reads * converted * chip.integer_add,
        "normalise": layer.uses * results * (chip.multiply_add + chip.integer_add),
        "buffer": buffer_energy(chip, layer, chip.inputs.bits),
        **({"common input": planes * _common(chip, driven, converted)} if way.reads > 1 else {}),
    }


def _common(chip: Chip, driven: int, converted: int) -> float:
    """Energy in J of the digital part of two reads: the sum of the inputs of each tile, and for each conversion of
    read 1 the product of the common input with the sum of the programmed weights."""
    product = chip.integer_multiply(COMMON_BITS, COMMON_BITS) + chip.integer_add
    return driven * chip.integer_add + converted * product


def buffer_energy(chip: Chip, layer: LayerLoad, bits: int) -> float:
    """Energy in J of storing the activations of one inference (or the errors, of which there are as many)."""
    return layer.uses * (layer.inputs + layer.outputs) * chip.word(chip.digital.buffer) * bits / 32


def read_out_time(chip: Chip, layer: LayerLoad, *, transposed: bool = False) -> float:
    """Duration in s of all uses of a layer: each read is sensed, then its columns are converted in turn; tiles work in
    parallel."""
    down, across = chip.tile.blocks(layer.outputs, layer.inputs)
    if transposed:
        # The converters of the columns are switched to the rows.
        turns = math.ceil(math.ceil(layer.inputs / down) / chip.converters)
    else:
        turns = min(chip.adc.columns, math.ceil(layer.outputs / across))
    reads = layer.uses * chip.inputs.planes * chip.tile.way.reads
    return reads * (chip.sense.time + turns * chip.constants.adc_time.value)
