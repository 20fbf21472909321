"""Digital logic with a fixed number of multiply-add units, in float32 or int8: area and time beside its energy.

All units work at every cycle, on one layer and one sample after the other, and weights come from SRAM beside them. The
energy does not depend on the number of units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos.machine import Machine, Work
from barkhausen.synapse.crossbar.costs import stored_bits
from barkhausen.synapse.crossbar.digital_logic import (
    inference_energy,
    results_of_a_step,
    training_energy,
    without_devices,
)
from barkhausen.synapse.crossbar.layer_load import LayerLoad, learnt_layers, passed_back
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad
from barkhausen.synapse.crossbar.overheads import overheads


def logic_machine(
    chip: Chip, layers: Sequence[LayerLoad], bits: int, work: Work, learning: LearningLoad, *, units: int
) -> Machine:
    """Digital logic.

    Args:
        chip: Chip, for its constants and memories.
        layers: Loads of the layers.
        bits: Bits of weights, activations and errors; 32 for floating point.
        work: What is computed in a step.
        learning: Precision and sparsity of a step, for integers.
        units: Number of multiply-add units.
    """
    floating = bits >= FULL
    if floating:
        chip = chip.with_words_of(FULL)
        learning = LearningLoad(latent_bits=FULL, optimiser_states=chip.gradient_memory.optimiser_states)
    else:
        learning = without_devices(learning).within(bits)
    constants, cycle = chip.constants, 1 / chip.constants.logic_clock.value
    synapses = sum(layer.synapses for layer in layers)
    single = (
        constants.multiply_add_area.value
        if floating
        else constants.integer_multiply_area.value + constants.integer_add_area.value
    )
    bit = constants.sram_area.value * chip.digital_area_factor
    area = {"multiply-add": units * single * chip.digital_area_factor, "weights": bits * synapses * bit}
    learnt = learnt_layers(layers)
    kept = sum(layer.synapses for layer in learnt) * stored_bits(chip, learning)
    training_area = area | {"gradient memory": kept * bit}
    cycles = [math.ceil(layer.multiply_adds / units) for layer in layers]
    gradient, back = (sum(math.ceil(x.multiply_adds / units) for x in some) for some in (learnt, passed_back(layers)))
    step_cycles = work.batch * (sum(cycles) + gradient + back)
    latency, step_time = cycle * sum(cycles), cycle * step_cycles
    moved = sum(layer.outputs * layer.uses for layer in layers)
    inference = inference_energy(chip, layers, bits)
    inference |= overheads(
        chip,
        inference,
        bits_moved=bits * moved,
        area=math.fsum(area.values()),
        stored_bits=bits * synapses,
        time=latency,
    )
    step = training_energy(chip, layers, work.batch, learning, bits)
    step |= overheads(
        chip,
        step,
        bits_moved=bits * work.batch * results_of_a_step(layers),
        area=math.fsum(training_area.values()),
        stored_bits=synapses * bits + kept,
        time=step_time,
    )
    return Machine(
        name=f"{'float32' if floating else f'int{bits}'} logic, {units} multiply-adds a cycle",
        area=area,
        inference=inference,
        latency=latency,
        interval=latency,
        training_area=training_area,
        step=step,
        step_time=step_time,
    )
