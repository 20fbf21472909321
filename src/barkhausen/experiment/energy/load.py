"""What a training asked of its chip: reads, verifications, precision and sparsity, from counts and recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.experiment.optimisation.optimizers import OPTIMIZERS
from barkhausen.experiment.recipe import Recipe
from barkhausen.learning import SynapseLayer, on_crossbar, synapse_layers
from barkhausen.learning.layers.crossbar import crossbar_layers
from barkhausen.learning.networks.whitening import PatchWhitening
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.registry import PULSES
from barkhausen.synapse import Phase
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.digital_layers import DigitalLayer
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import FULL, LearningLoad
from barkhausen.synapse.crossbar.wires import IDEAL

HALVINGS = 8.0
"""Comparisons of every gradient that find the largest share of them."""


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
    return loads_of(model, placed)


def loads_of(model: nn.Module, placed: nn.Module) -> list[LayerLoad]:
    """Loads of all synapse layers.

    Args:
        model: Converted model, which says which layers learn.
        placed: The same on crossbars.
    """
    learn = {name: layer.latent_weight.requires_grad for name, layer in synapse_layers(model)}
    return [replace(layer.load(name), learnt=learn[name]) for name, layer in crossbar_layers(placed).items()]


@torch.no_grad()
def digital_layers(model: nn.Module, inputs: Tensor) -> list[DigitalLayer]:
    """Layers of a converted model whose matrices stay digital, in the order in which they are reached.

    Args:
        model: Converted model.
        inputs: A few samples.
    """
    found: list[DigitalLayer] = []

    def record(name: str, layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        matrix = layer.filters if isinstance(layer, PatchWhitening) else layer.weight
        assert isinstance(matrix, Tensor)
        uses = output[0, ..., 0].numel() if isinstance(layer, nn.Linear) else output[0, 0].numel()
        load = LayerLoad(matrix.shape[0], matrix[0].numel(), 0.0, 0.0, uses=uses, name=name)
        found.append(DigitalLayer(load, learnt=isinstance(matrix, nn.Parameter) and matrix.requires_grad))

    hooks = [
        module.register_forward_hook(partial(record, name))
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, PatchWhitening))
    ]
    training = model.training
    model.eval()
    try:
        if hooks:
            model(inputs[:1])
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return found


def learning_load(model: nn.Module, recipe: Recipe, steps: int) -> LearningLoad:
    """Precision, sparsity and reads of a mean step of a training that is over.

    Args:
        model: Trained model, whose layers have counted.
        recipe: Recipe of the training.
        steps: Number of steps.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    learnt = [layer for layer in layers if layer.latent_weight.requires_grad]
    monitoring = recipe.learning_rule.monitoring(recipe.rule, recipe.states)
    attempts = torch.stack([layer.synapses.counters.attempts[Phase.TRAINING].sum(0) for layer in layers]).sum(0)
    verified = int(attempts.sum())
    counted = [getattr(layer.synapses.counters, "reads", None) for layer in layers]
    if any(each is not None for each in counted):
        # A pulse is not verified by itself.
        verified = sum(int(each[Phase.TRAINING]) for each in counted if each is not None)
    elif not monitoring.verifies_last_attempt:
        verified -= int(attempts[-1])
    load = LearningLoad(
        **_formats(recipe, monitoring),
        products=_share(learnt, "products"),
        updates=_share(learnt, "updates"),
        verifications=verified / steps,
    )
    sizes = [(layer.latent_weight.shape[0], layer.latent_weight.numel()) for layer in learnt]
    load = _monitored(load, monitoring, sizes, events=int(attempts[0]) / steps)
    upkeep = sum(int(getattr(layer.synapses.counters, "upkeep_reads", 0)) for layer in layers)
    return replace(load, reads=load.reads + upkeep / steps)


def _monitored(
    load: LearningLoad, monitoring: Monitoring, sizes: Sequence[tuple[int, int]], events: float
) -> LearningLoad:
    """The load with the reads, copies and comparisons that its rule needs.

    Args:
        load: Load of a step without them.
        monitoring: What the rule reads and stores.
        sizes: Outputs and synapses of each layer that learns.
        events: Programming events of a step.
    """
    synapses = sum(size for _, size in sizes)
    words = monitoring.columns_per_step * sum(outputs for outputs, _ in sizes)
    # A device can only leave its state when its latent weight has changed.
    copies = monitoring.copy_reads_per_step * synapses * load.updates + monitoring.copy_writes_per_event * events
    return replace(
        load,
        reads=monitoring.reads_per_step * synapses + words,
        copy_bits=monitoring.copy_bits * copies + 2 * monitoring.column_bits * words,
        comparisons=load.comparisons + monitoring.comparisons_per_step + (words / synapses if synapses else 0.0),
    )


def precursor_load(model: nn.Module, recipe: Recipe) -> LearningLoad:
    """Precision and sparsity of a mean step of a precursor, which programs and reads no device.

    Args:
        model: Trained precursor, whose layers have counted.
        recipe: Recipe of the training.
    """
    layers = [layer for _, layer in synapse_layers(model)]
    formats = _formats(recipe, Monitoring())
    return LearningLoad(**formats, products=_share(layers, "products"), updates=_share(layers, "updates"))


def at_batch(load: LearningLoad, recipe: Recipe, layers: Sequence[LayerLoad], batch: int) -> LearningLoad:
    """The load of a step of another batch: an estimate, since the training was not repeated.

    Attempts of a sample, the share of the products that are not zero, and the share of the latent weights that a step
    changes are taken to stay.

    Args:
        load: Load of a step of the training.
        recipe: Recipe of the training.
        layers: Loads of the layers that learn.
        batch: Number of samples.
    """
    monitoring, ratio = recipe.learning_rule.monitoring(recipe.rule, recipe.states), batch / recipe.batch_size
    sizes = [(layer.outputs, layer.synapses) for layer in layers]
    read = min(_monitored(load, monitoring, sizes, events=0.0).copy_bits, load.copy_bits)
    return replace(load, verifications=ratio * load.verifications, copy_bits=read + ratio * (load.copy_bits - read))


def learning_of(summary: Mapping[str, Any], recipe: Recipe, model: nn.Module, steps: int) -> LearningLoad:
    """Precision, sparsity and reads of a mean step, as the summary of a run has them.

    For a summary of an earlier version they are those of its learning rule at the bits of its recipe; every attempt was
    verified, and every product and update was made. Earlier versions took every rule to keep latent weights: those of
    devices moved by pulses are counted anew.

    Args:
        summary: Summary of a run on devices.
        recipe: Recipe of the run.
        model: Its trained model.
        steps: Number of steps.
    """
    monitoring = recipe.learning_rule.monitoring(recipe.rule, recipe.states)
    account = summary.get("account")
    if account and account["learning"] is not None:
        if recipe.learning_rule.devices == PULSES and "second_arrays" not in account["learning"]:
            return learning_load(model, recipe, steps)
        return LearningLoad(**{"verify_bits": monitoring.verify_bits, **account["learning"]})
    if not recipe.learning_rule.programs_while_training:
        return LearningLoad(**_formats(recipe, Monitoring()))
    synapses = sum(layer.latent_weight.numel() for _, layer in synapse_layers(model))
    return LearningLoad(
        **_formats(recipe, monitoring),
        verifications=summary["programming"]["attempts"] / steps,
        reads=monitoring.reads_per_step * synapses,
    )


def _formats(recipe: Recipe, monitoring: Monitoring) -> dict[str, Any]:
    """Bits of gradients and latent weights, words of the optimiser, and bits of a verification."""
    precision = recipe.precision
    operand = monitoring.operand_bits or FULL
    latent = monitoring.latent_bits if precision.latent_bits >= FULL else precision.latent_bits
    return {
        "activation_bits": min(precision.activation_bits, operand),
        "error_bits": min(precision.error_bits, operand),
        "latent_bits": latent,
        "gradient_bits": precision.gradient_bits,
        # The largest share is found by halving an interval as often as a number of eight bits takes.
        "comparisons": (precision.update_threshold > 0) + (HALVINGS if precision.update_share < 1 else 0.0),
        "optimiser_states": OPTIMIZERS[recipe.optimizer.name].words(recipe.optimizer),
        "verify_bits": monitoring.verify_bits,
        "second_arrays": monitoring.second_arrays,
    }


def _share(layers: Sequence[SynapseLayer], what: str) -> float:
    """Share of products or updates that were made, where layers have counted them."""
    counted = [getattr(layer.low_precision, what) for layer in layers if layer.low_precision is not None]
    done, every = (float(sum(pair[place] for pair in counted)) for place in (0, 1))
    return done / every if every else 1.0
