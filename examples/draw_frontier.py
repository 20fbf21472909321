"""Draw accuracy against programming energy: a search on validation samples and the chosen points on the test set.

    barkhausen sweep frontier --out runs/frontier
    barkhausen sweep frontier-test --out runs/frontier-test
    python examples/draw_frontier.py runs/frontier runs/frontier-test docs/images/frontier.png

A PNG needs Chromium or Chrome; a name ending in .html does not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import plotly.graph_objects as go
from draw_results import save

from barkhausen.results.published import published
from barkhausen.results.read import load_table
from barkhausen.results.summarise import summarise

COLOURS = {2: "#e69f00", 3: "#009e73", 5: "#0072b2"}
ENERGY = "picojoule_per_inference"


def draw(searched: Path, chosen: Path) -> go.Figure:
    """One mark for each run of the search, the chosen points with intervals, and the published point."""
    figure = go.Figure()
    for states, rows in load_table(searched).groupby("states"):
        figure.add_scatter(
            x=rows[ENERGY], y=100 * rows["accuracy"], mode="markers", name=f"{states} states, validation",
            marker={"color": COLOURS[int(states)], "size": 8, "opacity": 0.55},
        )  # fmt: skip
    rows = summarise(load_table(chosen), ["accuracy", ENERGY]).frame
    rows = rows[rows[f"{ENERGY}_n"] > 0]
    figure.add_scatter(
        x=rows[f"{ENERGY}_mean"], y=100 * rows["accuracy_mean"], mode="markers",
        name=f"chosen, 5 states, test, n = {int(rows['accuracy_n'].min())}, 95 % interval",
        error_y={"array": 100 * (rows["accuracy_high"] - rows["accuracy_mean"]), "thickness": 2},
        marker={"color": "#d55e00", "size": 13, "symbol": "diamond"},
    )  # fmt: skip
    figure.add_scatter(
        x=[published("picojoule_per_inference", "mnist", "in-situ").value],
        y=[100 * published("accuracy", "mnist", "in-situ").value], mode="markers+text", text=["published"],
        textposition="top left", marker={"color": "black", "size": 15, "symbol": "star"}, showlegend=False,
    )  # fmt: skip
    figure.update_xaxes(type="log", title="programming energy per sample and epoch, initial programming included (pJ)")
    figure.update_yaxes(title="accuracy on MNIST (%)")
    figure.update_layout(
        template="plotly_white", width=1200, height=440, font={"family": "sans-serif", "size": 13},
        margin={"l": 60, "r": 20, "t": 20, "b": 60}, legend={"x": 0.62, "y": 0.97},
    )  # fmt: skip
    return figure


def main() -> None:
    """Draw the third argument from the two sweeps named first."""
    searched, chosen, target = (Path(argument) for argument in sys.argv[1:4])
    save(draw(searched, chosen), target)


if __name__ == "__main__":
    main()
