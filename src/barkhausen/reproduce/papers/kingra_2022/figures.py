"""Figures of the page about binary and ternary networks on resistive devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from barkhausen.report.plots import CAUSE_COLOURS, GREY, LAYER_COLOURS, MARKERS, Spec, finished_spec, totals_behind_bars
from barkhausen.results.statistics import mean_interval


@dataclass(frozen=True)
class Point:
    """Accuracy at one spread, in per cent.

    Attributes:
        spread: Factor on the standard deviations.
        mean: Mean over trainings.
        each: Of each training.
        software: The same networks in software.
    """

    spread: float
    mean: float
    each: Sequence[float]
    software: float


def spread_plot(curves: Mapping[str, Sequence[Point]], floating: float | None) -> Spec:
    """Accuracy against the spread of the devices, a curve for each kind of network.

    Args:
        curves: Points of each kind, by rising spread.
        floating: Accuracy of the float network.
    """
    fig = go.Figure()
    for number, (name, points) in enumerate(curves.items()):
        colour, symbol = LAYER_COLOURS[number], MARKERS[number]
        x = [point.spread for point in points]
        fig.add_scatter(
            x=x,
            y=[round(point.software, 3) for point in points],
            mode="lines",
            line={"color": colour, "width": 1.5, "dash": "dot"},
            name=f"{name} in software",
        )
        fig.add_scatter(
            x=x,
            y=[round(point.mean, 3) for point in points],
            error_y={"array": [_reach(point.each) for point in points], "color": colour, "thickness": 1.5, "width": 4},
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 8},
            name=f"{name} on chips",
        )
    if floating is not None:
        ends = [point.spread for points in curves.values() for point in points]
        fig.add_scatter(
            x=[min(ends), max(ends)],
            y=[round(floating, 3)] * 2,
            mode="lines",
            line={"color": GREY, "width": 2},
            name="float",
        )
    fig.update_xaxes(title_text="factor on the standard deviations of ln R")
    fig.update_yaxes(title_text="test accuracy (%)")
    fig.update_layout(margin_b=90)
    return finished_spec(fig, 400)


def energy_plot(bars: Mapping[str, Mapping[str, float]]) -> Spec:
    """Energy of one inference by cause in nJ, a bar for each network and scheme.

    Args:
        bars: Energies in pJ by cause.
    """
    causes = list(dict.fromkeys(cause for bar in bars.values() for cause, value in bar.items() if value > 0))
    names = list(bars)[::-1]
    fig = go.Figure()
    for number, cause in enumerate(causes):
        fig.add_bar(
            y=names,
            x=[round(bars[name].get(cause, 0.0) / 1e3, 5) for name in names],
            orientation="h",
            name=cause.replace("_", " "),
            marker={"color": CAUSE_COLOURS[number % len(CAUSE_COLOURS)]},
        )
    totals = [sum(bars[name].values()) / 1e3 for name in names]
    totals_behind_bars(fig, totals, names, [f" {total:.3g} nJ" for total in totals])
    fig.update_layout(barmode="stack", margin_b=110)
    fig.update_xaxes(title_text="energy of one inference (nJ)", range=[0, 1.15 * max(totals)])
    return finished_spec(fig, 150 + 46 * len(names) + 90)


def _reach(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval; 0 for one value."""
    found = mean_interval(np.array(values, np.float64)[:, None], 0)
    return 0.0 if np.isnan(found.low) else round((found.high - found.low) / 2, 4)
