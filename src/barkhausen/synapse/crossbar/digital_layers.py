"""Energy of the layers of a network that stay digital beside a chip, such as a first layer with fixed filters.

They compute in float32 logic of the chip's node, like the baseline (:mod:`.digital_logic`): multiply-adds, one fetch of
each weight for each pass over a batch, and activations in the buffers. A layer that is learnt has its gradient, latent
weights and optimiser there too; a fixed one has a forward pass alone. Their share of clocks is included. Errors are
propagated through learnt layers as through the first layer of a network: not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.digital_logic import inference_energy, training_energy
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad

CAUSE = "digital layers"
"""Name of this cause of energy."""


@dataclass(frozen=True)
class DigitalLayer:
    """A layer with a digital matrix.

    Args:
        load: Sizes and uses.
        learnt: Whether its weights are learnt.
    """

    load: LayerLoad
    learnt: bool


def digital_inference(chip: Chip, layers: Sequence[DigitalLayer]) -> float:
    """Energy in J of one inference."""
    parts = [inference_energy(chip, [layer.load], FULL) for layer in layers]
    return _with_clocks(chip, [joule for part in parts for joule in part.values()])


def digital_step(chip: Chip, layers: Sequence[DigitalLayer], batch: int, optimiser_states: int) -> float:
    """Energy in J of one training step.

    Args:
        chip: Chip, for its constants and memories.
        layers: Digital layers.
        batch: Number of samples.
        optimiser_states: Words of the optimiser for each weight.
    """
    floating = chip.with_words_of(FULL)
    learning = LearningLoad(latent_bits=FULL, optimiser_states=optimiser_states)
    joules: list[float] = []
    for layer in layers:
        if layer.learnt:
            joules += training_energy(floating, [layer.load], batch, learning, FULL).values()
        else:
            once = inference_energy(chip, [layer.load], FULL)
            # Its weights are fetched once for a batch.
            joules += [joule if cause == "weights" else batch * joule for cause, joule in once.items()]
    return _with_clocks(chip, joules)


def _with_clocks(chip: Chip, joules: Sequence[float]) -> float:
    return (1 + chip.constants.clock.value) * math.fsum(joules)
