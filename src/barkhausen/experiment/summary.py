"""The summary of a run: counts, joules, accuracies and every assumption, as ``summary.json`` keeps them."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from barkhausen.core.provenance import commit, processor
from barkhausen.core.renamed import RECIPE_KEYS, SUMMARY_KEYS, renamed_keys
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.recipe.defaults import margin_of
from barkhausen.experiment.recipe.pulsed_device import USUAL_PULSED
from barkhausen.experiment.score import ACCURACY, Score
from barkhausen.learning import endurance, synapse_layers
from barkhausen.learning.rules.registry import PULSES
from barkhausen.micromagnetics import compiled
from barkhausen.synapse import EnergyBreakdown, Phase
from barkhausen.version import __version__

SCHEMA = 2
"""Version of the layout of ``summary.json``; :func:`upgraded` reads the earlier one."""

CAUSES_OF_SCHEMA_1 = {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}
"""Causes of energy that a summary of schema 1 has as ``<cause>_joule``, with their labels."""

LEARNING_ASSUMPTIONS = (
    "network topology, tolerance margin, learning rates and batch size are this recipe's, not the paper's",
    "normalisation and biases are digital and noise-free",
    "each programming attempt is followed by one verify read",
    "programming energy per trained sample and epoch = all of it, initial programming included / (training samples x "
    "epochs)",
)


def programming_counts(model: nn.Module) -> dict[str, Any]:
    """Events, attempts and failures of a model's arrays, in the layout of ``summary.json``."""
    by_layer: dict[str, dict[str, int]] = {}
    by_state: np.ndarray | None = None
    initial = training = 0
    for name, layer in synapse_layers(model):
        counters = layer.synapses.counters
        attempts = counters.attempts.cpu().numpy()
        failed = counters.failed.cpu().numpy()
        initial += int(attempts[Phase.INITIAL, :, 0].sum())
        training += int(attempts[Phase.TRAINING, :, 0].sum())
        by_layer[name] = {
            "synapses": layer.synapses.weight.numel(),
            "initial_events": int(attempts[Phase.INITIAL, :, 0].sum()),
            "training_events": int(attempts[Phase.TRAINING, :, 0].sum()),
            "attempts": int(attempts.sum()),
            "failed": int(failed.sum()),
        }
        rows = np.stack([attempts[:, :, 0].sum(axis=0), attempts.sum(axis=(0, 2)), failed.sum(axis=0)], axis=1)
        by_state = rows if by_state is None else by_state + rows
    states = [] if by_state is None else by_state.tolist()
    counted = [getattr(layer.synapses.counters, "reads", None) for _, layer in synapse_layers(model)]
    reads = [int(each.sum()) for each in counted if each is not None]
    return {
        "initial_events": initial,
        "training_events": training,
        "attempts": sum(layer["attempts"] for layer in by_layer.values()),
        "failed": sum(layer["failed"] for layer in by_layer.values()),
        **({"verify_reads": sum(reads)} if reads else {}),
        **_upkeep(model),
        "by_layer": by_layer,
        "by_state": {
            str(state): {"events": events, "attempts": attempts, "failed": failed}
            for state, (events, attempts, failed) in enumerate(states)
        },
    }


def _upkeep(model: nn.Module) -> dict[str, Any]:
    """Pulses and reads of devices that refresh or carry; empty where there are none."""
    counters = [layer.synapses.counters for _, layer in synapse_layers(model)]
    kept = [each for each in counters if getattr(each, "upkeep_reads", None) is not None]
    if not kept:
        return {}
    pulses = sum(int(each.upkeep_pulses.sum()) for each in kept)
    return {"upkeep": {"pulses": pulses, "reads": sum(int(each.upkeep_reads) for each in kept)}}


def writes_of_devices(model: nn.Module) -> dict[str, Any] | None:
    """Number of writes of single devices: mean, largest and histogram; None where devices do not count them."""
    if any(layer.synapses.writes is None for _, layer in synapse_layers(model)):
        return None
    histogram = endurance(model)
    number = np.arange(len(histogram))
    return {
        "mean": float(histogram @ number / histogram.sum()),
        "most": len(histogram) - 1,
        "devices_by_writes": {str(n): int(histogram[n]) for n in number[histogram > 0]},
    }


def mean_counts(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean of several counts of the same layout (one a chip); whole numbers stay whole."""

    def mean(items: list[Any]) -> Any:
        if isinstance(items[0], dict):
            return {key: mean([item[key] for item in items]) for key in items[0]}
        value = sum(items) / len(items)
        return int(value) if value == int(value) else value

    result: dict[str, Any] = mean(counts)
    return result


def energy_summary(breakdown: EnergyBreakdown, inferences: int) -> dict[str, Any]:
    """Programming energy in J: total, divided by training samples × epochs (``per_inference_joule``, as it was first
    called), and by cause."""
    return {
        "programming_joule": breakdown.total,
        "per_inference_joule": breakdown.total / inferences,
        "by_cause": dict(breakdown.by_cause),
        "labels": dict(breakdown.labels),
    }


def energy_of(summary: Mapping[str, Any]) -> EnergyBreakdown:
    """Programming energy of a summary by cause."""
    energy = upgraded(summary)["energy"]
    return EnergyBreakdown(energy["by_cause"], energy["labels"])


def upgraded(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary of any schema in the present layout.

    Schema 1 had ``fresh_chip_copy`` for ``unseen_chips``, energies as ``<cause>_joule``, and old keys in its recipe.
    """
    if summary.get("schema") != 1:
        return dict(summary)
    new = {SUMMARY_KEYS.get(key, key): value for key, value in summary.items()} | {"schema": SCHEMA}
    energy = summary.get("energy")
    if isinstance(energy, Mapping):
        causes = {cause: label for cause, label in CAUSES_OF_SCHEMA_1.items() if f"{cause}_joule" in energy}
        rest = {key: value for key, value in energy.items() if key.removesuffix("_joule") not in causes}
        by_cause = {cause: energy[f"{cause}_joule"] for cause in causes}
        new["energy"] = {**rest, "by_cause": by_cause, "labels": causes}
    if isinstance(summary.get("recipe"), Mapping):
        with warnings.catch_warnings():
            # The user did not write these keys and need not change them.
            warnings.simplefilter("ignore", DeprecationWarning)
            new["recipe"] = renamed_keys(summary["recipe"], RECIPE_KEYS)
    return new


def score_summary(score: Score, held_out: float, train: float, validating: bool) -> dict[str, Any]:
    """Accuracies of a run, or ``score`` with the values of another score.

    Args:
        score: Score of the task.
        held_out: Value on held-out samples.
        train: Value on training samples.
        validating: Whether the held-out samples are validation samples.
    """
    values = {"test": None if validating else held_out, "validation": held_out if validating else None, "train": train}
    accuracies = {f"{part}_accuracy": value if score == ACCURACY else None for part, value in values.items()}
    return accuracies if score == ACCURACY else {**accuracies, "score": {**score.summary(), **values}}


def spread(values: list[float]) -> dict[str, Any]:
    """Count, mean and sample standard deviation (zero for a single value), and the values themselves."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"count": len(values), "mean": float(np.mean(values)), "std": std, "values": list(values)}


def assumptions(device: CharacterisedDevice | None) -> list[str]:
    """Every assumption behind a run's numbers, a line each."""
    if device is None:
        return ["network topology, learning rate and batch size are this recipe's, not the paper's"]
    return [*LEARNING_ASSUMPTIONS, *device.assumed]


def _kernel() -> str:
    """Variant of the compiled micromagnetic kernel, or ``"torch"`` where it is not used."""
    try:
        return compiled.variant()
    except ValueError:  # not built, or the environment asks for another one
        return "torch"


def software() -> dict[str, Any]:
    """Versions, commit, kernel, processor and threads that decide whether two runs can be bit-identical."""
    return {
        "barkhausen": __version__,
        "commit": commit(),
        "kernel": _kernel(),
        "processor": processor(),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def device_summary(recipe: Recipe, device: CharacterisedDevice | None) -> dict[str, Any]:
    """Device of a run: where it is from, margin with its reason, and number of attempts."""
    if device is None:
        return {"source": "none", "file": None}
    rule = recipe.learning_rule
    summary: dict[str, Any] = {"source": device.source, "file": recipe.device.file}
    summary["margin"] = recipe.device.margin
    summary["margin_in_words"] = rule.margin.described(margin_of(recipe, device), device)
    programs = rule.programs_while_training
    summary["max_attempts"] = recipe.device.max_attempts if programs else recipe.transfer.max_attempts
    if rule.devices == PULSES:
        summary["pulsed"] = recipe.device.pulsed or USUAL_PULSED
    elif recipe.device.file is None:
        summary["preset"] = f"{recipe.device.preset}-{recipe.states}"
    if recipe.device.sigma is not None:
        summary["sigma"] = recipe.device.sigma
    return summary
