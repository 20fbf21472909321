"""Plots of a search for a front, as plotly specifications in light colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from barkhausen.core.units import FEMTO
from barkhausen.device.domain_wall.design.front import Found, Limits
from barkhausen.report.plots import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SOFT_INK,
    VERMILLION,
    Spec,
    finished_spec,
    state_colour,
)

OVERLAPS = ((0.01, GREEN, "circle"), (0.05, BLUE, "square"), (0.2, ORANGE, "diamond"), (1.0, VERMILLION, "x"))
"""Classes of overlap: largest of the class, colour, marker."""

MARKS = (
    (1e-6, "1 µs"), (1e-3, "1 ms"), (1.0, "1 s"), (3600.0, "1 h"), (86_400.0, "1 day"), (3.156e7, "1 year"),
    (3.156e8, "10 years"), (3.156e11, "10⁴ years"), (3.156e15, "10⁸ years"),
)  # fmt: skip
"""Times that label an axis."""

LONGEST = 1e20
"""Retention in s from which on designs are drawn at one place."""

MOST_POINTS = 3000
"""Largest number of candidates that are drawn."""

Mapping = dict[str, Any]


def front_plot(points: Sequence[Found], finalists: Sequence[Mapping], limits: Limits) -> Spec:
    """Energy of an event against retention: every candidate by its overlap, the finalists, and their confirmations."""
    fig = go.Figure()
    possible = [p for p in points if p.merits is not None and p.merits.retention > 0]
    possible = possible[:: max(1, -(-len(possible) // MOST_POINTS))]
    below = -1.0
    for largest, colour, symbol in OVERLAPS:
        mine = [p.merits for p in possible if p.merits is not None and below < p.merits.overlap <= largest]
        fig.add_scatter(
            x=[_time(m.retention) for m in mine],
            y=[round(FEMTO * m.energy, 2) for m in mine],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 5},
            opacity=0.45,
            name=f"overlap up to {largest:g}" if largest < 1 else f"overlap above {below:g}",
            customdata=[round(m.overlap, 3) for m in mine],
            hovertemplate="%{y:.4g} fJ, %{x:.3g} s, overlap %{customdata}",
        )
        below = largest
    fig.add_scatter(
        x=[_time(f["merits"]["retention"]) for f in finalists],
        y=[round(FEMTO * f["merits"]["energy"], 2) for f in finalists],
        mode="markers",
        marker={"color": INK, "symbol": "circle-open", "size": 11, "line": {"width": 2, "color": INK}},
        name="measured again",
        hovertemplate="measured again: %{y:.4g} fJ, %{x:.3g} s",
    )
    confirmed = [f["confirmed"] for f in finalists if (f["confirmed"] or {}).get("merits")]
    if confirmed:
        times = [_time(c["merits"]["retention"]) for c in confirmed]
        ends = [[_time(end) for end in c["retention_interval"]] for c in confirmed]
        fig.add_scatter(
            x=times,
            y=[round(FEMTO * c["merits"]["energy"], 2) for c in confirmed],
            error_x={
                "type": "data",
                "array": [high - time for time, (_, high) in zip(times, ends, strict=True)],
                "arrayminus": [time - low for time, (low, _) in zip(times, ends, strict=True)],
                "color": INK,
                "thickness": 1.4,
            },
            mode="markers",
            marker={"color": INK, "symbol": "star", "size": 13},
            name="micromagnetics",
            hovertemplate="micromagnetics: %{y:.4g} fJ, %{x:.3g} s",
        )
    if limits.retention is not None:
        fig.add_vline(x=limits.retention, line={"color": SOFT_INK, "width": 1, "dash": "dot"})
    if limits.energy is not None:
        fig.add_hline(y=FEMTO * limits.energy, line={"color": SOFT_INK, "width": 1, "dash": "dot"})
    fig.update_xaxes(
        title_text="retention of the 10 % worst device in the worst state",
        type="log",
        tickvals=[time for time, _ in MARKS],
        ticktext=[label for _, label in MARKS],
    )
    energies = [scale * 10**power for power in range(-1, 6) for scale in (1, 2, 5)]
    fig.update_yaxes(
        title_text="energy of a programming event (fJ)",
        type="log",
        tickvals=energies,
        ticktext=[f"{energy:g}" for energy in energies],
    )
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 480)


def progress_plot(rows: Sequence[Mapping]) -> Spec:
    """Number of designs that keep all limits, up to each generation."""
    fig = go.Figure()
    fig.add_scatter(
        x=list(range(len(rows))),
        y=[row["feasible"] for row in rows],
        mode="lines",
        line={"color": BLUE, "width": 2, "shape": "hv"},
        hovertemplate="%{y}",
    )
    fig.update_xaxes(title_text="generation", tickformat="d", nticks=min(12, len(rows) + 1))
    fig.update_yaxes(title_text="designs that keep all limits", rangemode="tozero", nticks=8)
    return finished_spec(fig, 300)


def scan_plot(finalist: Mapping) -> Spec:
    """Share of the walls at the place of each state against the gate voltage, in micromagnetics, and those chosen."""
    fig = go.Figure()
    scan = finalist["confirmed"]["scan"]
    states = len(scan["shares"])
    for state, row in enumerate(scan["shares"]):
        fig.add_scatter(
            x=[round(v, 4) for v in scan["voltages"]],
            y=[round(share, 4) for share in row],
            mode="lines+markers",
            line={"color": state_colour(state, states), "width": 2},
            name=f"state {state}",
            hovertemplate="%{x} V: %{y:.2f}",
        )
    for voltage in finalist["confirmed"]["voltages"]:
        fig.add_vline(x=voltage, line={"color": SOFT_INK, "width": 1, "dash": "dot"})
    fig.update_xaxes(title_text="gate voltage (V)")
    fig.update_yaxes(title_text="share of walls", range=[-0.05, 1.05])
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 340)


def barrier_plot(finalist: Mapping) -> Spec:
    """Barriers of each device in each state of a confirmed design."""
    fig = go.Figure()
    for state, row in enumerate(finalist["confirmed"]["barrier"]):
        values = [value for value in row if value is not None]
        # Side by side, in the order of the devices.
        places = state + 0.5 * (np.arange(len(values)) / max(1, len(values) - 1) - 0.5)
        fig.add_scatter(
            x=[round(float(place), 3) for place in places],
            y=[round(value, 2) for value in values],
            mode="markers",
            marker={"color": state_colour(state, len(finalist["confirmed"]["barrier"])), "size": 7},
            name=f"state {state}",
            hovertemplate="%{y:.1f} k<sub>B</sub>T",
        )
    fig.update_xaxes(title_text="state", dtick=1)
    fig.update_yaxes(title_text="barrier (k<sub>B</sub>T)", rangemode="tozero", nticks=8)
    fig.update_layout(showlegend=False)
    return finished_spec(fig, 340)


def _time(seconds: float | None) -> float:
    """A time in the range of the axis."""
    return float(f"{min(max(seconds or 0.0, 1e-12), LONGEST):.4g}")
