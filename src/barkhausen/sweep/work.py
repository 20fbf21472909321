"""What a task does, and the row that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
import torch

from barkhausen.core.files import atomic_write
from barkhausen.core.units import FEMTO, NANO, PICO
from barkhausen.device import CharacterisedDevice
from barkhausen.device.description import described
from barkhausen.experiment.characterise import characterise_to_file
from barkhausen.experiment.chip.inference import ChipInference, infer_on_chip
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import RECIPE, Run
from barkhausen.synapse.crossbar.chip import Chip

CAUSES: tuple[Literal["sot", "gate", "read"], ...] = ("sot", "gate", "read")
DEVICE_FILE = "device.nc"

Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What a finished task gives: its row, and the accuracy on each chip that a training measured."""

    row: Row
    chips: tuple[float, ...] = ()


def train(values: dict[str, Any], directory: Path, data_dir: Path | None) -> Work:
    """Train a network in the directory of a run, or go on with it there.

    Args:
        values: the resolved recipe.
        directory: of the run; whatever other run it holds is thrown away.
        data_dir: root of the data sets.
    """
    recipe = recipe_from(values, "task")
    held = directory / RECIPE
    # Same address, other text: the device file lies elsewhere now. Nobody else's run can be in here.
    other = held.exists() and held.read_text(encoding="utf-8") != recipe.to_toml()
    summary = Run(recipe, directory, data_dir=data_dir, overwrite=other).execute()
    measured = summary.get("fresh_chip_copy") or summary["chips"]
    return Work(training_row(summary), tuple(measured["values"]))


def training_row(summary: dict[str, Any]) -> Row:
    """Results of a run; accuracies are fractions, energies pJ per inference of training."""
    validating = summary["test_accuracy"] is None
    row: Row = {
        "states": summary["states"],
        "accuracy": summary["validation_accuracy"] if validating else summary["test_accuracy"],
        "measured_on": "validation" if validating else "test",
        "train_accuracy": summary["train_accuracy"],
        "chip_std": summary["chips"]["std"],
        "chips": summary["chips"]["count"],
        "fresh_chip_copy": summary.get("fresh_chip_copy", {}).get("mean"),
    }
    if summary["mode"] == "float":
        return row
    counts, energy = summary["programming"], summary["energy"]
    inferences = summary["dataset"]["train_samples"] * summary["epochs"]
    row["events_per_sample"] = (counts["initial_events"] + counts["training_events"]) / inferences
    row["attempts_per_sample"] = counts["attempts"] / inferences
    row["picojoule_per_inference"] = PICO * energy["per_inference_joule"]
    return row | {f"{cause}_picojoule": PICO * energy[f"{cause}_joule"] / inferences for cause in CAUSES}


def infer(
    chip: dict[str, Any], how: dict[str, Any], run: Path, *, threads: int | None = None, data_dir: Path | None
) -> Work:
    """Put the network of a finished run on a chip.

    Args:
        chip: the resolved chip.
        how: what is done with it: keyword arguments of :func:`.infer_on_chip`.
        run: directory of the run.
        threads: of torch; left as they are by default.
        data_dir: root of the data sets.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    return Work(inference_row(infer_on_chip(run, Chip.model_validate(chip), **how, data_dir=data_dir)))


def inference_row(found: ChipInference) -> Row:
    """Results on a chip: accuracies, pJ of one inference by cause and of one trained sample, and latency."""
    costs = found.costs
    row: Row = {"ideal_accuracy": found.ideal, "accuracy": found.accuracy, "system_picojoule": PICO * costs.total}
    if found.tuned is not None:
        row["tuned_accuracy"] = found.tuned.accuracy
    if found.training is not None:
        row["training_picojoule"] = PICO * found.training.total / found.batch
    row |= {cause_column(cause): PICO * joule for cause, joule in costs.energy.items()}
    return row | {"latency_nanoseconds": NANO * costs.latency}


def cause_column(cause: str) -> str:
    """Column of a cause of energy: ``device read`` is ``device_read_picojoule``."""
    return f"{cause.lower().replace(' ', '_')}_picojoule"


def characterise(given: dict[str, Any], directory: Path, threads: int) -> Work:
    """Characterise a device, or go on with it; device file and histories stand in the directory.

    Args:
        given: its parameters, without what is left at a default: the device file says which were assumed.
        directory: of the files.
        threads: of the compiled kernel.
    """
    source = directory / "device.toml"
    atomic_write(source, tomli_w.dumps(given))
    return Work(device_row(characterise_to_file(source, directory / DEVICE_FILE, threads=threads).device))


def device_row(device: CharacterisedDevice) -> Row:
    """Results of a characterisation.

    The smallest gap of neighbouring mean positions is a share of the range of mean positions; sigmas are means over
    states in weight units; energies are of one attempt, means over states.
    """
    mean, sigma_device, sigma_cycle = device.moments
    scale = 2.0 / (mean[-1] - mean[0])
    data = described(device).data
    overlaps = None
    if "overlap" in data:
        overlaps = data["overlap"].transpose("state", "other_state").values
        overlaps = overlaps[~np.eye(len(overlaps), dtype=bool)]
    return {
        "states": device.states,
        "information_bits": _number(data["mutual_information"].item()) if "mutual_information" in data else None,
        "smallest_gap": _number(np.diff(mean).min() / (mean[-1] - mean[0])),
        "worst_overlap": None if overlaps is None else _number(overlaps.max()),
        "mean_sigma_device": _number(scale * np.nanmean(sigma_device)),
        "mean_sigma_cycle": _number(scale * np.nanmean(sigma_cycle)),
        **{f"{cause}_femtojoule": _number(FEMTO * device.energy(cause).mean()) for cause in CAUSES},
    }


def _number(value: float) -> float | None:
    """As JSON can hold it."""
    return float(value) if np.isfinite(value) else None
