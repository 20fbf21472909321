"""Error of an LSTM that learns the airline series by pulses, against nonlinearity and number of steps of its devices.

    python benchmarks/devices/patch_study.py --out runs/patch-study --figure patch-study.png

Devices have the curves of NeuroSim with a nonlinearity ν up and down, P pulses from bound to bound, 30 % of noise of
each pulse and steps that differ by 20 % between devices. Motion in the delay is part of every step: a wall that moves
by p in a pulse and by d after it crosses a range of length L in L/(p + d) pulses. A second table varies, for straight
curves of 20 pulses, noise, spread and asymmetry to those of the shipped track with patches. Network, rule, rates and
epochs are those of yadav-2023-lstm with patches. Finished runs are kept; the same command resumes. Intervals are 95 %,
Student's t over seeds.

    python benchmarks/devices/patch_study.py --out runs/patch-study --seeds 5 --variants
"""

from __future__ import annotations

import argparse
import io
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import t

from barkhausen.core.display.plot_style import new_axes, one_column
from barkhausen.core.files import atomic_write
from barkhausen.device import PulsedDevice, write_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run

NONLINEARITIES = (0.0, 1.0, 3.0, 5.0)
PULSES = (10, 20, 40, 80, 320)
SPREADS = {"cycle_sd": 0.3, "scale_sd": (0.2, 0.2), "scale_correlation": 0.8}
RATE = 0.3

NOISY = {"cycle_sd": 1.35}
SPREAD = {"scale_sd": (0.19, 0.48), "scale_correlation": -0.25}
VARIANTS = {
    "20 pulses, 30 % noise, 20 % spread": (20, {}),
    "noise of a pulse 1.35 steps": (20, NOISY),
    "spread between devices 19 and 48 %": (20, SPREAD),
    "15 pulses up, 31 down: asymmetry 0.35": ((15, 31), {}),
    "all three": ((15, 31), NOISY | SPREAD),
}
"""Straight curves with one property after the other of the shipped track with patches."""


def error_of(device: Path, seed: int, directory: Path, *, hidden: int, epochs: int) -> float:
    """RMSE on the held-out windows of one training."""
    recipe = recipe_from(
        {
            "mode": "pulsed-sgd",
            "seed": seed,
            "epochs": epochs,
            "batch_size": 4,
            "threads": 1,
            "dataset": {"name": "airline-passengers", "test_every_epoch": False},
            "network": {"kind": "lstm", "normalisation": "none", "hidden": [hidden]},
            "optimizer": {"name": "sgd", "momentum": 0.0, "rate": RATE, "latent_rate": RATE},
            "transfer": {"chips": 1},
            "device": {"file": str(device)},
        },
        "patch study",
    )
    summary = Run(recipe, directory, progress=False).execute()
    return float(summary["score"]["test"])


def errors_of(device: PulsedDevice, name: str, given: argparse.Namespace) -> np.ndarray:
    """Errors of all seeds with a device."""
    file = given.out / f"{name}.nc"
    if not file.exists():
        write_device(device, file)
    places = [given.out / f"{name}-hidden-{given.hidden}-seed-{seed}" for seed in range(given.seeds)]
    errors = [
        error_of(file, seed, place, hidden=given.hidden, epochs=given.epochs) for seed, place in enumerate(places)
    ]
    return np.array(errors)


def half_width(errors: np.ndarray) -> np.ndarray:
    """Half of the 95 % interval of the mean over seeds, the last axis."""
    seeds = errors.shape[-1]
    return t.ppf(0.975, seeds - 1) * errors.std(axis=-1, ddof=1) / np.sqrt(seeds)


def main() -> None:
    """Train, print the table, and draw the figure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=Path("runs/patch-study"))
    options.add_argument("--figure", type=Path)
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--variants", action="store_true")
    options.add_argument("--hidden", type=int, default=4)
    options.add_argument("--epochs", type=int, default=30)
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given.out.mkdir(parents=True, exist_ok=True)
    if given.variants:
        print("| device | RMSE |\n| --- | --- |")
        for number, (label, (pulses, how)) in enumerate(VARIANTS.items()):
            name = "nu-0-pulses-20" if number == 0 else f"variant-{number}"
            device = PulsedDevice.neurosim(0.0, pulses, **{**SPREADS, **how})
            values = errors_of(device, name, given)
            print(f"| {label} | {values.mean():.0f} ± {half_width(values):.0f} |", flush=True)
        return
    found = np.empty((len(NONLINEARITIES), len(PULSES), given.seeds))
    for row, nu in enumerate(NONLINEARITIES):
        for column, pulses in enumerate(PULSES):
            name = f"nu-{nu:g}-pulses-{pulses}"
            values = found[row, column] = errors_of(PulsedDevice.neurosim(nu, pulses, **SPREADS), name, given)
            print(f"{name}: {values.mean():.1f} ± {values.std(ddof=1):.1f}", flush=True)
    half = half_width(found)
    print("\n| ν | " + " | ".join(f"{pulses} pulses" for pulses in PULSES) + " |")
    print("| --- " * (len(PULSES) + 1) + "|")
    for row, nu in enumerate(NONLINEARITIES):
        cells = [f"{found[row, c].mean():.0f} ± {half[row, c]:.0f}" for c in range(len(PULSES))]
        print(f"| {nu:g} | " + " | ".join(cells) + " |")
    if given.figure is not None:
        draw(found.mean(axis=2), half, given.figure)


def draw(mean: np.ndarray, half: np.ndarray, path: Path) -> None:
    """Error against the number of pulses across the range, a line for each nonlinearity."""
    with one_column():
        axes = new_axes()
        for row, nu in enumerate(NONLINEARITIES):
            axes.errorbar(PULSES, mean[row], half[row], marker="o", markersize=3, capsize=2, label=f"ν = {nu:g}")
        axes.set_xscale("log")
        axes.set_xticks(PULSES, [str(pulses) for pulses in PULSES])
        axes.minorticks_off()
        axes.set_xlabel("pulses from bound to bound")
        axes.set_ylabel("RMSE (thousand passengers)")
        axes.legend()
        content = io.BytesIO()
        axes.figure.savefig(content, format=path.suffix[1:], dpi=200)
        atomic_write(path, content.getvalue())
        plt.close("all")


if __name__ == "__main__":
    main()
