"""The chip with SRAM cells in place of its devices: one bit a cell, so that a weight takes several columns.

- A weight of k bits takes k cells in neighbouring columns; each column is converted, and the results are shifted and
  added: k times as many columns, conversions and additions as on the chip of devices.
- A cell conducts or does not: inputs are applied bit by bit, whatever the chip of devices does.
- A read charges the bit line of every column, of which half discharge, and drives the gates along every word line. No
  current flows at rest, but every bit leaks all the time.
- Cells can be read along rows and along columns, so that errors go back through the same cells; that such a cell is
  larger is left out.
- Rows, columns, converters, buffers, logic and gradient memory are those of the chip of devices.

Converters are either as many a tile as on the chip of devices, so that both read equally fast and the converters take k
times the area, or as many in all, so that they take the same area and k times as long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos.machine import Machine, Work
from barkhausen.synapse.crossbar.costs import area_of, stored_bits
from barkhausen.synapse.crossbar.digital_logic import results_of_a_step, without_devices
from barkhausen.synapse.crossbar.layer_costs import backward_energy, forward_energy, read_out_time
from barkhausen.synapse.crossbar.layer_load import LayerLoad, learnt_layers, passed_back
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad
from barkhausen.synapse.crossbar.overheads import overheads

Converters = Literal["of each tile", "of the whole chip"]

DISCHARGED = 0.5
"""Share of the bit lines that a read discharges."""


def bit_by_bit(chip: Chip) -> Chip:
    """The same chip with inputs that are applied bit by bit."""
    return chip.model_copy(update={"inputs": chip.inputs.model_copy(update={"mode": "bit-serial"})})


def sram_machine(
    chip: Chip,
    layers: Sequence[LayerLoad],
    bits: int,
    work: Work,
    learning: LearningLoad,
    *,
    converters: Converters = "of each tile",
) -> Machine:
    """The chip with SRAM cells.

    Args:
        chip: Chip of devices.
        layers: Loads of the layers on it.
        bits: Bits, and so cells, of a weight.
        work: What is computed in a step.
        learning: Precision and sparsity of a step.
        converters: What stays as on the chip of devices: the converters of each tile, or their number in all.
    """
    serial = bit_by_bit(chip)
    slower = bits if converters == "of the whole chip" else 1
    wide = [replace(layer, outputs=bits * layer.outputs, mean_conductance=0.0) for layer in layers]
    forward = [_pass(serial, layer, bits, transposed=False) for layer in layers]
    backward = [_pass(serial, layer, bits, transposed=True) for layer in passed_back(layers)]
    times = [_time(serial, layer, slower) for layer in wide]
    back_times = [_time(serial, layer, slower, transposed=True) for layer in passed_back(wide)]
    # Its cells are the weights, beside which their updates are summed.
    own = replace(learning, latent_bits=learning.latent_bits or None, second_arrays=0)
    area = _area(serial, layers, wide, slower, training=False, learning=own)
    training_area = _area(serial, layers, wide, slower, training=True, learning=own)
    synapses, learnt = sum(layer.synapses for layer in layers), learnt_layers(layers)
    moved = sum(layer.outputs * layer.uses for layer in layers)
    inference = _summed(forward)
    inference |= overheads(
        serial,
        inference,
        bits_moved=moved * chip.inputs.bits,
        area=math.fsum(area.values()),
        stored_bits=bits * synapses,
        time=math.fsum(times),
    )
    step = {name: work.batch * joule for name, joule in _summed([*forward, *backward]).items()}
    step |= learning_energy(serial, learnt, work.batch, without_devices(learning))
    step_time = work.batch * math.fsum([*times, *back_times])
    step |= overheads(
        serial,
        step,
        bits_moved=work.batch * results_of_a_step(layers) * chip.inputs.bits,
        area=math.fsum(training_area.values()),
        stored_bits=synapses * bits + sum(layer.synapses for layer in learnt) * stored_bits(chip, own),
        time=step_time,
    )
    step["programming"] = work.writes * bits * chip.word("8KB") / 32
    return Machine(
        name=f"SRAM cells, {bits} a weight, converters as {converters}",
        area=area,
        inference=inference,
        latency=math.fsum(times),
        interval=max(times),
        training_area=training_area,
        step=step,
        step_time=step_time,
    )


def cell_energy(chip: Chip, rows: int, columns: int) -> float:
    """Energy in J of one read of a tile of SRAM cells: its bit lines, then its word lines.

    Args:
        chip: Chip with its constants.
        rows: Rows that are driven.
        columns: Columns that are read.
    """
    constants = chip.constants
    volt = constants.supply.value**2
    wire = constants.wire_capacitance.value * math.sqrt(_cell(chip) / constants.cell_area.value)
    gate = constants.gate_capacitance.value
    # A drain loads the bit line about as much as a gate loads the word line.
    return volt * rows * columns * (DISCHARGED * (wire + gate) + wire + gate)


def _cell(chip: Chip) -> float:
    """Area of a cell in m²."""
    return chip.constants.sram_cell_area.value * chip.digital_area_factor


def _pass(chip: Chip, layer: LayerLoad, bits: int, *, transposed: bool) -> dict[str, float]:
    """Energy in J of all uses of a layer in one direction, by cause."""
    cost = backward_energy if transposed else forward_energy
    energy = cost(chip, layer)
    if transposed:
        # Errors are driven on all columns of a weight, and each row is converted once for each bit of the weight.
        energy["DAC"] *= bits
        energy["ADC"] *= bits
        energy["accumulate"] *= bits
    else:
        wide = cost(chip, replace(layer, outputs=bits * layer.outputs))
        energy |= {cause: wide[cause] for cause in ("DAC", "ADC", "accumulate")}
    del energy["device read"], energy["wires"]
    reads = layer.uses * chip.inputs.planes
    energy["cell read"] = reads * cell_energy(chip, layer.inputs, bits * layer.outputs)
    return energy


def _time(chip: Chip, layer: LayerLoad, slower: int, *, transposed: bool = False) -> float:
    time = read_out_time(chip, layer, transposed=transposed)
    sensing = layer.uses * chip.inputs.planes * chip.sense.time
    return sensing + slower * (time - sensing)


def _area(
    chip: Chip,
    layers: Sequence[LayerLoad],
    wide: Sequence[LayerLoad],
    slower: int,
    *,
    training: bool,
    learning: LearningLoad,
) -> dict[str, float]:
    """Area in m² by part."""
    area, of_devices = (area_of(chip, each, training=training, learning=learning) for each in (wide, layers))
    area["SRAM cells"] = area.pop("devices") * _cell(chip) / chip.constants.cell_area.value
    if slower > 1:
        area |= {part: of_devices[part] for part in ("ADC", "accumulate")}
    area |= {part: of_devices[part] for part in ("normalise", "gradient memory") if part in of_devices}
    return area


def _summed(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: math.fsum(part[name] for part in parts) for name in parts[0]}
