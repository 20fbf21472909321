"""The whole energy of a training and of the inferences after it, by cause.

Energies of digital logic, memory, converters and wires are those of a chip (:mod:`barkhausen.synapse.crossbar.costs`),
those of programming are the device file's. A training on devices takes place on the chip. An ex-situ training takes
place in float32 logic of the same node, with gradients and latent weights of the bits of the recipe. Each chip is then
programmed once, so that the precursor's share of a chip depends on the number of chips.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor, nn

from barkhausen.experiment.energy.load import at_batch, digital_layers, layer_loads, learning_load, precursor_load
from barkhausen.experiment.energy.second_arrays import SecondArrays
from barkhausen.experiment.recipe import Recipe
from barkhausen.learning import programming_energy
from barkhausen.synapse import EnergyBreakdown, Phase
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.costs import inference_costs, training_costs
from barkhausen.synapse.crossbar.digital_layers import CAUSE, digital_inference, digital_step
from barkhausen.synapse.crossbar.layer_load import learnt_layers
from barkhausen.synapse.crossbar.learning_load import LearningLoad

CALIBRATION_SAMPLES = 200
CHIPS = 1000
"""Number of chips that share the training of one precursor, unless another is given."""
PROGRAMMING = "programming"
NO_SECOND_ARRAYS = SecondArrays()
PARTS = ("step", "initial", "inference", "float32_step", "float32_inference", "int8_step", "int8_inference")
"""Energies of an account by cause."""


@dataclass(frozen=True)
class LearningAccount:
    """Energies in J of a training and of an inference, by cause.

    Args:
        step: One training step.
        batch: Samples of a step.
        steps: Number of steps.
        samples: Training samples of one epoch.
        initial: Programming before the training; of an ex-situ training, that of one chip after it.
        inference: One inference on the chip.
        float32_step: One training step of the same network in float32 logic of the same node.
        float32_inference: One inference in float32 logic.
        int8_step: One training step in int8 logic with the precision and sparsity of the training; None for an account
            of a version that did not have it.
        int8_inference: One inference in int8 logic, or None.
        precursor: Whether the training was that of an ex-situ precursor in digital logic.
        step_time: Duration of a step in s, one layer and one sample after the other.
        learning: Precision, sparsity and reads of a step; None for a precursor of a version that did not count them.
        node: CMOS node in m.
        chips: Number of chips that share one training; 1 for a training on the chip itself.
    """

    step: EnergyBreakdown
    batch: int
    steps: int
    samples: int
    initial: EnergyBreakdown
    inference: EnergyBreakdown
    float32_step: EnergyBreakdown
    float32_inference: EnergyBreakdown
    step_time: float
    learning: LearningLoad | None
    node: float
    chips: int = 1
    int8_step: EnergyBreakdown | None = None
    int8_inference: EnergyBreakdown | None = None
    precursor: bool = False

    @property
    def sample(self) -> EnergyBreakdown:
        """One trained sample, once."""
        return self.step / self.batch

    @property
    def training(self) -> EnergyBreakdown:
        """The whole training, with the programming before or after it."""
        return self.step * self.steps + self.initial

    @property
    def chip(self) -> EnergyBreakdown:
        """One trained chip: its share of the training, and its programming."""
        return self.step * (self.steps / self.chips) + self.initial

    def summary(self) -> dict[str, Any]:
        """The account as a summary keeps it, in J and s."""
        parts = [name for name in PARTS if getattr(self, name) is not None]
        labels: dict[str, str] = {}
        for name in parts:
            labels |= dict(getattr(self, name).labels)
        return {
            "per_trained_sample_joule": self.sample.total,
            "training_joule": self.training.total,
            "per_chip_joule": self.chip.total,
            "per_inference_joule": self.inference.total,
            "float32_per_trained_sample_joule": self.float32_step.total / self.batch,
            "float32_per_inference_joule": self.float32_inference.total,
            **({} if self.int8_step is None else {"int8_per_trained_sample_joule": self.int8_step.total / self.batch}),
            **({} if self.int8_inference is None else {"int8_per_inference_joule": self.int8_inference.total}),
            **{name: dict(getattr(self, name).by_cause) for name in parts},
            "labels": labels,
            "batch": self.batch,
            "steps": self.steps,
            "samples": self.samples,
            "step_seconds": self.step_time,
            "learning": None if self.learning is None else asdict(self.learning),
            "node": self.node,
            "chips": self.chips,
            **({"precursor": True} if self.precursor else {}),
        }

    @classmethod
    def from_summary(cls, account: Mapping[str, Any]) -> LearningAccount:
        """The account that :meth:`summary` has written."""
        labels = account["labels"]
        energies = {
            name: EnergyBreakdown(account[name], {cause: labels[cause] for cause in account[name] if cause in labels})
            for name in PARTS
            if name in account
        }
        learning = account["learning"]
        return cls(
            **energies,
            batch=account["batch"],
            steps=account["steps"],
            samples=account["samples"],
            step_time=account["step_seconds"],
            learning=None if learning is None else LearningLoad(**learning),
            node=account["node"],
            chips=account["chips"],
            precursor=account.get("precursor", learning is None),
        )

    def of_chips(self, chips: int) -> LearningAccount:
        """The same with another number of chips that share one training."""
        return replace(self, chips=chips)


def account_of(
    model: nn.Module,
    recipe: Recipe,
    chip: Chip,
    inputs: Tensor,
    *,
    steps: int,
    samples: int,
    programmed: EnergyBreakdown | None = None,
    learning: LearningLoad | None = None,
    batch: int | None = None,
    second: SecondArrays = NO_SECOND_ARRAYS,
) -> LearningAccount:
    """The account of a training that is over.

    Args:
        model: Trained model, whose arrays have counted all programming.
        recipe: Recipe of the training.
        chip: Chip that the energies are for.
        inputs: Some training samples.
        steps: Number of steps.
        samples: Training samples of one epoch.
        programmed: Programming energy of one chip after an ex-situ training. None for a training on the chip.
        learning: Precision, sparsity and reads of a step. Default: as the layers have counted them.
        batch: Samples of a step, for an estimate (:func:`.at_batch`). Default: those of the recipe.
        second: Programming of arrays that the rule keeps beside those of the weights. Default: there are none.

    Raises:
        InputError: A layer cannot be mapped to tiles, or the batch is empty.
    """
    loads = layer_loads(model, chip, inputs[:CALIBRATION_SAMPLES])
    pair = chip.tile.devices_per_weight
    inference = inference_costs(chip, loads)
    if learning is None:
        learning = learning_load(model, recipe, steps) if programmed is None else precursor_load(model, recipe)
    made, batch = recipe.batch_size, recipe.batch_size if batch is None else batch
    if batch != made:
        learning = at_batch(learning, recipe, learnt_layers(loads), batch)
    costs = training_costs(chip, loads, batch=batch, learning=learning)
    digital = digital_layers(model, inputs)
    states = learning.words_in(chip.gradient_memory)[1]
    once = _digital(digital_inference(chip, digital))
    each = _digital(digital_step(chip, digital, batch, states))
    if programmed is None:
        trained = programming_energy(model, Phase.TRAINING) + second.of_phase(Phase.TRAINING)
        programming = trained * (pair / steps * batch / made)
        step = _without_programming(costs.energy) + programming
        initial = programming_energy(model, Phase.INITIAL) + second.of_phase(Phase.INITIAL)
    else:
        step, initial = EnergyBreakdown(dict(costs.precursor)), programmed
    return LearningAccount(
        step=step + each,
        batch=batch,
        steps=steps if batch == made else math.ceil(steps * made / batch),
        samples=samples,
        initial=initial * pair,
        inference=_without_programming(inference.energy) + once,
        float32_step=EnergyBreakdown(dict(costs.baseline)) + each,
        float32_inference=EnergyBreakdown(dict(inference.baseline)) + once,
        step_time=costs.latency,
        learning=learning,
        node=chip.digital.node,
        chips=1 if programmed is None else CHIPS,
        int8_step=EnergyBreakdown(dict(costs.int8)) + each,
        int8_inference=EnergyBreakdown(dict(inference.int8)) + once,
        precursor=programmed is not None,
    )


def _digital(joule: float) -> EnergyBreakdown:
    """Energy of digital layers, which are the same beside every kind of hardware; nothing where there are none."""
    return EnergyBreakdown({CAUSE: joule} if joule else {})


def _without_programming(energy: Mapping[str, float]) -> EnergyBreakdown:
    """Energies by cause; programming is added by the causes of the device."""
    return EnergyBreakdown({cause: joule for cause, joule in energy.items() if cause != PROGRAMMING})
