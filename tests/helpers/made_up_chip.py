"""What an inference on a chip tells, without a network: two layers on the default chip."""

from __future__ import annotations

from typing import Any

from barkhausen.experiment.chip.inference import ChipInference
from barkhausen.synapse.crossbar.chip import load_chip
from barkhausen.synapse.crossbar.costs import inference_costs, training_costs
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.energy import EnergyBreakdown

BATCH = 100


def summary_of_chip(*, training: bool = True, ideal: float = 0.9828, accuracy: float = 0.9791) -> dict[str, Any]:
    """A summary as ``barkhausen infer`` writes it."""
    chip = load_chip()
    layers = [
        LayerLoad(128, 784, 3e-6, 1e-3, name="first"),
        LayerLoad(10, 128, 3e-6, 2e-3, name="second"),
    ]
    programming = EnergyBreakdown({"sot": 1e-11, "gate": 1e-12, "read": 5e-12})
    return ChipInference(
        run="in-situ-5-seed0",
        ideal=ideal,
        accuracy=accuracy,
        tuned=None,
        costs=inference_costs(chip, layers, read_disturb=1e-12),
        training=training_costs(chip, layers, batch=BATCH, programming=programming) if training else None,
        batch=BATCH,
        inferences=0.0,
        moved=0.0,
        disturb="at most",
        chip=chip,
        assumed=[*chip.assumed(), "device.friction = 0.1 (default)"],
    ).summary()
