"""Reliability, accuracy against rejection and entropies of networks, as figures of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from barkhausen.learning.uncertainty.measured import FIGURES, OF_MEMBERS
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREY, LAYER_COLOURS, MARKERS, VERMILLION, Spec, finished_spec

Summaries = Mapping[str, Mapping[str, Any]]
"""Summaries of :meth:`.Uncertainty.summary` by name."""

MOST_ENTROPIES = 6
"""Networks whose entropies are drawn; the table has those of all."""

INTERVALS = "95 % bootstrap intervals over samples"


def uncertainty_panels(networks: Summaries, about: str = "") -> list[Panel]:
    """Table of figures, reliability, accuracy against rejection, and entropies of correct and wrong samples.

    Args:
        networks: What was measured, by the name of the network.
        about: A sentence about what the networks are.
    """
    return [
        figures_panel(networks, about),
        reliability_panel(networks),
        rejection_panel(networks),
        entropy_panel(networks),
    ]


def figures_panel(networks: Summaries, about: str = "") -> Panel:
    """Figures of the predictive mean with their intervals, and of single members, a column for each network."""
    found = list(networks.values())
    rows = [["members", *(f"{each['members']} ({each['what']})" for each in found)]]
    rows += [[label, *(with_interval(each["figures"][name]) for each in found)] for name, label in FIGURES.items()]
    if any(each["members"] > 1 for each in found):
        rows += [
            [f"{FIGURES[name]}, single members", *(f"{each['single'][name]:.4f}" for each in found)]
            for name in OF_MEMBERS
        ]
    text = (
        "Probabilities averaged over the members (stochastic passes, chips or networks), and below them the mean over "
        f"single members. In brackets: {INTERVALS}. The calibration error is biased upwards where bins hold few "
        "samples. Mutual information is how much members disagree; the areas are those under the error rate of the "
        "samples kept (the lower, the better) and under the ROC curve of the entropy as a sign of errors."
    )
    return Panel("Uncertainty", f"{about} {text}".strip(), [], ["predictive mean", *networks], rows)


def reliability_panel(networks: Summaries) -> Panel:
    """Accuracy against confidence, a network a plot."""
    plots = [(f"Reliability of {name}", _reliability(summary)) for name, summary in networks.items()]
    rows = [
        [
            name,
            f"{row['low']:.3f} to {row['high']:.3f}",
            str(row["samples"]),
            f"{row['confidence']:.4f}",
            f"{row['accuracy']:.4f} ({row['accuracy_low']:.4f} to {row['accuracy_high']:.4f})",
        ]
        for name, summary in networks.items()
        for row in summary["reliability"]
    ]
    return Panel(
        "Reliability",
        "Accuracy against the confidence of the predictive mean, in bins of confidence; bars: 95 % Wilson intervals; "
        "the area of a mark grows with the samples in its bin. On the dashed line confidence is accuracy; below it the "
        "network is too sure.",
        plots,
        ["network", "bin", "samples", "mean confidence", "accuracy"],
        rows,
    )


def rejection_panel(networks: Summaries) -> Panel:
    """Accuracy of the samples kept against the share that is rejected."""
    fig = go.Figure()
    rows = []
    for number, (name, summary) in enumerate(networks.items()):
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        rejected = [round(100 * (1 - share), 2) for share in summary["rejection"]["kept"]]
        curve = np.array(summary["rejection"]["accuracy"], np.float64) * 100
        if len(networks) == 1:
            fig.add_scatter(
                x=rejected, y=curve[:, 1], mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip"
            )
            fig.add_scatter(
                x=rejected, y=curve[:, 2], mode="lines", line={"width": 0}, fill="tonexty", name="95 % interval",
                fillcolor="rgba(0, 114, 178, 0.2)", hoverinfo="skip",
            )  # fmt: skip
        fig.add_scatter(
            x=rejected, y=curve[:, 0].round(4), mode="lines+markers", name=escape(name),
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": MARKERS[number % len(MARKERS)], "size": 6},
        )  # fmt: skip
        rows += [
            [name, f"{at:g} %", f"{value:.2f} %", f"{low:.2f} to {high:.2f} %"]
            for at, (value, low, high) in zip(rejected, curve, strict=True)
        ]
    fig.update_xaxes(title_text="most uncertain samples rejected (%)")
    fig.update_yaxes(title_text="accuracy of the others (%)")
    fig.update_layout(margin_b=60 + 22 * len(networks))
    spec = finished_spec(fig, 360 + 12 * len(networks))
    return Panel(
        "Accuracy against rejection",
        f"Accuracy of the samples that are left when those of largest predictive entropy are rejected; {INTERVALS} in "
        "the data. The axis does not start at zero.",
        [("Accuracy against rejection", spec)],
        ["network", "rejected", "accuracy of the others", "95 % interval"],
        rows,
    )


def entropy_panel(networks: Summaries) -> Panel:
    """Predictive entropies of correct and wrong samples, a network a plot."""
    shown = list(networks.items())[:MOST_ENTROPIES]
    plots = [(f"Predictive entropy of {name}", _entropies(summary)) for name, summary in shown]
    rows = []
    for name, summary in networks.items():
        edges = np.array(summary["entropies"]["edges"])
        middles = (edges[1:] + edges[:-1]) / 2
        for which in ("correct", "wrong"):
            counts = np.array(summary["entropies"][which], np.float64)
            mean = f"{float(counts @ middles / counts.sum()):.3f}" if counts.sum() else "–"
            rows.append([f"{name}, {which}", f"{counts.sum():.0f}", mean])
    return Panel(
        "Entropy of correct and of wrong samples",
        "Histograms of the predictive entropy, each as a share of its samples. A network that knows when it is wrong "
        "has wrong samples at the right, correct ones at the left.",
        plots,
        ["samples", "number", "mean entropy (nats, from the histogram)"],
        rows,
    )


def with_interval(figure: Sequence[float | None]) -> str:
    """A figure with its interval; a dash where it is not defined."""
    value, low, high = figure
    if value is None:
        return "–"
    return f"{value:.4f}" if low is None or high is None else f"{value:.4f} ({low:.4f} to {high:.4f})"


def _reliability(summary: Mapping[str, Any]) -> Spec:
    rows = summary["reliability"]
    x, y, low, high, count = (
        np.array([row[key] for row in rows])
        for key in ("confidence", "accuracy", "accuracy_low", "accuracy_high", "samples")
    )
    fig = go.Figure()
    fig.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dash"}, name="calibrated", hoverinfo="skip"
    )
    fig.add_scatter(
        x=x.round(5), y=y.round(5), mode="markers", name="bins",
        marker={"color": BLUE, "size": (6 + 14 * np.sqrt(count / count.max())).round(1)},
        error_y={"type": "data", "array": (high - y).clip(0).round(5), "arrayminus": (y - low).clip(0).round(5),
                 "color": BLUE, "thickness": 1.5, "width": 4},
        customdata=count, hovertemplate="confidence %{x:.3f}, accuracy %{y:.3f}, %{customdata} samples",
    )  # fmt: skip
    least = max(0.0, min(1 / summary["classes"], float(x.min())) - 0.03)
    fig.update_xaxes(title_text="confidence", range=[least, 1.02])
    fig.update_yaxes(title_text="accuracy", range=[min(least, float(low.min())), 1.04])
    return finished_spec(fig, 340)


def _entropies(summary: Mapping[str, Any]) -> Spec:
    edges = np.array(summary["entropies"]["edges"])
    fig = go.Figure()
    for name, colour in (("correct", BLUE), ("wrong", VERMILLION)):
        counts = np.array(summary["entropies"][name], np.float64)
        if counts.sum():
            fig.add_bar(
                x=((edges[1:] + edges[:-1]) / 2).round(5), y=(100 * counts / counts.sum()).round(3), opacity=0.6,
                marker={"color": colour, "line": {"width": 0}}, name=f"{name} ({counts.sum():.0f})",
                width=float(edges[1] - edges[0]),
            )  # fmt: skip
    fig.update_xaxes(title_text="predictive entropy (nats)", range=[0, float(edges[-1])])
    fig.update_yaxes(title_text="samples (%)")
    fig.update_layout(barmode="overlay", showlegend=True)
    return finished_spec(fig, 320)
