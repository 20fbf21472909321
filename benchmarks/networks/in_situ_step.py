"""Time and memory of an in-situ epoch (claim: at most 1.6 and 1.5 times those of the float baseline).

The default network (784-256-128-64-10, batch 100) is trained for its ten epochs on MNIST (or on learnable random data
of its shape where there is no MNIST), with the same fused Adam for both. Time: both in this process, blocks of 50 steps
in turn (A B A B …) so both meet the same disturbances; the median of the ratios of all pairs. Memory: what each holds
between steps and in a step (parameters, gradients, optimiser, devices, and the peak of allocations in one step as
torch's profiler sees it), and the peak resident size of new processes.

    python benchmarks/networks/in_situ_step.py [--set states=3] [--epochs 10] [--steps 50]
    python benchmarks/networks/in_situ_step.py --rule level-change  # another rule than in-situ, beside it
    python benchmarks/networks/in_situ_step.py --decay 11.3e-6  # claim: at most 1.3 times a step without decay
    python benchmarks/networks/in_situ_step.py --decay 11.3e-6 --rule level-change --set device.preset=nonvolatile
    python benchmarks/networks/in_situ_step.py --set network.kind=cnn  # claim: at most 1.25 times
    python benchmarks/networks/in_situ_step.py --set batch_size=1 --set network.normalisation=none  # at most 3 times
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from barkhausen.core.errors import DataNotFoundError
from barkhausen.data import load_dataset
from barkhausen.data.base import Dataset
from barkhausen.experiment.recipe import Recipe, build_device, load_recipe
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


def mnist_or_random() -> Dataset:
    """MNIST where it is available."""
    try:
        return load_dataset("mnist", allow_download=False).standardised()
    except DataNotFoundError:
        return random_mnist()


def recipe_of(mode: str, settings: list[str]) -> Recipe:
    """The default recipe of a mode with some settings changed."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        return load_recipe(Path(file.name), [f"mode={mode}", *settings])


def training(mode: str, settings: list[str], dataset: Dataset) -> Training:
    """A training as the recipes make it."""
    recipe = recipe_of(mode, settings)
    return Training(recipe, dataset, None if mode == "float" else build_device(recipe))


def stepper(subject: Training, steps: int) -> Callable[[int, int], float]:
    """A function that trains ``steps`` steps, the given part of the given epoch, and returns the seconds a step."""
    samples = steps * subject.recipe.batch_size
    inputs, labels = subject.inputs, subject.labels

    def block(epoch: int, part: int) -> float:
        subject.inputs, subject.labels = (x[part * samples : (part + 1) * samples] for x in (inputs, labels))
        subject.epoch = epoch
        begin = time.perf_counter()
        subject.run_epoch()
        return (time.perf_counter() - begin) / steps

    return block


def compare_times(  # noqa: PLR0917  # the arguments of the command
    modes: tuple[str, str], settings: list[str], epochs: int, steps: int, pairs: int | None, second: Sequence[str] = ()
) -> None:
    """Interleaved medians of two kinds of training, the second with further settings."""
    dataset = mnist_or_random()
    own = [settings, [*settings, *second]]
    subjects = [stepper(training(mode, more, dataset), steps) for mode, more in zip(modes, own, strict=True)]
    modes = (modes[0], " ".join([modes[1], *second]))
    batch = recipe_of("in-situ", settings).batch_size
    parts = SAMPLES // batch // steps
    turns = [(epoch, part) for epoch in range(epochs) for part in range(parts)][:pairs]
    times = [[run(epoch, part) for run in subjects] for epoch, part in turns]
    ratios = sorted(b / a for a, b in times)
    for mode, column in zip(modes, zip(*times, strict=True), strict=True):
        seconds = statistics.median(column)
        print(f"{mode:8s} median {1e3 * seconds:.3f} ms a step = {seconds * SAMPLES / batch:.2f} s an epoch of 60 000")
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    print(
        f"{modes[1]} / {modes[0]}: median {statistics.median(ratios):.2f} (10-90 %: {low:.2f} to "
        f"{high:.2f}, {len(ratios)} pairs of {steps} steps, {torch.get_num_threads()} threads, {dataset.name})"
    )


def step_memory(mode: str, settings: list[str]) -> int:
    """Bytes held between two steps (data aside) plus the most that one step allocates on top."""
    subject = training(mode, settings, mnist_or_random())
    inputs, labels = subject.inputs, subject.labels
    subject.inputs, subject.labels = inputs[:10_000], labels[:10_000]
    subject.run_epoch()
    subject.inputs, subject.labels = inputs[:100], labels[:100]
    optimizer = getattr(subject.learner, "optimizer", subject.learner)
    tensors = [*subject.model.parameters(), *subject.model.buffers()]
    tensors += [t for state in optimizer.state.values() for t in state.values() if torch.is_tensor(t)]
    held = sum(storage.nbytes() for storage in {t.untyped_storage() for t in tensors})
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        subject.run_epoch()
    level = peak = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            level += event.nbytes()
            peak = max(peak, level)
    return held + peak


def peak_memory(mode: str, settings: list[str]) -> int:
    """Peak resident size in bytes of a new process that trains one epoch."""
    command = [sys.executable, __file__, "--memory-of", mode, *(f"--set={x}" for x in settings)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe")
    parser.add_argument("--pairs", type=int, help="no more pairs of blocks than this")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rule", default="in-situ", help="rule on devices that is compared")
    parser.add_argument("--decay", type=float, metavar="SECONDS", help="compare a step with decay with one without")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        training(arguments.memory_of, arguments.set, mnist_or_random()).run_epoch()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return
    rule, shape = arguments.rule, (arguments.epochs, arguments.steps, arguments.pairs)
    if arguments.decay is not None:
        compare_times((rule, rule), arguments.set, *shape, [f"decay.step_time={arguments.decay}"])
        return
    if rule != "in-situ":
        compare_times(("in-situ", rule), arguments.set, *shape)
    compare_times(("float", rule), arguments.set, *shape)
    compare_times(("float", "ex-situ"), arguments.set, *shape)
    mega = 1024**2
    for name, measure in (("tensors and one step", step_memory), ("whole process", peak_memory)):
        floats, ours = measure("float", arguments.set), measure(rule, arguments.set)
        print(f"memory, {name}: float {floats / mega:.1f} MiB, {rule} {ours / mega:.1f} MiB, ratio {ours / floats:.2f}")


if __name__ == "__main__":
    main()
