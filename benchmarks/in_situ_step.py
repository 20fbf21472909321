"""Claim: an in-situ epoch takes at most 1.6 times the float twin's, in at most 1.5 times the memory.

The default network (784-256-128-64-10, batch 100) on random data of MNIST's shape, the same fused Adam for both.
Time: both in this process, blocks of steps in turn (A B A B …), medians over the blocks after a warm-up, and the
ratio pair by pair. Events happen as in real training of the same age, because the labels can be learnt.
Memory: peak resident size of two fresh processes that train one epoch each, above that of a process that holds
the same data and libraries and does not train.

    python benchmarks/in_situ_step.py [--states 5] [--blocks 41] [--steps 50]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch

from barkhausen.experiment.datasets import Dataset
from barkhausen.experiment.recipe import Recipe, build_device
from barkhausen.experiment.training import Training

SAMPLES = 60_000


def random_mnist() -> Dataset:
    """Random inputs of MNIST's shape whose labels a linear map decides."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand((SAMPLES, 784), generator=generator)
    labels = (inputs - 0.5) @ torch.randn((784, 10), generator=generator)
    labels = labels.argmax(dim=1)
    return Dataset(
        name="random",
        source="generated",
        train_inputs=inputs,
        train_labels=labels,
        test_inputs=inputs[:1000],
        test_labels=labels[:1000],
        image_shape=(28, 28),
        classes=10,
    )


def training(mode: str, states: int, dataset: Dataset) -> Training:
    """A training as the recipes make it."""
    recipe = Recipe(mode=mode, states=states)
    return Training(recipe, dataset, None if mode == "float" else build_device(recipe))


def stepper(subject: Training, steps: int) -> Callable[[], float]:
    """A function that trains ``steps`` steps and returns the seconds a step."""
    samples = steps * subject.recipe.batch_size

    def block() -> float:
        start = int(torch.randint(SAMPLES - samples, (1,)))
        part = slice(start, start + samples)
        whole = subject.inputs, subject.labels
        subject.inputs, subject.labels = whole[0][part], whole[1][part]
        subject.epoch = 0
        begin = time.perf_counter()
        subject.run_epoch()
        seconds = (time.perf_counter() - begin) / steps
        subject.inputs, subject.labels = whole
        return seconds

    return block


def compare_times(modes: tuple[str, str], states: int, blocks: int, steps: int) -> None:
    """Interleaved medians of two kinds of training."""
    dataset = random_mnist()
    subjects = [stepper(training(mode, states, dataset), steps) for mode in modes]
    for _ in range(3):
        for subject in subjects:
            subject()
    times = [[subject() for subject in subjects] for _ in range(blocks)]
    ratios = sorted(b / a for a, b in times)
    for mode, column in zip(modes, zip(*times, strict=True), strict=True):
        epoch = statistics.median(column) * SAMPLES / 100
        print(f"{mode:8s} median {1e3 * statistics.median(column):.3f} ms a step = {epoch:.2f} s an epoch of 60 000")
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    print(
        f"{modes[1]} ({states} states) / {modes[0]}: median {statistics.median(ratios):.2f} "
        f"(10-90 %: {low:.2f} to {high:.2f}, {blocks} pairs of {steps} steps, {torch.get_num_threads()} threads)"
    )


def peak_memory(mode: str, states: int) -> int:
    """Peak resident size in bytes of a fresh process that trains one epoch; ``idle`` only holds the data."""
    command = [sys.executable, __file__, "--memory-of", mode, "--states", str(states)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=41)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        dataset = random_mnist()
        if arguments.memory_of != "idle":
            training(arguments.memory_of, arguments.states, dataset).run_epoch()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return
    compare_times(("float", "in-situ"), arguments.states, arguments.blocks, arguments.steps)
    compare_times(("float", "ex-situ"), arguments.states, arguments.blocks, arguments.steps)
    idle, twin, ours = (peak_memory(mode, arguments.states) for mode in ("idle", "float", "in-situ"))
    mega = 1024**2
    print(
        f"peak memory: idle {idle / mega:.0f} MiB, float {twin / mega:.0f} MiB, in-situ {ours / mega:.0f} MiB: "
        f"ratio {ours / twin:.2f} of the whole process, {(ours - idle) / max(twin - idle, 1):.2f} above idle"
    )


if __name__ == "__main__":
    main()
