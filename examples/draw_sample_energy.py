"""Draw where the energy of a trained sample goes, before and after, on one scale and enlarged.

    barkhausen sweep energy-of-learning --out runs/energy
    python examples/draw_sample_energy.py BEFORE AFTER [AFTER …] docs/images/sample-energy.png

with the directories of some of its runs. Any name that matplotlib can write: .png, .pdf, .svg.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch

from barkhausen.core.display.plot_style import COLOURS, GREY, one_column
from barkhausen.core.units import NANO
from barkhausen.experiment.energy.of_run import energy_of_run
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar import load_chip
from barkhausen.synapse.crossbar.learning_load import FULL

PARTS = {
    "gradient products and sums": ("gradient", "gradient sums"),
    "gradient operands": ("gradient operands",),
    "optimiser memory": ("optimiser memory",),
    "latent weights, update": ("latent weights", "update"),
    "forward and backward pass": ("ADC", "DAC", "buffer", "normalise", "accumulate", "device read", "wires"),
    "knowing the devices": ("monitoring", "verify"),
    "clock, network, leakage": ("clock", "network", "leakage"),
}
"""Causes that share a colour; the rest, programming, is too small to be seen and is written."""

WRITTEN = 0.05
"""Share of the width of a panel from which a part has its energy written on it."""
THREE_DIGITS = 1000.0
"""Width of a panel in nJ from which energies are written without decimals."""


def parts_of(energy: EnergyBreakdown) -> dict[str, float]:
    """Energies in nJ by part, and programming."""
    parts = {name: NANO * sum(energy.by_cause.get(cause, 0.0) for cause in causes) for name, causes in PARTS.items()}
    return {**parts, "programming": NANO * energy.total - sum(parts.values())}


def bars(axes: Axes, rows: Sequence[tuple[str, dict[str, float]]], largest: float) -> None:
    """One stacked bar for each row, on a scale up to the largest."""
    for place, (_, parts) in enumerate(rows):
        left = 0.0
        for name, colour in zip(PARTS, COLOURS, strict=False):
            axes.barh(place, parts[name], left=left, color=colour, height=0.6, label=name if place == 0 else None)
            if parts[name] > WRITTEN * largest:
                text = f"{parts[name]:.0f}" if largest > THREE_DIGITS else f"{parts[name]:.3g}"
                axes.text(left + parts[name] / 2, place, text, ha="center", va="center", color="white", fontsize=6)
            left += parts[name]
        note = f" {sum(parts.values()):.4g} nJ, programming {1e3 * parts['programming']:.2g} pJ"
        axes.text(left, place, note, va="center", fontsize=6)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=6)
    axes.set_xlim(0, 1.32 * largest)
    axes.set_ylim(len(rows) - 0.5, -0.5)


def draw(before: Path, after: Sequence[Path]) -> Figure:
    """All runs on one scale, and those after the first enlarged below."""
    rows = []
    for run in (before, *after):
        found = energy_of_run(run, load_chip())
        rows.append((label_of(found.summary["recipe"]), parts_of(found.account.sample)))
    largest = [max(sum(parts.values()) for _, parts in some) for some in (rows, rows[1:])]
    with one_column():
        figure = Figure(figsize=(7.0, 1.5 + 0.7 * len(rows)), layout="constrained")
        top, bottom = figure.subplots(2, 1, height_ratios=(len(rows), len(rows) - 0.7))
        bars(top, rows, largest[0])
        bars(bottom, rows[1:], largest[1])
        for ends in ((0.0, 0.0), (largest[1], largest[1])):
            line = ConnectionPatch(
                (ends[0], len(rows) - 0.5), (ends[1], -0.5), "data", "data", axesA=top, axesB=bottom,
                color=GREY, lw=0.6, ls=":",
            )  # fmt: skip
            figure.add_artist(line)
        bottom.set_xlabel("energy of a trained sample (nJ)")
        top.legend(fontsize=6, ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1.0))
    return figure


def label_of(recipe: dict[str, Any]) -> str:
    """Rule and precision, in two lines."""
    bits = recipe.get("precision") or {}
    rule = recipe["mode"].replace("in-situ", "margin")
    if not bits:
        return f"{rule}\nfloat32"
    few = "/".join(str(bits.get(f"{name}_bits", FULL)) for name in ("latent", "activation", "error"))
    return f"{rule}\n{few} bits{', crossbar' if bits.get('gradient_bits', FULL) < FULL else ''}"


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [Path(run) for run in sys.argv[2:-1]]).savefig(sys.argv[-1], dpi=200)
