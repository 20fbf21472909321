"""A trained network on a crossbar chip: accuracy with its wires, converters and noise, and the whole energy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from barkhausen.experiment.datasets import load_dataset
from barkhausen.experiment.seeds import stream
from barkhausen.experiment.task import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import domain_wall_layers
from barkhausen.learning.crossbar_layer import crossbar_layers, on_crossbar
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.costs import SystemCosts, disturb_per_read, inference_costs

CALIBRATION_SAMPLES = 1000


@dataclass(frozen=True)
class ChipInference:
    """What a chip makes of a trained network."""

    ideal: float
    """Held-out accuracy with the devices' weights as they are."""
    accuracy: float
    """On the chip."""
    costs: SystemCosts
    assumed: list[str]

    def summary(self) -> dict[str, Any]:
        """For a JSON file."""
        costs = self.costs
        return {
            "ideal_accuracy": self.ideal,
            "accuracy": self.accuracy,
            "energy_joule": dict(costs.energy),
            "total_joule": costs.total,
            "float32_joule": dict(costs.baseline),
            "float32_total_joule": costs.baseline_total,
            "latency_seconds": costs.latency,
            "area_square_metre": dict(costs.area),
            "walls_moved_by_reads": costs.disturbed,
            "dominant": costs.dominant(),
            "assumed": self.assumed,
        }


def infer_on_chip(run: Path, chip: Chip, *, number: int | None = None, data_dir: Path | None = None) -> ChipInference:
    """Put the network of a finished run on a chip, and measure.

    The ranges of the converters are set by the first 1000 training samples.

    Args:
        run: directory of a finished run on devices.
        chip: the chip.
        number: of the fresh chip of devices, as :func:`.load_trained` takes it.
        data_dir: root of the data sets.

    Raises:
        InputError: the run is not finished or has no devices, or the chip cannot hold it.
    """
    trained = load_trained(run, number, data_dir)
    recipe = trained.recipe
    dataset = load_dataset(recipe.dataset.name, data_dir)
    if recipe.dataset.validation_samples:
        dataset = dataset.with_validation(recipe.dataset.validation_samples)
    task = task_of(recipe, dataset.standardised(), torch.device("cpu"))
    model = trained.model
    placed = on_crossbar(model, chip, task.inputs[:CALIBRATION_SAMPLES], stream(recipe.seed, "read noise"))
    loads = [layer.load(name) for name, layer in crossbar_layers(placed).items()]
    device = next(layer for _, layer in domain_wall_layers(model)).synapses.kind.device
    disturb = 0.0
    if "read_disturb" in device.data:
        mean = float(np.nanmean(device.data["read_disturb"]))
        disturb = disturb_per_read(mean, device.junction.read_time, chip.sense.time)
    return ChipInference(
        ideal=task.held_out_accuracy(model),
        accuracy=task.held_out_accuracy(placed),
        costs=inference_costs(chip, loads, read_disturb=disturb),
        assumed=[*chip.assumed(), *device.assumed],
    )
