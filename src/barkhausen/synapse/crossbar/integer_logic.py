"""Energy of digital training and inference in 8-bit integers, the strict baseline beside float32 logic.

- multiply-add: an 8-bit multiplication and a 32-bit addition, in the forward pass and in the backward pass of all
  layers but the first;
- weights: 8 bits of each, fetched from memory once for each pass over a batch. They are the upper bits of the latent
  weights and need no copy of their own;
- normalise: as on the chip; activations and errors of 8 bits in the same buffers;
- gradients, latent weights and optimiser: as on the chip, with the same precision and sparsity
  (:mod:`.learning_costs`). Operands of the gradient have 8 bits or fewer, since the passes have none of more. There is
  no device to verify or to monitor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_costs import buffer_energy
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad

BITS = 8


def int8_inference(chip: Chip, layers: Sequence[LayerLoad]) -> dict[str, float]:
    """Energy in J of one inference, by cause, without overheads."""
    return {
        "multiply-add": sum(layer.multiply_adds for layer in layers) * _multiply_add(chip),
        "weights": sum(layer.synapses for layer in layers) * _weight(chip),
        "normalise": sum(layer.outputs * layer.uses for layer in layers) * (chip.multiply_add + chip.integer_add),
        "buffer": math.fsum(buffer_energy(chip, layer, BITS) for layer in layers),
    }


def int8_training(chip: Chip, layers: Sequence[LayerLoad], batch: int, learning: LearningLoad) -> dict[str, float]:
    """Energy in J of one training step, by cause, without overheads.

    Args:
        chip: Chip, for its constants and memories.
        layers: Loads of the layers, in order.
        batch: Number of samples.
        learning: Precision and sparsity; reads of devices are left out.
    """
    passes = [*layers, *layers[1:]]
    results = sum(x.outputs * x.uses for x in layers) + sum(x.inputs * x.uses for x in layers[1:])
    return {
        "multiply-add": batch * sum(layer.multiply_adds for layer in passes) * _multiply_add(chip),
        "weights": sum(layer.synapses for layer in passes) * _weight(chip),
        "normalise": batch * results * (chip.multiply_add + chip.integer_add),
        "buffer": batch * math.fsum(buffer_energy(chip, layer, BITS) for layer in passes),
        **learning_energy(chip, layers, batch, without_devices(learning)),
    }


def without_devices(learning: LearningLoad) -> LearningLoad:
    """Precision and sparsity of digital training in 8-bit integers with the same rounding."""
    return replace(
        learning,
        activation_bits=min(learning.activation_bits, BITS),
        error_bits=min(learning.error_bits, BITS),
        verifications=0.0,
        reads=0.0,
        copy_bits=0.0,
    )


def _multiply_add(chip: Chip) -> float:
    return chip.integer_multiply(BITS, BITS) + chip.integer_add


def _weight(chip: Chip) -> float:
    return chip.word("dram" if chip.digital.weights == "dram" else "1MB") * BITS / 32
