"""Figures of the page about a skyrmion reservoir."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from barkhausen.report.plots import (
    BLUE,
    CAUSE_COLOURS,
    INK,
    LAYER_COLOURS,
    MARKERS,
    ORANGE,
    SOFT_INK,
    Spec,
    finished_spec,
)

Arrays = Mapping[str, Mapping[str, np.ndarray]]
CAUSES = ("gate", "reads", "dac", "adc", "multiply_add", "weights", "normalise", "buffer")
NAMES = {"dac": "DAC", "adc": "ADC", "multiply_add": "multiply-adds", "weights": "fetches of weights"}
SHOWN = 240
"""Values of the longest series that is drawn."""


def forecasts(arrays: Arrays) -> Spec:
    """The first forecast of each method over the truth."""
    fig = go.Figure()
    longest = max(arrays.values(), key=lambda found: found["truth"].shape[1])["truth"][0]
    fig.add_scatter(y=np.round(longest, 4), name="truth", mode="lines", line={"color": INK, "width": 3})
    for number, (label, found) in enumerate(arrays.items()):
        fig.add_scatter(y=np.round(found["forecast"][0], 4), name=label, mode="lines", line=_line(number))
    fig.update_xaxes(title="steps after the last known value")
    fig.update_yaxes(title="value")
    return _with_legend(fig, 400, len(arrays) + 1)


def error_by_step(arrays: Arrays, axis: str = "steps after the last known value") -> Spec:
    """Root mean square over all forecasts against the steps ahead."""
    fig = go.Figure()
    for number, (label, found) in enumerate(arrays.items()):
        error = found["error_by_step"]
        fig.add_scatter(x=np.arange(1, len(error) + 1), y=_rounded(error), name=label, mode="lines", line=_line(number))
    spans = [
        float(found["error_by_step"].max() / max(found["error_by_step"].min(), 1e-12)) for found in arrays.values()
    ]
    fig.update_yaxes(title="error / standard deviation", type="log" if max(spans) > 30 else "linear")
    fig.update_xaxes(title=axis)
    return _with_legend(fig, 380, len(arrays))


def days(arrays: Arrays, unit: str) -> Spec:
    """Forecasts that follow one another, joined."""
    fig = go.Figure()
    truth = next(iter(arrays.values()))["truth"].reshape(-1)[:SHOWN]
    fig.add_scatter(y=np.round(truth, 4), name="truth", mode="lines", line={"color": INK, "width": 3})
    for number, (label, found) in enumerate(arrays.items()):
        made = found["forecast"].reshape(-1)[:SHOWN]
        fig.add_scatter(y=np.round(made, 4), name=label, mode="lines", line=_line(number))
    fig.update_xaxes(title="values since the start of the test part")
    fig.update_yaxes(title=f"value ({unit})" if unit else "value")
    return _with_legend(fig, 400, len(arrays) + 1)


def capacity(arrays: Arrays) -> Spec:
    """Contributions of each delay."""
    fig = make_subplots(rows=1, cols=2, shared_yaxes=True, subplot_titles=("short-term memory", "parity check"))
    for number, (label, found) in enumerate(arrays.items()):
        for column, name in enumerate(("memory", "parity"), 1):
            fig.add_scatter(
                x=np.arange(len(found[name])), y=np.round(found[name], 4), name=label, mode="lines+markers",
                line=_line(number), legendgroup=label, showlegend=column == 1, row=1, col=column,
            )  # fmt: skip
    fig.update_xaxes(title="delay d (steps)", dtick=2)
    fig.update_yaxes(range=[-0.03, 1.05])
    fig.update_yaxes(title="squared correlation", col=1)
    return _with_legend(fig, 340, len(arrays))


def nodes(inputs: Float[np.ndarray, " step"], states: Float[np.ndarray, "step node"]) -> Spec:
    """Inputs held, and all nodes one after the other."""
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.35, 0.65], vertical_spacing=0.07)
    steps = np.arange(len(inputs) + 1)
    held = np.append(inputs, inputs[-1])
    fig.add_scatter(
        x=steps, y=np.round(held, 4), mode="lines", line={"color": INK, "shape": "hv"}, showlegend=False, row=1, col=1
    )
    count = states.shape[1]
    times = (np.arange(states.size) + 1) / count
    fig.add_scatter(
        x=np.round(times, 4), y=np.round(states.reshape(-1), 5), mode="lines+markers", marker={"size": 3},
        line={"color": BLUE, "width": 1}, showlegend=False, row=2, col=1,
    )  # fmt: skip
    fig.add_scatter(
        x=steps[1:], y=np.round(states[:, -1], 5), mode="markers", marker={"color": ORANGE, "size": 6},
        name="last node of a step", row=2, col=1,
    )  # fmt: skip
    fig.update_yaxes(title="input u", row=1, col=1)
    fig.update_yaxes(title="m<sub>z</sub>", row=2, col=1)
    fig.update_xaxes(title="steps", row=2, col=1)
    return _with_legend(fig, 420, 1)


def energy(rows: Mapping[str, Mapping[str, Any]]) -> Spec:
    """Energy by cause of each method, and the sum, on a logarithmic axis: causes differ by seven decades."""
    fig = go.Figure()
    for number, cause in enumerate(CAUSES):
        found = {label: float(row.get(f"{cause}_femtojoule") or 0.0) for label, row in rows.items()}
        found = {label: value for label, value in found.items() if value > 0}
        fig.add_scatter(
            x=_rounded(np.array(list(found.values()))), y=list(found), mode="markers", name=NAMES.get(cause, cause),
            marker={
                "color": CAUSE_COLOURS[number % len(CAUSE_COLOURS)], "size": 9,
                "symbol": MARKERS[number % len(MARKERS)],
            },
        )  # fmt: skip
    fig.add_scatter(
        x=[float(f"{row['forecast_femtojoule']:.5g}") for row in rows.values()], y=list(rows), mode="markers",
        name="sum", marker={"color": INK, "size": 12, "symbol": "line-ns-open", "line": {"width": 3}},
    )  # fmt: skip
    fig.update_yaxes(autorange="reversed", color=SOFT_INK, categoryorder="array", categoryarray=list(rows))
    fig.update_xaxes(title="energy (fJ)", type="log", exponentformat="power", dtick=1)
    return _with_legend(fig, 140 + 30 * len(rows), 3)


def _line(number: int) -> dict[str, Any]:
    dashes = ("solid", "dash", "dot")
    return {
        "color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "width": 1.6,
        "dash": dashes[number // len(LAYER_COLOURS) % len(dashes)],
    }  # fmt: skip


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _with_legend(fig: go.Figure, height: int, entries: int) -> Spec:
    """A figure with room for its legend below."""
    fig.update_layout(legend={"font": {"size": 12}})
    return finished_spec(fig, height + 11 * entries)
