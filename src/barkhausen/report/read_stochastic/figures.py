"""Curves of probability, trained probabilities and accuracy against the number of reads, as figures of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go

from barkhausen.core.units import labelled
from barkhausen.device.probability import ProbabilityDevice
from barkhausen.device.statistics.shares import wilson
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREEN, GREY, ORANGE, SKY, VERMILLION, Spec, finished_spec

PLACES = 201
REACH = 6.0
"""Width of the axis of drives on either side of the midpoint, in units of the inverse slope."""


@dataclass(frozen=True)
class Measured:
    """Accuracy at one number of reads, over models.

    Attributes:
        reads: Number of reads.
        mean: Mean accuracy in %.
        low, high: 95 % interval of the mean.
        models: Number of models.
    """

    reads: int
    mean: float
    low: float
    high: float
    models: int


def curve_panel(devices: Mapping[str, ProbabilityDevice]) -> Panel:
    """Probability of passing against the drive of each device, with the counts that it was fitted to."""
    plots, rows = [], []
    for name, device in devices.items():
        plots.append((f"{name}: probability of passing", _curve_plot(device)))
        curve, unit = device.curve, device.drive[1]
        values = zip(
            ("midpoint", "slope", "amplitude", "midpoint_spread"),
            (curve.midpoint, curve.slope, curve.amplitude, device.spread),
            (unit, f"1/({unit})", "1", unit),
            strict=True,
        )
        for key, value, units in values:
            bounds = device.interval(key)
            between = "–" if bounds is None else f"{bounds[0]:.4g} to {bounds[1]:.4g}"
            rows.append((name, key.replace("_", " "), f"{value:.6g}", between, "" if units == "1" else units))
    fitted = any(device.counts is not None for device in devices.values())
    caption = (
        "Probability that the wall passes the notch against the drive: the curve of the wire with the mean midpoint"
    )
    caption += ", and two standard deviations of the midpoint between wires on either side (shaded)"
    caption += "; points: share of simulated attempts of all wires with 95 % Wilson intervals." if fitted else "."
    return Panel(
        "Probability of passing", caption, plots, ("device", "parameter", "value", "95 % interval", "unit"), rows
    )


def _curve_plot(device: ProbabilityDevice) -> Spec:
    curve, (drive, unit) = device.curve, device.drive
    half = REACH / curve.slope + 2 * device.spread
    counts = device.counts
    low, high = curve.midpoint - half, curve.midpoint + half
    if counts is not None:
        low, high = min(low, counts.drive.min()), max(high, counts.drive.max())
    x = np.linspace(max(low, 0.0), high, PLACES)
    fig = go.Figure()
    if device.spread > 0:
        edges = [curve(x + shift * device.spread) for shift in (-2, 2)]
        fig.add_scatter(x=x, y=edges[0], mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
        fig.add_scatter(
            x=x, y=edges[1], mode="lines", line={"width": 0}, fill="tonexty", name="two deviations between wires",
            fillcolor="rgba(47, 155, 214, 0.25)", hoverinfo="skip",
        )  # fmt: skip
    fig.add_scatter(x=x, y=curve(x), mode="lines", line={"color": BLUE, "width": 2}, name="curve")
    if counts is not None:
        passes, attempts = counts.passes.sum(axis=1), counts.attempts.sum(axis=1)
        share = passes / attempts
        bounds = np.array([wilson(int(k), int(n)) for k, n in zip(passes, attempts, strict=True)])
        fig.add_scatter(
            x=counts.drive, y=share, mode="markers", marker={"color": VERMILLION, "size": 7}, name="simulated",
            error_y={"type": "data", "array": bounds[:, 1] - share, "arrayminus": share - bounds[:, 0]},
        )  # fmt: skip
    fig.update_xaxes(title=escape(labelled(drive, unit.replace("m2", "m²"))), exponentformat="power")
    fig.update_yaxes(title="probability of passing", range=[-0.03, 1.03])
    return finished_spec(fig, 330)


def histogram_panel(histograms: Mapping[str, Sequence[Sequence[int]]], shares: Mapping[str, str]) -> Panel:
    """Trained probabilities of all devices, a plot for each number of reads.

    Args:
        histograms: Histograms over [0, 1] of each model, by label.
        shares: Further figures of each, as text: nearly deterministic share, mean variance.
    """
    plots, rows = [], []
    for (label, each), colour in zip(histograms.items(), (VERMILLION, BLUE, GREEN, ORANGE, SKY), strict=False):
        counts = np.sum(np.array(each, np.float64), axis=0)
        density = counts / counts.sum()
        edges = np.linspace(0.0, 1.0, len(counts) + 1)
        fig = go.Figure()
        fig.add_bar(x=(edges[1:] + edges[:-1]) / 2, y=100 * density, marker={"color": colour}, name=escape(label))
        fig.update_xaxes(title="probability of passing", range=[0, 1])
        fig.update_yaxes(title="devices (%)")
        fig.update_layout(bargap=0, showlegend=False)
        plots.append((f"Trained probabilities, {label}", finished_spec(fig, 300)))
        rows.append((label, str(len(each)), shares[label]))
    caption = (
        "Histograms of the probabilities of all devices after training, all models together. Each bar is a fiftieth of "
        "the range. A device whose input is never on is not drawn while learning, and stays at the midpoint."
    )
    return Panel("Trained probabilities", caption, plots, ("networks", "models", "nearly deterministic"), rows)


def accuracy_panel(measured: Mapping[str, Sequence[Measured]], baseline: tuple[float, float, float] | None) -> Panel:
    """Accuracy against the number of reads, beside the float perceptron.

    Args:
        measured: Points by device.
        baseline: Mean of the float perceptron in % and its 95 % interval; None without one.
    """
    fig = go.Figure()
    rows = []
    reads = sorted({point.reads for points in measured.values() for point in points})
    for (name, points), colour in zip(measured.items(), (BLUE, ORANGE, GREEN, VERMILLION), strict=False):
        ordered = sorted(points, key=lambda point: point.reads)
        mean = np.array([point.mean for point in ordered])
        fig.add_scatter(
            x=[point.reads for point in ordered], y=mean, mode="lines+markers", name=escape(name),
            line={"color": colour}, marker={"color": colour, "size": 7},
            error_y={
                "type": "data",
                "array": np.array([point.high for point in ordered]) - mean,
                "arrayminus": mean - np.array([point.low for point in ordered]),
            },
        )  # fmt: skip
        rows += [
            (
                name,
                str(p.reads),
                f"{p.mean:.2f}",
                "–" if p.models < 2 else f"{p.low:.2f} to {p.high:.2f}",
                str(p.models),
            )
            for p in ordered
        ]
    if baseline is not None and reads:
        mean_, low, high = baseline
        fig.add_scatter(
            x=[reads[0], reads[-1]], y=[mean_, mean_], mode="lines", name="float perceptron",
            line={"color": GREY, "dash": "dash"},
        )  # fmt: skip
        rows.append(("float perceptron", "–", f"{mean_:.2f}", f"{low:.2f} to {high:.2f}", "–"))
    fig.update_xaxes(title="reads of each device N", type="log", tickvals=reads, ticktext=[str(n) for n in reads])
    fig.update_yaxes(title="test accuracy (%)")
    caption = (
        "Test accuracy against the number of reads in a forward pass: mean over models, each the mean of its "
        "evaluations, with 95 % t-intervals. The axis does not start at zero."
    )
    return Panel(
        "Accuracy against the number of reads",
        caption,
        [("Accuracy against the number of reads", finished_spec(fig, 360))],
        ("device", "reads", "accuracy (%)", "95 % interval (%)", "models"),
        rows,
    )
