"""Plots of a design search, as plotly specifications in light colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from barkhausen.core.units import FEMTO, NANO
from barkhausen.device.domain_wall.design import PARTS, Candidate, Score, Weights
from barkhausen.report.plots import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LAYER_COLOURS,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    SOFT_INK,
    VERMILLION,
    Spec,
    finished_spec,
    totals_behind_bars,
)

FAMILY_STYLES = {
    "rough": (GREY, "circle"),
    "equal-notches": (BLUE, "square"),
    "graded-notches": (VERMILLION, "diamond"),
    "gradient": (GREEN, "triangle-up"),
}

PART_COLOURS = dict(zip(PARTS, (VERMILLION, GREEN, BLUE, SKY, PURPLE, ORANGE, GREY), strict=True))
PART_NAMES = {
    "overlap": "overlap",
    "misplacement": "misplacement",
    "unevenness": "unevenness",
    "gap": "small gap",
    "failures": "failures",
    "not_home": "incomplete resets",
    "energy": "energy",
}

GROUPS = {
    "gate voltages": ("gate_voltage",),
    "pulses": ("current_density", "pulse_width", "reset_factor"),
    "track": ("notch", "anisotropy"),
}
"""Groups of variables drawn together, by the beginning of their names."""

MOST_POINTS = 1500
"""Largest number of candidates of a family that are drawn."""


def convergence_plot(families: Sequence[dict[str, Any]]) -> Spec:
    """Smallest cost found against the generation, with one line for each family."""
    fig = go.Figure()
    for entry in families:
        colour, symbol = FAMILY_STYLES[entry["family"]]
        costs = entry["best_by_generation"]
        fig.add_scatter(
            x=list(range(len(costs))),
            y=costs,
            mode="lines+markers" if len(costs) <= 40 else "lines",
            line={"color": colour, "width": 2, "shape": "hv"},
            marker={"symbol": symbol, "size": 6},
            name=entry["family"],
            hovertemplate="%{y:.3f}",
        )
    last = max(len(entry["best_by_generation"]) for entry in families) - 1
    fig.update_xaxes(title_text="generation", range=[-0.4, last + 0.4], tickformat="d", nticks=min(12, last + 2))
    fig.update_yaxes(title_text="least cost so far", rangemode="tozero", nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 380)


def states_plot(finalist: dict[str, Any], length: float) -> Spec:
    """Mean position ± standard deviation of each state against its gate voltage, and where the notches are.

    Args:
        finalist: Finalist of ``design.json``.
        length: Length of the track in m.
    """
    fig = go.Figure()
    for place in finalist["notches"]:
        fig.add_hline(y=NANO * place, line={"color": SOFT_INK, "width": 1, "dash": "dot"})
    confirmed = (finalist["confirmed"] or {}).get("states")
    for name, colour, symbol, states in (
        ("compact model", BLUE, "circle", finalist["compact"]["states"]),
        ("micromagnetics", VERMILLION, "diamond-open", confirmed),
    ):
        if states is None:
            continue
        fig.add_scatter(
            x=[round(voltage, 4) for voltage in states["voltage"]],
            y=[_nano(mean) for mean in states["mean"]],
            error_y={
                "type": "data",
                "array": [_nano(spread) or 0.0 for spread in states["spread"]],
                "thickness": 1.6,
                "width": 6,
                "color": colour,
            },
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
            name=name,
            hovertemplate="%{x} V: %{y:.1f} nm",
        )
    fig.update_xaxes(title_text="gate voltage (V)")
    fig.update_yaxes(title_text="wall position (nm)", range=[0, NANO * length], nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 380)


def pareto_plot(candidates: Sequence[Candidate], families: Sequence[dict[str, Any]]) -> Spec:
    """Overlap of neighbours against the energy of an event: every candidate, the front, and the best of each family."""
    fig = go.Figure()
    names = [entry["family"] for entry in families]
    for name in names:
        colour, symbol = FAMILY_STYLES[name]
        mine = [candidate.score for candidate in candidates if candidate.family == name]
        mine = mine[:: max(1, -(-len(mine) // MOST_POINTS))]
        fig.add_scatter(
            x=[round(FEMTO * score.energy, 2) for score in mine],
            y=[round(score.overlap, 4) for score in mine],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 5},
            opacity=0.45,
            name=name,
            hovertemplate="%{x:.4g} fJ, overlap %{y:.3f}",
        )
    front = pareto_front([candidate.score for candidate in candidates if candidate.family in names])
    fig.add_scatter(
        x=[round(FEMTO * score.energy, 2) for score in front],
        y=[round(score.overlap, 4) for score in front],
        mode="lines",
        line={"color": INK, "width": 1.2, "shape": "hv"},
        name="front",
        hoverinfo="skip",
    )
    for entry in families:
        colour, symbol = FAMILY_STYLES[entry["family"]]
        best = entry["finalists"][0]["compact"]["score"]
        fig.add_scatter(
            x=[round(FEMTO * best["energy"], 2)],
            y=[round(best["overlap"], 4)],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 13, "line": {"color": INK, "width": 2}},
            name=f"{entry['family']}, measured again",
            showlegend=False,
            hovertemplate=f"{entry['family']}, measured again: %{{x:.4g}} fJ, overlap %{{y:.3f}}",
        )
    fig.update_xaxes(title_text="energy of a programming event (fJ)", nticks=8)
    fig.update_yaxes(title_text="mean overlap of neighbours", rangemode="tozero", nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 440)


def pareto_front(scores: Sequence[Score]) -> list[Score]:
    """Those that no other beats in both energy and overlap, in order of energy."""
    front: list[Score] = []
    for score in sorted(scores, key=lambda score: (score.energy, score.overlap)):
        if not front or score.overlap < front[-1].overlap:
            front.append(score)
    return front


def sensitivity_plots(sweeps: Sequence[dict[str, Any]], own: Sequence[float]) -> list[tuple[str, Spec]]:
    """Cost against the change of one variable at a time, as a share of its range; the spread by chance shaded.

    Args:
        sweeps: Of ``design.json``.
        own: Costs of the unmoved design, evaluated several times.
    """
    mean, chance = float(np.mean(own)), 2 * float(np.std(own, ddof=1))
    highest = max([max(sweep["costs"]) for sweep in sweeps], default=mean)
    plots = []
    for title, beginnings in GROUPS.items():
        mine = [sweep for sweep in sweeps if sweep["variable"]["name"].startswith(beginnings)]
        if not mine:
            continue
        fig = go.Figure()
        fig.add_hrect(
            y0=max(0.0, mean - chance), y1=mean + chance, fillcolor=GREY, opacity=0.18, line_width=0, layer="below"
        )
        for number, sweep in enumerate(mine):
            variable = sweep["variable"]
            span = variable["high"] - variable["low"]
            fig.add_scatter(
                x=[round(100 * (value - sweep["centre"]) / span, 2) for value in sweep["values"]],
                y=[round(cost, 4) for cost in sweep["costs"]],
                mode="lines+markers",
                line={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "width": 2},
                marker={"symbol": MARKERS[number % len(MARKERS)], "size": 7},
                name=variable["name"].replace("_", " "),
                hovertemplate="%{x:+.0f} %: %{y:.3f}",
            )
        fig.update_xaxes(title_text="change (% of the range searched)", range=[-22, 22])
        fig.update_yaxes(title_text="cost", range=[0, 1.05 * highest], nticks=8)
        fig.update_layout(showlegend=True)
        plots.append((title, finished_spec(fig, 400)))
    return plots


def scenario_plot(scenarios: Sequence[dict[str, Any]], weights: Weights) -> Spec:
    """What each part adds to the cost under other conditions, one bar a condition."""
    possible = [scenario for scenario in scenarios if scenario["score"] is not None]
    labels = [scenario_name(scenario) for scenario in possible]
    parts = [Score(**scenario["score"]).parts(weights) for scenario in possible]
    fig = go.Figure()
    for name in PARTS:
        if not any(part[name] > 0 for part in parts):
            continue
        fig.add_bar(
            x=[round(part[name], 4) for part in parts],
            y=labels,
            orientation="h",
            name=PART_NAMES[name],
            marker={"color": PART_COLOURS[name], "line": {"width": 0}},
            hovertemplate="%{x:.3f}",
        )
    totals = [scenario["score"]["cost"] for scenario in possible]
    totals_behind_bars(fig, totals, labels, [f" {total:.3f}" for total in totals])
    fig.update_xaxes(title_text="cost", range=[0, 1.08 * max(totals, default=1.0)], nticks=7)
    fig.update_yaxes(categoryorder="array", categoryarray=labels, range=[len(labels) - 0.4, -0.6], showgrid=False)
    fig.update_layout(barmode="stack", bargap=0.3, showlegend=True)
    spec = finished_spec(fig, 150 + 26 * len(labels))
    # The total stands behind its bar, and so partly in the margin.
    spec["layout"]["margin"]["r"] = 64
    return spec


def scenario_name(scenario: dict[str, Any]) -> str:
    """The condition in words."""
    value = scenario["value"]
    return {
        "temperature": f"{value:g} K",
        "roughness": f"edges {NANO * value:g} nm rms",
        "notch depth": f"notches × {value:g}",
    }[scenario["quantity"]]


def _nano(value: float | None) -> float | None:
    return None if value is None else round(NANO * value, 2)
