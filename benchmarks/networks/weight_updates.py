"""Number of weight updates of in-situ learning (claim: a thousand times fewer than the float baseline's).

    python benchmarks/networks/weight_updates.py recipes/nsl-kdd-autoencoder.toml [--seeds 3] [--set key=value …]

Trains both for each seed and counts. Float: every weight at every step; those whose value changed; those with a
non-zero gradient. In-situ: programming events (each is one write with ``max_attempts = 1``), with and without the
initial programming. The digital latent weights change as often as float weights; only writes of devices are saved.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from barkhausen.data import load_dataset
from barkhausen.experiment.recipe import Recipe, build_device, load_recipe
from barkhausen.experiment.summary import programming_counts
from barkhausen.experiment.training import Training


class UpdateCount:
    """Counter of the updates of weight matrices, by the step hooks of an optimiser."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.weights = [p for group in optimizer.param_groups for p in group["params"] if p.dim() > 1]
        self.all = self.changed = self.with_gradient = 0
        self.before: list[torch.Tensor] = []
        optimizer.register_step_pre_hook(self._note)
        optimizer.register_step_post_hook(self._count)

    def _note(self, *_: Any) -> None:
        self.before = [p.detach().clone() for p in self.weights]
        self.with_gradient += sum(int((p.grad != 0).sum()) for p in self.weights if p.grad is not None)

    def _count(self, *_: Any) -> None:
        self.all += sum(p.numel() for p in self.weights)
        self.changed += sum(int((p != q).sum()) for p, q in zip(self.weights, self.before, strict=True))


def trained(recipe: Recipe) -> tuple[float, UpdateCount | None, dict[str, Any]]:
    """Held-out accuracy, counts of the float baseline, programming counts."""
    dataset = load_dataset(recipe.dataset.name).standardised()
    training = Training(recipe, dataset, None if recipe.mode == "float" else build_device(recipe))
    count = UpdateCount(training.learner) if recipe.mode == "float" else None
    for _ in range(recipe.epochs):
        training.run_epoch()
    return training.held_out_accuracy(), count, programming_counts(training.model)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    rows = []
    for seed in range(given.seeds):
        settings = [*given.set, f"seed={seed}"]
        baseline, count, _ = trained(load_recipe(given.recipe, [*settings, "mode=float"]))
        ours, _, events = trained(load_recipe(given.recipe, [*settings, "mode=in-situ"]))
        assert count is not None
        rows.append([
            baseline, ours, count.all, count.changed, count.with_gradient, events["training_events"],
            events["initial_events"],
        ])  # fmt: skip
        print(f"seed {seed}: float {100 * baseline:.2f} %, in-situ {100 * ours:.2f} %", flush=True)
    mean = np.array(rows, dtype=float).mean(axis=0)
    deviation = np.array(rows, dtype=float).std(axis=0, ddof=1) if given.seeds > 1 else np.zeros(len(mean))
    print(f"accuracy (%): float {100 * mean[0]:.2f} +- {100 * deviation[0]:.2f}, ", end="")
    print(f"in-situ {100 * mean[1]:.2f} +- {100 * deviation[1]:.2f}, n = {given.seeds}")
    print(f"in-situ: {mean[5]:.0f} +- {deviation[5]:.0f} events in training, {mean[6]:.0f} initial ones")
    for name, place in (("every weight at every step", 2), ("changed weights", 3), ("gradient not zero", 4)):
        number = mean[place]
        print(
            f"float, {name}: {number / 1e6:.2f} million, {number / mean[5]:.0f} times the events in training, "
            f"{number / (mean[5] + mean[6]):.0f} times all events"
        )


if __name__ == "__main__":
    main()
