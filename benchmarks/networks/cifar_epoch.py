"""CPU-seconds of an epoch of CIFAR-10 on one thread, with and without what makes convolutions faster.

Measured in process time of a few steps on data of CIFAR-10's shape, the smallest of several steps, scaled to 50 000
images; each way in turn, so that all meet the same disturbances:

- order in memory: channels first or last;
- precision of products: float32 or bfloat16 (autocast), which needs a processor with avx512_bf16 or amx;
- torch.compile, where a compiler is found; the first step is not counted;
- float, in-situ and ex-situ training;
- augmentation alone.

    python benchmarks/networks/cifar_epoch.py  # the network of recipes/cifar10.toml
    python benchmarks/networks/cifar_epoch.py --channels 64 256 256  # that of cifar10-large
    python benchmarks/networks/cifar_epoch.py --vgg  # the VGG8 of dhull-2024
    python benchmarks/networks/cifar_epoch.py --append  # also appends to benchmarks/results/cifar_epoch.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from torch import nn

from barkhausen.core.provenance import commit, processor
from barkhausen.data import Dataset
from barkhausen.experiment.recipe import build_device, recipe_from
from barkhausen.experiment.training import Training
from barkhausen.learning.networks.images import Images

RESULTS = Path(__file__).parents[1] / "results" / "cifar_epoch.jsonl"
IMAGES = 50_000
VGG8 = [128, 128, "pool", 256, 256, "pool", 512, 512, "pool"]


class ChannelsFirst(nn.Module):
    """Rows of pixels as images with channels first in memory.

    Args:
        shape: Channels, rows and columns.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images."""
        return x.view(-1, *self.shape)


def random_images(samples: int) -> Dataset:
    """Random images of the shape of CIFAR-10."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((samples, 3072), generator=generator)
    labels = torch.randint(10, (samples,), generator=generator)
    return Dataset("random", "generated", inputs, labels, inputs[:10], labels[:10], (3, 32, 32), 10)


def training_of(arguments: argparse.Namespace, mode: str, *, lowered: bool, steps: int) -> Training:
    """A training as the recipes make it, of so many steps."""
    if arguments.vgg:
        network: dict[str, Any] = {"kind": "vgg", "hidden": [1024], "normalisation": "none"}
        network["options"] = {"layers": VGG8, "bias": False}
    else:
        network = {"kind": "airbench", "channels": arguments.channels, "activation": "gelu"}
    recipe = recipe_from(
        {
            "mode": mode,
            "epochs": 1,
            "batch_size": arguments.batch,
            "threads": 1,
            "autocast": "bfloat16" if lowered else "none",
            "dataset": {"name": "cifar10"},
            "network": network,
            "augment": {"flip": "alternating", "shift": 2},
            "loss": {"label_smoothing": 0.2},
            "optimizer": {"schedule": "one-cycle"},
        },
        "benchmark",
    )
    device = build_device(recipe) if recipe.learning_rule.on_devices else None
    return Training(recipe, random_images(steps * arguments.batch), device)


def ways(arguments: argparse.Namespace) -> dict[str, Callable[[], float]]:
    """Functions that train one step and return its CPU-seconds, by name."""
    found = {}
    for name, mode, last, lowered, compiled in (
        ("float, channels first, float32", "float", False, False, False),
        ("float, channels last, float32", "float", True, False, False),
        ("float, channels first, bfloat16", "float", False, True, False),
        ("float, channels last, bfloat16", "float", True, True, False),
        ("float, channels last, bfloat16, torch.compile", "float", True, True, True),
        ("in-situ, channels last, bfloat16", "in-situ", True, True, False),
        ("ex-situ, channels last, bfloat16", "ex-situ", True, True, False),
    ):
        if compiled and not arguments.compile:
            continue
        subject = training_of(arguments, mode, lowered=lowered, steps=1)
        if not last:
            subject.model.image = ChannelsFirst((3, 32, 32))
        assert last == isinstance(subject.model.image, Images)
        if compiled:
            subject.model = torch.compile(subject.model)  # type: ignore[assignment]
        found[name] = step_of(subject)
    found["augmentation alone"] = _augmentation_of(training_of(arguments, "float", lowered=False, steps=1))
    return found


def step_of(subject: Training) -> Callable[[], float]:
    """A function that trains one step and returns its CPU-seconds."""

    def step() -> float:
        subject.epoch = 0
        begin = time.process_time()
        subject.run_epoch()
        return time.process_time() - begin

    return step


def _augmentation_of(subject: Training) -> Callable[[], float]:
    augmenter = subject.augmenter
    assert augmenter is not None

    def step() -> float:
        begin = time.process_time()
        augmenter.apply(subject.inputs, augmenter.draws(0, subject.augmentation))
        return time.process_time() - begin

    return step


def main() -> None:
    """Print CPU-seconds of an epoch for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 128, 128])
    parser.add_argument("--vgg", action="store_true", help="the VGG8 of dhull-2024 instead")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5, help="steps of each way")
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--append", action="store_true", help="append to benchmarks/results/cifar_epoch.jsonl")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    steps = ways(arguments)
    for step in steps.values():
        step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            times[name].append(step())
    seconds = {name: min(values) * IMAGES / arguments.batch for name, values in times.items()}
    whole = seconds["float, channels first, float32"]
    network = "VGG8" if arguments.vgg else "-".join(map(str, arguments.channels))
    print(f"{network}, batch {arguments.batch}, one thread, {processor()}, torch {torch.__version__}")
    for name, value in seconds.items():
        print(f"{name:48s} {value:7.1f} CPU-s an epoch of 50 000 images, {whole / value:5.2f} times as fast")
    baseline = seconds["float, channels last, bfloat16"]
    for mode in ("in-situ", "ex-situ"):
        print(f"{mode} / float: {seconds[f'{mode}, channels last, bfloat16'] / baseline:.3f}")
    if arguments.append:
        row = {
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "processor": processor(),
            "torch": str(torch.__version__),
            "network": network,
            "batch": arguments.batch,
            "cpu_seconds_an_epoch": seconds,
        }
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
