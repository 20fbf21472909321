"""Inference of a trained network on a crossbar chip: accuracy with wires, converters and noise, and total energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from barkhausen.core.errors import InputError, warn
from barkhausen.core.progress import Progress, display_of
from barkhausen.core.seeds import stream
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.chip.fine_tuning import fine_tune
from barkhausen.experiment.energy.load import learning_of, loads_of
from barkhausen.experiment.summary import energy_of, software
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import programming_energy, synapse_layers
from barkhausen.learning.layers.crossbar import CrossbarLayer, crossbar_layers, on_crossbar
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.costs import SystemCosts, disturb_per_read, inference_costs, training_costs
from barkhausen.synapse.drift import disturb

CALIBRATION_SAMPLES = 1000
ENOUGH_LEFT = 0.7


@dataclass(frozen=True)
class FineTuning:
    """Result of training on the chip."""

    epochs: int
    accuracy: float
    """Accuracy on the chip afterwards."""
    programming: EnergyBreakdown
    """Programming energy of the training."""
    samples: int
    """Number of training samples used."""


@dataclass(frozen=True)
class ChipInference:
    """Results of a trained network on a chip."""

    run: str
    ideal: float
    """Accuracy on held-out samples without wires, converters and noise."""
    accuracy: float
    """Accuracy on the chip before fine-tuning."""
    tuned: FineTuning | None
    costs: SystemCosts
    """Energy, time and area of one inference."""
    training: SystemCosts | None
    """Energy, time and area of one training step on this chip. None for a network that was not trained on its
    devices."""
    batch: int
    """Number of samples of a training step."""
    inferences: float
    """Number of inferences whose reads had disturbed the walls before the accuracy was measured."""
    moved: float
    """Fraction of walls that these reads had moved."""
    disturb: Literal["unknown", "at most", "at least"]
    """Reliability of the number of walls moved by reads. The device file's probability is for its own current density;
    a chip with a lower current density moves fewer."""
    chip: Chip
    assumed: list[str]

    def summary(self) -> dict[str, Any]:
        """Summary for a JSON file, with energies in J; those of ``training`` are for one sample."""
        tuned, training = self.tuned, self.training
        return {
            "run": self.run,
            "ideal_accuracy": self.ideal,
            "accuracy": self.accuracy,
            "fine_tuning": None
            if tuned is None
            else {
                "epochs": tuned.epochs,
                "accuracy": tuned.accuracy,
                "programming_joule": tuned.programming.total,
                "training_samples": tuned.samples,
            },
            **_energies(self.costs, 1),
            "training": None if training is None else {"batch_size": self.batch, **_energies(training, self.batch)},
            "latency_seconds": self.costs.latency,
            "interval_seconds": self.costs.interval,
            "area_square_metre": dict(self.costs.area),
            "walls_moved_by_reads": None if self.disturb == "unknown" else self.costs.disturbed,
            "walls_moved_by_reads_is": self.disturb,
            "disturbed_by": {"inferences": self.inferences, "share_of_walls_moved": self.moved},
            "chip": self.chip.model_dump(exclude={"constants"}),
            "constants": self.chip.constants.model_dump(),
            "assumed": self.assumed,
            "software": software(),
        }


def _energies(costs: SystemCosts, samples: int) -> dict[str, Any]:
    """Energies of one sample."""

    def share(energies: Mapping[str, float]) -> dict[str, float]:
        return {cause: joule / samples for cause, joule in energies.items()}

    return {
        "energy_joule": share(costs.energy),
        "total_joule": costs.total / samples,
        "float32_joule": share(costs.baseline),
        "float32_total_joule": costs.baseline_total / samples,
        "dominant": costs.dominant(),
    }


def infer_on_chip(
    run: Path,
    chip: Chip,
    *,
    number: int | None = None,
    fine_tuning_epochs: int = 0,
    inferences: float = 0.0,
    data_dir: Path | None = None,
    progress: Progress | bool | None = None,
) -> ChipInference:
    """Put the network of a finished run on a chip, and evaluate it.

    The ranges of the converters are set by the first 1000 training samples.

    Args:
        run: Directory of a finished run on devices.
        chip: Chip.
        number: Number of the fresh chip of devices, as in :func:`.load_trained`.
        fine_tuning_epochs: Number of epochs of training on the chip (:func:`.fine_tune`), after which the accuracy is
            measured again.
        inferences: Number of inferences whose reads disturb the walls before anything is measured
            (:func:`barkhausen.synapse.drift.disturb`).
        data_dir: Root of the data sets.
        progress: Progress display.

    Raises:
        InputError: The run is not finished or has no devices, or the chip cannot hold the network.
    """
    if fine_tuning_epochs < 0:
        raise InputError(f"fine-tuning of {fine_tuning_epochs} epochs: must be zero or positive")
    if not 0 <= inferences < float("inf"):
        raise InputError(f"after {inferences:g} inferences: must be zero or positive, and finite")
    trained = load_trained(run, number, data_dir)
    recipe, model = trained.recipe, trained.model
    dataset = recipe.dataset.load(data_dir)
    task = task_of(recipe, dataset, torch.device("cpu"))
    ideal = task.held_out_accuracy(model)
    # Chips of fresh devices have their own random streams.
    which = "" if trained.chip is None else f" of chip {trained.chip}"
    noise = stream(recipe.seed, f"read noise{which}")
    placed = on_crossbar(model, chip, task.inputs[:CALIBRATION_SAMPLES], noise)
    device = next(layer for _, layer in synapse_layers(model)).synapses.kind.device
    moved = _disturbed(placed, inferences, chip, stream(recipe.seed, f"read disturb{which}")) if inferences else 0.0
    accuracy = task.held_out_accuracy(placed)
    _warn_of_wires(placed, chip)
    loads = loads_of(model, placed)
    probability = _disturb_probability(device, chip)
    # The second device of a pair is programmed like the first, but to the opposite weight.
    devices = chip.tile.devices_per_weight
    training = None
    if recipe.learning_rule.programs_while_training:
        path = run / "summary.json"
        summary, checked = read_summary(path)
        if checked.steps is None:
            raise InputError(f"{path}: does not say how many steps the training had")
        breakdown = energy_of(summary) * (devices / checked.steps)
        training = training_costs(
            chip,
            loads,
            batch=recipe.batch_size,
            programming=breakdown,
            learning=learning_of(summary, recipe, model, checked.steps),
            read_disturb=probability,
        )
    tuned = None
    if fine_tuning_epochs:
        before = programming_energy(placed)
        steps = fine_tuning_epochs * -(-len(task.inputs) // recipe.batch_size)
        with display_of(progress).task(f"{run.name}: fine-tuning on the chip", total=steps) as advance:
            fine_tune(placed, recipe, dataset, fine_tuning_epochs, advance, purpose=f"fine-tuning{which} ")
        tuned = FineTuning(
            fine_tuning_epochs,
            task.held_out_accuracy(placed),
            (programming_energy(placed) - before) * devices,
            fine_tuning_epochs * len(task.inputs),
        )
    return ChipInference(
        run=run.name,
        ideal=ideal,
        accuracy=accuracy,
        tuned=tuned,
        costs=inference_costs(chip, loads, read_disturb=probability),
        training=training,
        batch=recipe.batch_size,
        inferences=inferences,
        moved=moved,
        disturb=_kind_of_disturb(device, chip),
        chip=chip,
        assumed=[*chip.assumed(), *_without_junction(device), *device.assumed],
    )


def _warn_of_wires(placed: nn.Module, chip: Chip) -> None:
    """Warn where the wires take much of what the devices of a tile contribute."""
    left = {name: _left_by_wires(layer) for name, layer in crossbar_layers(placed).items()}
    name = min(left, key=lambda each: left[each])
    if left[name] > ENOUGH_LEFT:
        return
    smallest = 1.0 / max(float(layer.tiles.conductances.max()) for layer in crossbar_layers(placed).values())
    warn(
        f"wires of {chip.wires.word_line:g} and {chip.wires.bit_line:g} ohm for each of {chip.tile.rows} x "
        f"{chip.tile.columns} crossings leave {100 * max(left[name], 0.0):.0f} % of the weights of {name}: its devices "
        f"have down to {smallest:.3g} ohm; raise junction.resistance_area, or use smaller tiles (tile.rows, "
        "tile.columns) or wires of less resistance (wires.word_line, wires.bit_line)"
    )


def _left_by_wires(layer: CrossbarLayer) -> float:
    """Projection of the weights that a layer has with its wires on those that its devices hold."""
    held = layer.matrix.double()
    return float((layer.effective.double() * held).sum() / held.square().sum())


def _without_junction(device: CharacterisedDevice) -> list[str]:
    if device.read_out.resistance_area is not None:
        return []
    return ["the devices have no tunnel junction: chip.junction does not apply, their conductances are the file's"]


def _disturb_probability(device: CharacterisedDevice, chip: Chip) -> float:
    """Disturb probability of one read with the file's own junction, averaged over states; an upper bound for a chip
    with higher RA."""
    if "read_disturb" not in device.data:
        return 0.0
    mean = float(np.nanmean(device.data["read_disturb"]))
    return disturb_per_read(mean, device.read_out.time, chip.sense.time)


def _kind_of_disturb(device: CharacterisedDevice, chip: Chip) -> Literal["unknown", "at most", "at least"]:
    if "read_disturb" not in device.data:
        return "unknown"
    read_out = device.read_out
    density = chip.read_voltage(read_out.voltage) * chip.conductance_factor(read_out.resistance_area)
    return "at most" if density <= read_out.voltage * (1 + 1e-9) else "at least"


def _disturbed(placed: nn.Module, inferences: float, chip: Chip, generator: torch.Generator) -> float:
    """Read the devices of all layers as often as a number of inferences does; return the fraction of walls that
    moved."""
    moved = devices = 0.0
    for layer in crossbar_layers(placed).values():
        array = layer.layer.synapses
        reads = inferences * layer.uses * chip.inputs.planes
        moved += array.weight.numel() * disturb(array, reads, chip.sense.time, generator)
        devices += array.weight.numel()
        layer.refresh()
    return moved / devices
