"""Draw the whole energy of a trained sample: against accuracy, and by cause before and after low precision.

    barkhausen sweep energy-of-learning --out runs/energy
    python examples/draw_energy.py runs/energy docs/images/energy.png

Any name that matplotlib can write: .png, .pdf, .svg.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from barkhausen.core.display.plot_style import COLOURS, GREY, one_column
from barkhausen.core.units import NANO
from barkhausen.experiment.energy import LearningAccount
from barkhausen.experiment.energy.of_run import energy_of_run
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar import load_chip

GROUPS = {
    "gradient": ("gradient", "gradient sums", "gradient operands"),
    "latent weights, optimiser": ("latent weights", "optimiser memory", "update"),
    "forward, backward": ("ADC", "DAC", "buffer", "normalise", "accumulate", "device read", "wires", "multiply-add"),
    "fetching weights": ("weights",),
    "knowing the devices": ("monitoring", "verify"),
    "clock, network, leakage": ("clock", "network", "leakage"),
}
"""Causes that share a colour; programming is too small to be seen."""


@dataclass
class Kind:
    """Runs that differ in their seed alone."""

    label: str
    accuracies: list[float] = field(default_factory=list)
    accounts: list[LearningAccount] = field(default_factory=list)
    digital: bool = False


def kinds_of(directory: Path) -> list[Kind]:
    """The kinds of runs of a sweep, the most energy first."""
    kinds: dict[str, Kind] = {}
    chip = load_chip()
    for path in sorted(directory.glob("tasks/**/summary.json")):
        summary = json.loads(path.read_text())
        label = label_of(summary["recipe"])
        kind = kinds.setdefault(label, Kind(label, digital=summary["recipe"]["device"].get("preset") == "gaussian"))
        kind.accuracies.append(100 * summary["test_accuracy"])
        kind.accounts.append(energy_of_run(path.parent, chip).account)
    return sorted(kinds.values(), key=lambda kind: -kind.accounts[0].sample.total)


def label_of(recipe: dict[str, Any]) -> str:
    """Rule and precision."""
    bits = defaultdict(lambda: 32, recipe.get("precision") or {})
    rule = "int8 logic" if recipe["device"].get("preset") == "gaussian" else recipe["mode"].replace("in-situ", "margin")
    if bits["latent_bits"] == 32:
        return f"{rule}, float32"
    few = f"{rule}, {bits['latent_bits']}/{bits['activation_bits']}/{bits['error_bits']} bits"
    return few if bits["gradient_bits"] == 32 else f"{few}, crossbar"


def draw(directory: Path) -> Figure:
    """Both panels."""
    kinds = kinds_of(directory)
    with one_column():
        figure = Figure(figsize=(7.0, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        against_accuracy(left, kinds)
        by_cause(right, kinds)
    return figure


def energy_of(kind: Kind, account: LearningAccount) -> EnergyBreakdown:
    """Energy of a trained sample: on the chip, or in integer logic for digital weights."""
    if not kind.digital:
        return account.sample
    assert account.int8_step is not None
    return account.int8_step / account.batch


def against_accuracy(axes: Axes, kinds: list[Kind]) -> None:
    """Accuracy against energy, with the standard deviation between seeds."""
    for kind, colour in zip(kinds, COLOURS, strict=False):
        x = np.mean([NANO * energy_of(kind, account).total for account in kind.accounts])
        y, error = np.mean(kind.accuracies), np.std(kind.accuracies, ddof=1)
        axes.errorbar(x, y, error, fmt="s" if kind.digital else "o", color=colour, ms=4, lw=0.8, label=kind.label)
    logic = NANO * kinds[0].accounts[0].float32_step.total / kinds[0].accounts[0].batch
    axes.axvline(logic, color=GREY, lw=0.8, ls="--", label="float32 logic")
    axes.set_xscale("log")
    axes.set_xlabel("whole energy of a trained sample (nJ)")
    axes.set_ylabel("test accuracy (%)")
    axes.legend(fontsize=6, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def by_cause(axes: Axes, kinds: list[Kind]) -> None:
    """Stacked shares of the groups of causes."""
    shown = [kinds[0], *kinds[2:]]
    left = np.zeros(len(shown))
    breakdowns = [energy_of(kind, kind.accounts[0]) for kind in shown]
    for (name, causes), colour in zip(GROUPS.items(), COLOURS, strict=False):
        values = np.array([sum(b.by_cause.get(cause, 0.0) for cause in causes) / b.total for b in breakdowns])
        axes.barh(range(len(shown)), 100 * values, left=left, color=colour, label=name)
        left += 100 * values
    names = [f"{kind.label}\n{NANO * b.total:,.0f} nJ" for kind, b in zip(shown, breakdowns, strict=True)]
    axes.set_yticks(range(len(shown)), names, fontsize=6)
    axes.invert_yaxis()
    axes.set_xlabel("share of the energy of a trained sample (%)")
    axes.legend(fontsize=6, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))


if __name__ == "__main__":
    draw(Path(sys.argv[1])).savefig(sys.argv[2], dpi=200)
