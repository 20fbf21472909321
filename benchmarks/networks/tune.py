"""Choice of margin and learning rate of the latent weights on validation data. The test set is never used.

Trains racetrack-5, -3 and -2 on 50 000 MNIST images and measures on the other 10 000, for every combination of the
grid, with one seed for each. The recipes use one setting for all numbers of states: the one with the best mean over
them among those whose programming energy is within ENERGY_LIMIT for each of them (printed last). Finished points are
kept in the output directory and not run again.

    python benchmarks/networks/tune.py [--out runs/tune] [--data-dir DIR]
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from statistics import mean

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run

STATES = (5, 3, 2)
ENERGY_LIMIT = 0.2
"""Programming energy per trained sample and epoch in pJ."""

GRID = {
    "float": [(0.3, rate) for rate in (1e-3, 3e-3)],
    "in-situ": list(itertools.product((0.3, 0.4, 0.45, 0.5), (3e-3, 6e-3, 1e-2))),
    "ex-situ": list(itertools.product((0.2, 0.3), (1e-2, 3e-2))),
}


def main() -> None:
    """Run the grid and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/tune"))
    parser.add_argument("--data-dir", type=Path)
    arguments = parser.parse_args()
    for mode, points in GRID.items():
        scores: dict[tuple[float, float], list[float]] = {}
        dearest: dict[tuple[float, float], float] = {}
        for margin, rate in points:
            for states in STATES if mode != "float" else (5,):
                values = {
                    "mode": mode,
                    "states": states,
                    "dataset": {"validation_samples": 10_000},
                    "device": {"preset": "racetrack", "margin": margin},
                    "optimizer": {"rate": rate} if mode == "float" else {"latent_rate": rate},
                }
                name = f"{mode}-{states}-margin{margin:g}-rate{rate:g}"
                run = Run(recipe_from(values, name), arguments.out / name, data_dir=arguments.data_dir)
                summary = run.execute()
                accuracy = summary["validation_accuracy"]
                scores.setdefault((margin, rate), []).append(accuracy)
                picojoule = 1e12 * summary["energy"]["per_inference_joule"]
                dearest[margin, rate] = max(picojoule, dearest.get((margin, rate), 0.0))
                print(f"{name:36s} validation {100 * accuracy:.2f} %  {picojoule:.3f} pJ/sample/epoch", flush=True)
        for limit in (float("inf"), ENERGY_LIMIT):
            margin, rate = max((p for p in scores if dearest[p] <= limit), key=lambda point: mean(scores[point]))
            print(
                f"{mode}: best mean {100 * mean(scores[margin, rate]):.2f} % at margin {margin:g}, rate {rate:g} "
                f"({dearest[margin, rate]:.3f} pJ, limit {limit:g} pJ)"
            )
        print()


if __name__ == "__main__":
    main()
