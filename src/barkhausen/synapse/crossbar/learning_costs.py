"""Energy of the digital part of one training step: gradients, latent weights and what the learning rule must know.

- gradient: a multiply-add for each synapse, use and sample whose factors are not zero: in floating point, or an integer
  multiplication (which goes with the product of both numbers of bits) and an addition as wide as the sum;
- gradient sums: the register of every sum is written once for each product, taken to cost as much as the addition;
- gradient operands: inputs and errors of the whole batch are kept until its end, since a synapse's sum runs over the
  batch: each is written once, and read once for every ``gradient_unit.lanes`` synapses that share it;
- these three on a crossbar instead: :mod:`.outer_product`;
- latent weights: one read and one write of every latent weight that changes; nothing where the rule keeps none;
- optimiser memory: one read and one write of every word of the optimiser;
- update: a multiply-add for every latent weight and for every word of the optimiser; with integer latent weights a
  multiplication by the rate, a random number and a comparison of their width; without a latent weight the same, in
  floating point where the gradient is, since it is rounded to pulses at random; one 32-bit addition for each
  comparison that decides whether a gradient is used or a device gets a pulse;
- verify: after every programming attempt two decisions of a comparator (above the lower and below the upper limit), or
  one conversion (``verify.converter``, or where the rule keeps a number of more than one bit). The read itself is among
  the energies of the device;
- monitoring: reads of single devices that the rule needs, each with its share of row and converter, and the digital
  copy of weights that it keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad
from barkhausen.synapse.crossbar.outer_product import outer_product_energy

RATE_BITS = 16
"""Bits of the learning rate and of the random numbers of an integer update."""


def learning_energy(chip: Chip, layers: Sequence[LayerLoad], batch: int, load: LearningLoad) -> dict[str, float]:
    """Energy in J of one step, by cause.

    Args:
        chip: Chip.
        layers: Loads of the layers.
        batch: Number of samples.
        load: Precision, sparsity and reads.
    """
    synapses = sum(layer.synapses for layer in layers)
    memory = chip.gradient_memory
    latent_bits, states = load.words_in(memory)
    words = chip.word(memory.bank) / 32
    on_crossbar = load.gradient_bits < FULL
    floating = load.in_floating_point and not latent_bits
    update = synapses * _of_update(chip, states, latent_bits, floating=floating)
    return {
        **(outer_product_energy if on_crossbar else _digital_products)(chip, layers, batch, load),
        "latent weights": 2 * synapses * load.updates * words * latent_bits,
        "optimiser memory": 2 * synapses * states * words * memory.bits,
        "update": update + load.comparisons * synapses * chip.integer_add,
        "verify": load.verifications * chip.verify_energy(load.verify_bits),
        "monitoring": load.reads * _of_read(chip, layers) + load.copy_bits * chip.word(memory.bank) / 32,
    }


def _digital_products(chip: Chip, layers: Sequence[LayerLoad], batch: int, load: LearningLoad) -> dict[str, float]:
    """Energy in J of products, sums and operands of the gradient in digital logic."""
    products = load.products * batch * sum(layer.multiply_adds for layer in layers)
    synapses = sum(layer.synapses for layer in layers)
    sums = sum(_of_sum(chip, layer, batch, load) * layer.synapses for layer in layers) / synapses
    return {
        "gradient": products * (_of_product(chip, load) + (0.0 if load.in_floating_point else sums)),
        "gradient sums": products * sums,
        "gradient operands": math.fsum(_operands(chip, layer, batch, load) for layer in layers),
    }


def _of_product(chip: Chip, load: LearningLoad) -> float:
    """Energy in J of one product of the gradient without its addition, or with it in floating point."""
    if load.in_floating_point:
        return chip.float_add if load.ternary else chip.multiply_add
    return 0.0 if load.ternary else chip.integer_multiply(load.activation_bits, load.error_bits)


def _of_sum(chip: Chip, layer: LayerLoad, batch: int, load: LearningLoad) -> float:
    """Energy in J of one integer addition as wide as the sum over the batch."""
    return chip.integer_add * load.accumulator_bits(batch * layer.uses) / 32


def _operands(chip: Chip, layer: LayerLoad, batch: int, load: LearningLoad) -> float:
    unit = chip.gradient_unit
    word = chip.word(unit.bank) / 32
    inputs = layer.inputs * load.activation_bits * (1 + math.ceil(layer.outputs / unit.lanes))
    errors = layer.outputs * load.error_bits * (1 + math.ceil(layer.inputs / unit.lanes))
    return batch * layer.uses * word * (inputs + errors)


def _of_update(chip: Chip, states: int, latent_bits: int, *, floating: bool) -> float:
    """Energy in J of the update of one synapse, whether or not it changes.

    Args:
        chip: Chip.
        states: Words of the optimiser for each synapse.
        latent_bits: Bits of a latent weight; 0: the update becomes pulses at once.
        floating: Whether it becomes pulses as a floating-point number.
    """
    if latent_bits >= FULL:
        return (1 + states) * chip.multiply_add
    # A linear-feedback register for the random number costs about one addition.
    add = chip.integer_add * RATE_BITS / 32
    if floating:
        return (1 + states) * chip.multiply_add + add
    return chip.integer_multiply(RATE_BITS, RATE_BITS) + 2 * add + states * chip.multiply_add


def _of_read(chip: Chip, layers: Sequence[LayerLoad]) -> float:
    """Energy in J of reading one device: a row is driven at full voltage, and all its outputs are converted."""
    siemens = sum(layer.mean_conductance * layer.synapses for layer in layers)
    full = max((layer.full_voltage for layer in layers), default=0.0) ** 2
    synapses = sum(layer.synapses for layer in layers)
    rows = sum(layer.inputs * chip.tile.blocks(layer.outputs, layer.inputs)[1] for layer in layers)
    row = chip.drive_energy + chip.tile.columns * chip.constants.wire_capacitance.value * full
    device = chip.tile.devices_per_weight * full * chip.sense.time * siemens / synapses
    return device + row * rows / synapses + chip.conversion_energy
