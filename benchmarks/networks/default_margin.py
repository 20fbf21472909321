"""Choice of the default margin and latent rate on validation data. The test set is never used.

Trains every device of the grid (2, 3, 5 and 16 states, wide and narrow spreads) in situ and ex situ, for several
margins and learning rates of the latent weights, on the digits and on a part of MNIST, and measures on training samples
that were set aside. Each finished point is one line of the output file and is not computed again, so the script may be
stopped at any time and started again, also in several processes with one file each.

    python benchmarks/networks/default_margin.py [--out FILE] [--data-dir DIR]  compute what is missing
    python benchmarks/networks/default_margin.py --table [--out FILE]  the default beside a fixed margin and the best
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from barkhausen.core.seeds import stream
from barkhausen.data import Dataset, load_dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.device.resistive.technology import ResistiveParameters, resistive_device
from barkhausen.experiment.recipe import build_device, recipe_from
from barkhausen.experiment.training import Training
from barkhausen.learning import fresh_chip, programming_energy
from barkhausen.learning.margin import spacing, spread
from barkhausen.learning.rules import RULES
from barkhausen.version import __version__

KEPT = Path(__file__).parents[1] / "results" / "default_margin.jsonl"

DEVICES: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "racetrack-2": ({"states": 2, "device": {"preset": "racetrack"}}, (0.1, 0.2, 0.4, 0.8, 1.2, 1.6)),
    "racetrack-3": ({"states": 3, "device": {"preset": "racetrack"}}, (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)),
    "racetrack-5": ({"states": 5, "device": {"preset": "racetrack"}}, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
    "notched-5": ({"states": 5, "device": {"preset": "notched"}}, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "gaussian-2, sigma 0.15": ({"states": 2, "device": {"sigma": 0.15}}, (0.2, 0.4, 0.8, 1.2, 1.6)),
    "gaussian-3, sigma 0.15": ({"states": 3, "device": {"sigma": 0.15}}, (0.2, 0.4, 0.6, 0.8, 1.0)),
    "gaussian-5, sigma 0.15": ({"states": 5, "device": {"sigma": 0.15}}, (0.1, 0.2, 0.3, 0.4, 0.6)),
    "gaussian-8, sigma 0.1": ({"states": 8, "device": {"sigma": 0.1}}, (0.057, 0.114, 0.171, 0.229, 0.286, 0.4)),
    "gaussian-16, sigma 0.04": (
        {"states": 16, "device": {"sigma": 0.04}},
        (0.02, 0.05, 0.07, 0.1, 0.133, 0.2, 0.4),
    ),
    "exponential-16, sigma 0.04": ({"states": 16}, (0.025, 0.05, 0.075, 0.1, 0.133, 0.2, 0.4)),
    "gaussian-16, sigma 0.15": ({"states": 16, "device": {"sigma": 0.15}}, (0.05, 0.075, 0.1, 0.15, 0.2, 0.4)),
}
"""Recipe of each device, and the margins tried on it. A sigma of 0.04 is 2 % of the range of weights."""

RATIO = 10.0
"""Ratio of the greatest to the smallest conductance of the device with exponentially spaced states."""

RATES = {"in-situ": (1.5e-3, 3e-3, 6e-3, 1.2e-2, 2.4e-2), "ex-situ": (1e-2, 3e-2, 6e-2)}
PASSES = (("digits", 0), ("mnist", 0), ("digits", 1))
"""Data set and seed, in the order of computation."""

CHIPS = 2
"""Number of unseen chips that an ex-situ network is measured on."""


@dataclass(frozen=True)
class Point:
    """One training of the grid."""

    data: str
    seed: int
    device: str
    mode: str
    margin: float
    rate: float

    def values(self) -> dict[str, Any]:
        """Content of its recipe."""
        recipe, _ = DEVICES[self.device]
        device = {"preset": "gaussian"} if self.device.startswith("exponential") else recipe.get("device", {})
        return {
            "mode": self.mode,
            "states": recipe["states"],
            "seed": self.seed,
            "epochs": 20 if self.data == "digits" else 5,
            "threads": 1,
            "dataset": {"name": self.data},
            "device": {**device, "margin": self.margin},
            "optimizer": {"latent_rate": self.rate},
            "transfer": {"chips": CHIPS},
        }


def points() -> Iterator[Point]:
    """The grid."""
    for (data, seed), mode in itertools.product(PASSES, RATES):
        for device, (_, margins) in DEVICES.items():
            for margin, rate in itertools.product(margins, RATES[mode]):
                yield Point(data, seed, device, mode, margin, rate)


def device_of(point: Point) -> CharacterisedDevice:
    """Device of a point."""
    if not point.device.startswith("exponential"):
        return build_device(recipe_from(point.values(), "grid"))
    states, sigma = point.values()["states"], float(point.device.split()[-1])
    mean = 1e-5 * np.geomspace(1.0, RATIO, states)
    unit = sigma * (mean[-1] - mean[0]) / 2
    random = np.random.default_rng(0)
    offsets = 0.6 * unit * random.standard_normal((states, 64, 1))
    values = mean[:, None, None] + offsets + 0.8 * unit * random.standard_normal((states, 64, 16))
    low, high = 0.2 * mean[0], 1.2 * mean[-1]
    parameters = ResistiveParameters(conductance_low=low, conductance_high=high)
    return resistive_device(values.clip(low, high), parameters, source="measured")


def data_of(name: str, data_dir: Path | None) -> Dataset:
    """Training samples of a data set: 1037 of the digits and 10 000 of MNIST, measured on 400 and 5000 others."""
    found = load_dataset(name, data_dir)
    if name == "digits":
        return found.with_validation(400).standardised()
    few = found.with_validation(15_000)
    images, labels = few.test_inputs, few.test_labels
    return Dataset(
        name=name,
        source=found.source,
        train_inputs=images[:10_000],
        train_labels=labels[:10_000],
        test_inputs=images[10_000:],
        test_labels=labels[10_000:],
        image_shape=found.image_shape,
        classes=found.classes,
    ).standardised()


def trained(point: Point, dataset: Dataset) -> dict[str, Any]:
    """Validation accuracy and programming energy of one training."""
    recipe = recipe_from(point.values(), "grid")
    torch.set_num_threads(1)
    training = Training(recipe, dataset, device_of(point))
    for _ in range(recipe.epochs):
        training.run_epoch()
    samples = len(training.inputs) * recipe.epochs
    if recipe.learning_rule.measured_on_new_chips:
        chips = [
            fresh_chip(training.model, stream(recipe.seed, f"chip {n}"), max_attempts=recipe.transfer.max_attempts)
            for n in range(CHIPS)
        ]
        accuracy = mean(training.held_out_accuracy(chip) for chip in chips)
        joule = mean(programming_energy(chip).total for chip in chips)
    else:
        accuracy, joule = training.held_out_accuracy(), programming_energy(training.model).total
    return {"accuracy": accuracy, "picojoule_per_inference": 1e12 * joule / samples}


def compute(out: Path, data_dir: Path | None) -> None:
    """Compute what the file does not hold yet."""
    out.parent.mkdir(parents=True, exist_ok=True)
    done = {point for point, _ in kept(out)}
    loaded: dict[str, Dataset] = {}
    with out.open("a", encoding="utf-8") as file:
        for point in points():
            if point in done:
                continue
            if point.data not in loaded:
                loaded[point.data] = data_of(point.data, data_dir)
            software = {"barkhausen": __version__, "torch": str(torch.__version__), "machine": platform.machine()}
            line = {**asdict(point), **trained(point, loaded[point.data]), **software}
            file.write(json.dumps(line) + "\n")
            file.flush()


def table(out: Path) -> Iterator[str]:
    """Lines of a Markdown table: accuracy with the default margin, with a fixed one, and with the best of the grid.

    All at the default latent rate. A margin between two of the grid is interpolated.
    """
    yield "| rule | device | spacing, spread | default margin | accuracy (%) | with 0.4 or 0.2 | best |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    found: dict[tuple[str, str], dict[float, dict[str, list[float]]]] = {}
    for point, line in kept(out):
        if point.rate == RULES[point.mode].latent_rate:
            by_data = found.setdefault((point.mode, point.device), {}).setdefault(point.margin, {})
            by_data.setdefault(point.data, []).append(100 * line["accuracy"])
    for mode, device in itertools.product(RATES, DEVICES):
        tried = sorted(found[mode, device])
        item = device_of(Point("digits", 0, device, mode, tried[0], RATES[mode][0]))
        margin = RULES[mode].margin.of(item)
        columns = {data: [mean(found[mode, device][each][data]) for each in tried] for data in ("digits", "mnist")}

        def at(wanted: float, tried: list[float] = tried, columns: dict[str, list[float]] = columns) -> str:
            return " / ".join(f"{np.interp(wanted, tried, column):.1f}" for column in columns.values())

        best = " / ".join(f"{max(column):.1f}" for column in columns.values())
        fixed = at(0.4 if mode == "in-situ" else 0.2)
        yield (
            f"| {mode} | {device} | {spacing(item):.3g}, {spread(item):.2g} | {margin:g} | {at(margin)} | {fixed} "
            f"| {best} |"
        )


def kept(out: Path) -> Iterator[tuple[Point, dict[str, Any]]]:
    """The points of a file with their results."""
    if not out.exists():
        return
    for text in out.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        yield Point(**{key: line[key] for key in Point.__annotations__}), line


def main() -> None:
    """Run the grid."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        print("\n".join(table(arguments.out)))
        return
    compute(arguments.out, arguments.data_dir)


if __name__ == "__main__":
    main()
