"""Accuracy of a trained network after waiting, and with faulty devices.

    python examples/faults_and_time.py RUN [SECONDS …]

RUN is the directory of a finished run on devices (``barkhausen train … --out RUN``). Prints the test accuracy of its
network after waiting, at four temperatures, and the accuracy on unseen chips on which devices are stuck or programming
annihilates walls. SECONDS are the waiting times; without them a day to ten years. For a volatile device:

    python examples/faults_and_time.py RUN 1e-6 1e-5 1e-4 1e-3 1e-2
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from pathlib import Path

import torch
from torch import nn

from barkhausen.data import load_dataset
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import evaluate, synapse_layers, transfer, wait
from barkhausen.synapse import Faults
from barkhausen.synapse.escape import escape_of

REPEATS = 5
DAY = 86400.0
TIMES = (DAY, 30 * DAY, 365.25 * DAY, 3652.5 * DAY)
TEMPERATURES = (300.0, 330.0, 358.0, 398.0)
FAULTS = {
    "none": Faults(),
    "1 % stuck": Faults(stuck=0.01),
    "5 % stuck": Faults(stuck=0.05),
    "20 % stuck": Faults(stuck=0.2),
    "5 % of attempts annihilate the wall": Faults(annihilated_walls=0.05),
}


def with_faults(model: nn.Module, faults: Faults) -> nn.Module:
    """A copy whose unseen chips will have these faults."""
    model = copy.deepcopy(model)
    for _, layer in synapse_layers(model):
        kind = layer.synapses.kind
        layer.synapses.kind = dataclasses.replace(kind, write=kind.write.changed(faults=faults))
    return model


def main() -> None:
    """Print both tables."""
    trained = load_trained(Path(sys.argv[1]))
    data = load_dataset(trained.recipe.dataset.name).standardised()

    def percent(networks: list[nn.Module]) -> str:
        values = 100 * evaluate(networks, data.test_inputs, data.test_labels)
        return f"{values.mean():.2f} ± {values.std(ddof=1) if len(values) > 1 else 0.0:.2f}"

    print(f"as trained: {percent([trained.model])} %")
    print(
        "\n| waiting time | "
        + " | ".join(f"{t:g} K" for t in TEMPERATURES)
        + " |\n| --- |"
        + " --- |" * len(TEMPERATURES)
    )
    device = next(layer for _, layer in synapse_layers(trained.model)).synapses.kind.device
    escapes = [escape_of(device, temperature) for temperature in TEMPERATURES]
    for seconds in [float(text) for text in sys.argv[2:]] or TIMES:
        row = []
        for escape in escapes:
            generators = [torch.Generator().manual_seed(seed) for seed in range(REPEATS)]
            aged = [wait(copy.deepcopy(trained.model), seconds, escape=escape, generator=g) for g in generators]
            row.append(percent(aged))
        print(f"| {seconds:g} s | " + " | ".join(row) + " |", flush=True)
    print("\n| unseen chips, 5 attempts of write-verify | accuracy (%) |\n| --- | --- |")
    for name, faults in FAULTS.items():
        chips = transfer(with_faults(trained.model, faults), chips=REPEATS, margin=0.2, max_attempts=5)
        print(f"| {name} | {percent(list(chips))} |", flush=True)


if __name__ == "__main__":
    main()
