"""A network with quantised weights on many chips of a device: accuracy of each, energy, time, area and memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Bool
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from barkhausen.core.config import Count, NotNegative, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.core.seeds import stream
from barkhausen.device import CharacterisedDevice
from barkhausen.device.technology import technology_from
from barkhausen.experiment.tasks import TASKS, task_of
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.trained import load_trained
from barkhausen.learning.chips import outputs_of
from barkhausen.learning.layers.base import replace_modules
from barkhausen.learning.layers.mapped import MappedLinear
from barkhausen.learning.layers.quantised import QuantisedLayer, quantised_layers
from barkhausen.learning.networks.registry import CLASSES
from barkhausen.synapse import EnergyBreakdown, WriteVerify
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.costs import SystemCosts, inference_costs

CALIBRATION_SAMPLES = 1000
AT_ONCE = 5
"""Chips in one tensor."""
SAMPLES = 100
"""Samples of each of these chips in one pass: what lies between two layers then stays in the cache."""
FLOAT_BITS = 32
MAPPING = "mapping"
"""Table of the keys of a mapping among the settings and values of a task."""


class Mapping(StrictParameters):
    """The table ``[mapping]``: device and programming of the chips."""

    model_config = ConfigDict(allow_inf_nan=False)

    device: str = "oxram-2"
    """Device: a declared device of the package, or a parameter file that declares one."""
    spread: Annotated[NotNegative, Field(le=100)] = 1.0
    """Factor on all standard deviations of the device."""
    chips: Annotated[Count, Field(le=10_000)] = 50
    samples: Count | None = None
    """Held-out samples that each chip is measured on, in turn, so that all are used. The accuracy of a chip is then
    that of software on all samples, plus the difference of chip and software on its own. Default: all samples."""
    margin: NotNegative = 0.0
    """Tolerance margin of write-verify in weight units."""
    max_attempts: Count = 1
    """Programming attempts of a device; 1: what the first gives is accepted."""


@dataclass(frozen=True)
class MappedNetwork:
    """Results of a network on many chips.

    Attributes:
        software: Accuracy of the network with its quantised weights in software, without devices and converters.
        chips: Accuracy on each chip.
        validating: Whether both were measured on validation samples.
        costs: Energy, time and area of one inference.
        programming: Energy of programming one chip.
        weights: Number of weights.
        biases: Number of biases and other numbers that stay in float32.
        states: Number of states of a weight.
    """

    software: float
    chips: tuple[float, ...]
    validating: bool
    costs: SystemCosts | None = None
    programming: EnergyBreakdown = field(default_factory=EnergyBreakdown)
    weights: int = 0
    biases: int = 0
    states: int = 2

    @property
    def bits(self) -> int:
        """Bits of a weight in a memory."""
        return math.ceil(math.log2(self.states))

    @property
    def memory_saved(self) -> float:
        """Memory of the weights in float32 over that of their states."""
        return FLOAT_BITS / self.bits

    @property
    def whole_memory_saved(self) -> float:
        """The same with biases and scales, which stay in float32."""
        rest = FLOAT_BITS * self.biases
        return (FLOAT_BITS * self.weights + rest) / (self.bits * self.weights + rest)


def device_of(parameters: dict[str, Any], spread: float) -> CharacterisedDevice:
    """The device that parameters declare.

    Args:
        parameters: Content of a parameter file.
        spread: Factor on its standard deviations, on top of its own.

    Raises:
        InputError: They declare none.
    """
    values = {**parameters, "spread": spread * parameters.get("spread", 1.0)}
    entry, given = technology_from(values, origin="mapping.device")
    if entry.declare is None:
        raise InputError(f"mapping.device: a {entry.label} is not declared by parameters")
    device: CharacterisedDevice = entry.declare(given)
    return device


def map_to_chips(
    run: Path, device: CharacterisedDevice, chip: Chip, how: Mapping, data_dir: Path | None = None
) -> MappedNetwork:
    """Map the network of a finished run to chips of fresh devices, and evaluate it on each.

    A network whose weights are not quantised is not mapped: its accuracy is the one beside which others stand.

    Args:
        run: Directory of the run.
        device: Device of the chips.
        chip: Chip without resistance of wires and noise of reads.
        how: Number of chips, and how they are programmed.
        data_dir: Root of the data sets.

    Raises:
        InputError: The run is not finished, its network cannot be mapped, or the device does not fit it.
    """
    trained = load_trained(run, None, data_dir)
    recipe, model = trained.recipe, trained.model
    task = task_of(recipe, recipe.dataset.load(data_dir), torch.device("cpu"))
    validating = recipe.dataset.validation_samples > 0
    software = task.held_out_accuracy(model)
    named = dict(quantised_layers(model))
    if not named:
        return MappedNetwork(software, (), validating)
    _check_classes(task, model)
    right = _right(model, task)
    mapped = _mapped(model, named, device, chip, task.inputs[:CALIBRATION_SAMPLES])
    write = WriteVerify(how.margin, how.max_attempts)
    accuracies: list[float] = []
    # Without any spread all chips are one.
    groups, together = (-(-how.chips // AT_ONCE), AT_ONCE) if any(map(np.any, device.moments[1:])) else (1, 1)
    for group in range(groups):
        # A chip is the same however many there are.
        generator = stream(recipe.seed, f"mapped chips {group}")
        for layer in mapped.values():
            layer.program(together, write, generator)
        block = _block(len(right), how.samples if groups > 1 else None, group)
        accuracies += [software + change for change in _changes(model, task, together, block, right)]
    accuracies = accuracies if groups * together > 1 else accuracies * how.chips
    programming = sum((layer.energy for layer in mapped.values()), EnergyBreakdown())
    weights = sum(layer.state.numel() for layer in mapped.values())
    return MappedNetwork(
        software=software,
        chips=tuple(accuracies[: how.chips]),
        validating=validating,
        costs=inference_costs(chip, [layer.load(name) for name, layer in mapped.items()]),
        programming=programming,
        weights=weights,
        biases=sum(p.numel() for p in model.parameters())
        + sum(0 if layer.bias is None else layer.bias.numel() for layer in mapped.values())
        + len(mapped),
        states=device.states,
    )


def _mapped(
    model: nn.Module,
    named: dict[str, QuantisedLayer],
    device: CharacterisedDevice,
    chip: Chip,
    calibration: Tensor,
) -> dict[str, MappedLinear]:
    """Replace quantised layers by mapped ones, with the inputs that they have in software for calibration."""
    seen: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[layer] = inputs[0].detach()

    hooks = [layer.register_forward_pre_hook(keep) for layer in named.values()]
    with torch.no_grad():
        model(calibration)
    for hook in hooks:
        hook.remove()
    made = {name: MappedLinear(layer, device, chip, seen[layer]) for name, layer in named.items()}
    replace_modules(model, {named[name]: layer for name, layer in made.items()})
    return made


@torch.no_grad()
def _right(model: nn.Module, task: Task) -> Bool[Tensor, " sample"]:
    """Whether software classifies each held-out sample correctly."""
    return outputs_of(model, task.test_inputs).argmax(1) == task.test_labels


def _block(held_out: int, samples: int | None, group: int) -> slice:
    """Held-out samples of a group of chips: equal shares of all, in turn."""
    blocks = 1 if samples is None else -(-held_out // samples)
    number = group % blocks
    return slice(number * held_out // blocks, (number + 1) * held_out // blocks)


@torch.no_grad()
def _changes(model: nn.Module, task: Task, chips: int, block: slice, right: Bool[Tensor, " sample"]) -> list[float]:
    """Share of the samples of a block that each of the chips classifies correctly, less that of software."""
    correct = torch.zeros(chips, dtype=torch.int64)
    labels_of_block = task.test_labels[block]
    for inputs, labels in zip(task.test_inputs[block].split(SAMPLES), labels_of_block.split(SAMPLES), strict=True):
        output = model(inputs.repeat(chips, 1)).view(chips, len(labels), -1)
        correct += (output.argmax(2) == labels).sum(1)
    software = int(right[block].sum())
    return [(int(count) - software) / len(labels_of_block) for count in correct]


def _check_classes(task: Task, model: nn.Module) -> None:
    if TASKS.named(task.dataset.task).output != CLASSES:
        raise InputError(f"{task.dataset.name}: only networks that classify are mapped to many chips")
    if not isinstance(model, nn.Sequential):
        raise InputError("many chips at once need a network of layers one after the other")
