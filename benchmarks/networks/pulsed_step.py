"""Time of a step on devices moved by pulses (claim: pulsed SGD and blind pulses at most 1.6 times a float step).

The default network (784-256-128-64-10, batch 100) is trained on MNIST (or on learnable random data of its shape where
there is no MNIST), by each rule and in float, with the optimiser of the rule for both. Blocks of 50 steps in this
process take turns (A B A B …), so that both meet the same disturbances; the figure is the median of the ratios of all
pairs. A line with all figures is appended to results/pulsed_step.jsonl.

    python benchmarks/networks/pulsed_step.py [--rules pulsed-sgd,blind-pulse] [--pairs 60] [--steps 50]

aihwkit is an optional peer: where it is installed, its AnalogSGD with SoftBoundsDevice is measured too. We know of no
published time of its step on a network of this size on a CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from in_situ_step import mnist_or_random, recipe_of, stepper, training

from barkhausen.data.base import Dataset
from barkhausen.experiment.recipe import Recipe, build_device
from barkhausen.experiment.training import Training

RESULTS = Path(__file__).parents[1] / "results" / "pulsed_step.jsonl"
RULES = ("pulsed-sgd", "blind-pulse", "mixed-precision", "pulsed-in-situ", "tiki-taka", "split-precision")
OWN = {
    "pulsed-sgd": ["optimizer.latent_rate=0.1"],
    "tiki-taka": ["optimizer.latent_rate=0.1"],
    "split-precision": ["network.normalisation=none"],
}
"""Settings of a rule beside its defaults."""


def pair_of(rule: str, dataset: Dataset) -> tuple[Training, Training]:
    """A training in float with the optimiser and the network of the rule, and one by the rule."""
    own = OWN.get(rule, [])
    recipe: Recipe = recipe_of(rule, own)
    # What the rule chooses by default is given to the float network too.
    optimizer = [f"optimizer.name={recipe.optimizer.name}", f"optimizer.momentum={recipe.optimizer.momentum}"]
    network = [f"network.normalisation={recipe.network.normalisation}"]
    device = build_device(recipe) if recipe.learning_rule.on_devices else None
    return training("float", [*optimizer, *network], dataset), Training(recipe, dataset, device)


def ratios(first: Callable[[int, int], float], second: Callable[[int, int], float], pairs: int, parts: int) -> Any:
    """Seconds a step of both, block by block in turn."""
    first(0, 0)
    second(0, 0)
    turns = [(number // parts % 10, number % parts) for number in range(pairs)]
    return [(first(*turn), second(*turn)) for turn in turns]


def summary(name: str, times: list[tuple[float, float]]) -> dict[str, Any]:
    """Medians of both and of their ratios, printed."""
    each = sorted(second / first for first, second in times)
    low, high = each[len(each) // 10], each[-1 - len(each) // 10]
    found = {
        "rule": name,
        "float_ms": 1e3 * statistics.median(first for first, _ in times),
        "rule_ms": 1e3 * statistics.median(second for _, second in times),
        "ratio": statistics.median(each),
        "low": low,
        "high": high,
        "pairs": len(each),
        "threads": torch.get_num_threads(),
    }
    print(
        f"{name:16s} {found['rule_ms']:.3f} ms a step, float {found['float_ms']:.3f} ms: ratio {found['ratio']:.2f} "
        f"(10-90 %: {low:.2f} to {high:.2f}, {len(each)} pairs)",
        flush=True,
    )
    return found


def aihwkit_block(dataset: Dataset, steps: int) -> Callable[[int, int], float] | None:
    """Blocks of aihwkit's AnalogSGD on soft bounds; None where it is not installed."""
    try:
        from aihwkit.nn import AnalogLinear, AnalogSequential  # noqa: PLC0415
        from aihwkit.optim import AnalogSGD  # noqa: PLC0415
        from aihwkit.simulator.configs import SingleRPUConfig, SoftBoundsDevice  # noqa: PLC0415
    except ImportError:
        return None
    config, sizes = SingleRPUConfig(device=SoftBoundsDevice()), [784, 256, 128, 64, 10]
    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [AnalogLinear(inputs, outputs, rpu_config=config), torch.nn.ReLU()]
    model = AnalogSequential(*layers[:-1])
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    optimizer.regroup_param_groups(model)

    def block(epoch: int, part: int) -> float:
        begin = time.perf_counter()
        for step in range(steps):
            place = (part * steps + step) * 100
            rows, labels = dataset.train_inputs[place : place + 100], dataset.train_labels[place : place + 100]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(rows), labels).backward()
            optimizer.step()
        return (time.perf_counter() - begin) / steps

    return block


def main() -> None:
    """Print all ratios and append them to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", default=",".join(RULES), help="rules, separated by commas")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    arguments = parser.parse_args()
    dataset = mnist_or_random()
    parts = 600 // arguments.steps
    lines = []
    for rule in arguments.rules.split(","):
        both = [stepper(subject, arguments.steps) for subject in pair_of(rule, dataset)]
        lines.append(summary(rule, ratios(*both, arguments.pairs, parts)))
    peer = aihwkit_block(dataset, arguments.steps)
    if peer is None:
        print("aihwkit is not installed: no comparison")
    else:
        first = stepper(training("float", ["optimizer.name=sgd"], dataset), arguments.steps)
        lines.append(summary("aihwkit", ratios(first, peer, arguments.pairs, parts)))
    if not arguments.no_record:
        with RESULTS.open("a") as file:
            file.write(json.dumps({"dataset": dataset.name, "lines": lines}) + "\n")


if __name__ == "__main__":
    main()
