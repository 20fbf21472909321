"""What a training asked of its chip: reads, verifications, precision and sparsity, from counts and recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.experiment.optimisation.optimizers import OPTIMIZERS
from barkhausen.experiment.recipe import Recipe
from barkhausen.learning import SynapseLayer, on_crossbar, synapse_layers
from barkhausen.learning.layers.crossbar import crossbar_layers
from barkhausen.synapse import Phase
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad
from barkhausen.synapse.crossbar.wires import IDEAL


def layer_loads(model: nn.Module, chip: Chip, inputs: Tensor) -> list[LayerLoad]:
    """Loads of all synapse layers, measured on training samples.

    Wires are left out: energies neglect the voltage lost along them anyway.

    Args:
        model: Converted model.
        chip: Chip.
        inputs: Training samples.

    Raises:
        InputError: A layer cannot be mapped to tiles.
    """
    wires = chip.wires.model_copy(update={"word_line": IDEAL.word_line, "bit_line": IDEAL.bit_line})
    noise = chip.noise.model_copy(update={"factor": 0.0, "spread": 0.0})
    placed = on_crossbar(model, chip.model_copy(update={"wires": wires, "noise": noise}), inputs)
    return [layer.load(name) for name, layer in crossbar_layers(placed).items()]


def learning_load(model: nn.Module, recipe: Recipe, steps: int) -> LearningLoad:
    """Precision, sparsity and reads of a mean step of a training that is over.

    Args:
        model: Trained model, whose layers have counted.
        recipe: Recipe of the training.
        steps: Number of steps.
    """
    rule = recipe.learning_rule
    layers = [layer for _, layer in synapse_layers(model)]
    synapses = sum(layer.latent_weight.numel() for layer in layers)
    monitoring = rule.monitoring(recipe.rule, recipe.states)
    attempts = torch.stack([layer.synapses.counters.attempts[Phase.TRAINING].sum(0) for layer in layers]).sum(0)
    verified = int(attempts.sum())
    events = int(attempts[0])
    if not monitoring.verifies_last_attempt:
        verified -= int(attempts[-1])
    products, updates = _share(layers, "products"), _share(layers, "updates")
    copies = monitoring.copy_bits * (
        # A device can only leave its state when its latent weight has changed.
        monitoring.copy_reads_per_step * synapses * updates + monitoring.copy_writes_per_event * events / steps
    )
    return LearningLoad(
        activation_bits=recipe.precision.activation_bits,
        error_bits=recipe.precision.error_bits,
        latent_bits=None if recipe.precision.latent_bits >= FULL else recipe.precision.latent_bits,
        optimiser_states=OPTIMIZERS[recipe.optimizer.name].words(recipe.optimizer),
        products=products,
        updates=updates,
        verifications=verified / steps,
        reads=monitoring.reads_per_step * synapses,
        copy_bits=copies,
    )


def learning_of(summary: Mapping[str, Any], recipe: Recipe, synapses: int, steps: int) -> LearningLoad:
    """Precision, sparsity and reads of a mean step, as the summary of a run has them.

    For a summary of an earlier version they are those of its learning rule at full precision; every attempt was
    verified.

    Args:
        summary: Summary of a run on devices.
        recipe: Recipe of the run.
        synapses: Number of synapses.
        steps: Number of steps.
    """
    account = summary.get("account")
    if account and account["learning"] is not None:
        return LearningLoad(**account["learning"])
    monitoring = recipe.learning_rule.monitoring(recipe.rule, recipe.states)
    return LearningLoad(
        optimiser_states=OPTIMIZERS[recipe.optimizer.name].words(recipe.optimizer),
        verifications=summary["programming"]["attempts"] / steps,
        reads=monitoring.reads_per_step * synapses,
    )


def _share(layers: Sequence[SynapseLayer], what: str) -> float:
    """Share of products or updates that were made, where layers have counted them."""
    counted = [getattr(layer.low_precision, what) for layer in layers if layer.low_precision is not None]
    done, every = (float(sum(pair[place] for pair in counted)) for place in (0, 1))
    return done / every if every else 1.0
