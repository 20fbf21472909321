"""Energy of digital training and inference in floating point or in integers, the baselines beside the chip.

- multiply-add: in float32, or an integer multiplication and a 32-bit addition; in the forward pass, and in the backward
  pass of the layers after the first one that learns;
- weights: fetched from memory once for each pass over a batch. Integer weights are the upper bits of the latent weights
  and need no copy of their own;
- normalise: as on the chip; activations and errors in the same buffers, with as many bits as the weights;
- gradients, latent weights and optimiser of the layers that learn: as on the chip (:mod:`.learning_costs`). Where the
  rule of the chip keeps no latent weights, logic has those of the chip's gradient memory: its weights are nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_costs import buffer_energy
from barkhausen.synapse.crossbar.layer_load import LayerLoad, learnt_layers, passed_back
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad

BITS = 8
"""Bits of the integer baseline."""


def inference_energy(chip: Chip, layers: Sequence[LayerLoad], bits: int) -> dict[str, float]:
    """Energy in J of one inference, by cause, without overheads.

    Args:
        chip: Chip, for its constants and memories.
        layers: Loads of the layers.
        bits: Bits of weights and activations; 32 for floating point.
    """
    return _passes(chip, layers, sum(layer.outputs * layer.uses for layer in layers), bits)


def training_energy(
    chip: Chip, layers: Sequence[LayerLoad], batch: int, learning: LearningLoad, bits: int
) -> dict[str, float]:
    """Energy in J of one training step, by cause, without overheads.

    Args:
        chip: Chip, for its constants and memories.
        layers: Loads of the layers, in order.
        batch: Number of samples.
        learning: Precision and sparsity of gradients and latent weights.
        bits: Bits of weights, activations and errors; 32 for floating point.
    """
    passes = _passes(chip, [*layers, *passed_back(layers)], results_of_a_step(layers), bits, batch)
    return {**passes, **learning_energy(chip, learnt_layers(layers), batch, learning)}


def results_of_a_step(layers: Sequence[LayerLoad]) -> int:
    """Number of results of the forward and the backward pass of one sample."""
    return sum(x.outputs * x.uses for x in layers) + sum(x.inputs * x.uses for x in passed_back(layers))


def without_devices(learning: LearningLoad) -> LearningLoad:
    """Precision and sparsity of training in digital logic with the same rounding.

    There is no device to verify or to monitor, and no crossbar for gradients.
    """
    latent = learning.latent_bits or None
    return replace(
        learning, latent_bits=latent, verifications=0.0, reads=0.0, copy_bits=0.0, gradient_bits=FULL, second_arrays=0
    )


def _passes(chip: Chip, layers: Sequence[LayerLoad], results: int, bits: int, batch: int = 1) -> dict[str, float]:
    """Energy in J of passes through layers, a layer once for each pass."""
    multiply_add = chip.multiply_add if bits >= FULL else chip.integer_multiply(bits, bits) + chip.integer_add
    return {
        "multiply-add": batch * sum(layer.multiply_adds for layer in layers) * multiply_add,
        "weights": sum(layer.synapses for layer in layers) * chip.weight_word * bits / 32,
        "normalise": batch * results * (chip.multiply_add + chip.integer_add),
        "buffer": batch * math.fsum(buffer_energy(chip, layer, bits) for layer in layers),
    }
