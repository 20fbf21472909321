"""Figures of the page about a skyrmion memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from barkhausen.report.plots import BLUE, GREY, INK, LAYER_COLOURS, ORANGE, SOFT_INK, VERMILLION, Spec, finished_spec
from barkhausen.reproduce.papers.rajib_2023.memory import FEMTO, Transition

SHADES = [[0.0, "#e8eef4"], [0.5, "#7fb2d9"], [1.0, "#0b4f86"]]
"""Colours of shares from 0 to 1."""


def stability_map(history: xr.Dataset) -> Spec:
    """Share of replicas that stay what they are, the smaller one of up and skyrmion, over D and Ku."""
    stay = history["stay"].transpose("texture", "anisotropy", "dmi")
    least = stay.min("texture").values
    text = [
        [f"up {up:.2f}<br>skyrmion {sk:.2f}" for up, sk in zip(*rows, strict=True)]
        for rows in zip(stay.values[0], stay.values[1], strict=True)
    ]
    fig = go.Figure(
        go.Heatmap(
            x=[f"{1e3 * value:.2f}" for value in history["dmi"].values],
            y=[f"{1e-6 * value:.2f}" for value in history["anisotropy"].values],
            z=[[round(float(value), 3) if np.isfinite(value) else None for value in row] for row in least],
            text=text,
            texttemplate="%{z:.2f}",
            hovertemplate="D %{x} mJ/m², Ku %{y} MJ/m³<br>%{text}<extra></extra>",
            colorscale=SHADES,
            zmin=0,
            zmax=1,
            colorbar={"title": "share"},
        )
    )
    fig.update_xaxes(title="D (mJ/m²)", type="category")
    fig.update_yaxes(title="Ku (MJ/m³)", type="category")
    return finished_spec(fig, 340)


def pulse_map(history: xr.Dataset, name: str, category: int) -> Spec:
    """Share of replicas that a pulse brings into a category, over its width and voltage."""
    table = history[f"{name}_map"].transpose(f"{name}_voltage", f"{name}_width", "category").values
    share = table[..., category] / np.maximum(table.sum(-1), 1)
    fig = go.Figure(
        go.Heatmap(
            x=[f"{1e9 * value:.2f}" for value in history[f"{name}_width"].values],
            y=[f"{value:+.2f}" for value in history[f"{name}_voltage"].values],
            z=np.round(share, 3),
            texttemplate="%{z:.2f}",
            hovertemplate="%{y} V for %{x} ns: %{z:.2f}<extra></extra>",
            colorscale=SHADES,
            zmin=0,
            zmax=1,
            colorbar={"title": "share"},
        )
    )
    fig.update_xaxes(title="width of the plateau (ns)", type="category")
    fig.update_yaxes(title="voltage (V)", type="category")
    return finished_spec(fig, 320)


def traces(history: xr.Dataset, name: str) -> Spec:
    """m_z of single replicas in time below the voltage."""
    time = 1e9 * history[f"{name}_time"].values
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.3, 0.7], vertical_spacing=0.06)
    fig.add_scatter(
        x=np.round(time, 3), y=np.round(history[f"{name}_voltage"].values, 3), mode="lines",
        line={"color": INK, "width": 2}, showlegend=False, row=1, col=1,
    )  # fmt: skip
    for mz in history[f"{name}_mz"].values:
        fig.add_scatter(
            x=np.round(time, 3), y=np.round(mz, 3), mode="lines", line={"color": BLUE, "width": 1}, opacity=0.45,
            hoverinfo="skip", showlegend=False, row=2, col=1,
        )  # fmt: skip
    fig.update_yaxes(title="voltage (V)", row=1, col=1)
    fig.update_yaxes(title="mean m<sub>z</sub>", range=[-1.05, 1.05], row=2, col=1)
    fig.update_xaxes(title="time (ns)", row=2, col=1)
    return finished_spec(fig, 380)


def confusion(rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Spec:
    """Textures after each sequence of pulses, as shares with their counts."""
    table = np.array(counts)
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    fig = go.Figure(
        go.Heatmap(
            x=list(columns),
            y=list(rows),
            z=np.round(share, 4),
            text=table,
            texttemplate="%{text}",
            hovertemplate="%{y}<br>%{x}: %{text} (%{z:.2%})<extra></extra>",
            colorscale=SHADES,
            zmin=0,
            zmax=1,
            showscale=False,
        )
    )
    fig.update_yaxes(autorange="reversed")
    fig.update_xaxes(title="texture found afterwards")
    return finished_spec(fig, 70 + 34 * len(rows))


def success(found: Sequence[Transition], wanted: float) -> Spec:
    """Probability of each transition with its interval, and the published one."""
    fig = go.Figure()
    labels = [item.label for item in found]
    ends = np.array([item.interval for item in found])
    share = np.array([item.share for item in found])
    fig.add_scatter(
        x=np.round(100 * share, 3),
        y=labels,
        error_x={
            "array": np.round(100 * (ends[:, 1] - share), 3),
            "arrayminus": np.round(100 * (share - ends[:, 0]), 3),
            "color": BLUE,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        showlegend=False,
    )
    fig.add_vline(x=100 * wanted, line={"color": VERMILLION, "dash": "dash"})
    fig.update_xaxes(title="share that ends in the wanted state (%), 95 % interval; dashed: published")
    fig.update_yaxes(autorange="reversed")
    return finished_spec(fig, 80 + 30 * len(found))


def energy(found: Sequence[Transition], published: Mapping[str, float]) -> Spec:
    """Energy of the pulses of each transition beside the published ones."""
    fig = go.Figure(
        go.Bar(
            x=[round(FEMTO * item.energy, 4) for item in found],
            y=[item.label for item in found],
            orientation="h",
            marker={"color": [LAYER_COLOURS[item.pulses % len(LAYER_COLOURS)] for item in found]},
            text=[f"{FEMTO * item.energy:.2f} fJ, {item.pulses} pulse{'s' * (item.pulses > 1)}" for item in found],
            textposition="auto",
            showlegend=False,
        )
    )
    for (name, value), colour in zip(published.items(), (VERMILLION, ORANGE, GREY), strict=False):
        fig.add_vline(x=value, line={"color": colour, "dash": "dash"}, annotation_text=name, annotation_position="top")
    longest = max([FEMTO * item.energy for item in found] + list(published.values()))
    fig.update_xaxes(title="energy of the pulses (fJ)", range=[0, 1.3 * longest])
    fig.update_yaxes(autorange="reversed")
    return finished_spec(fig, 90 + 30 * len(found))


def robustness(points: Mapping[str, Sequence[Transition]]) -> Spec:
    """Least likely and mean transition of each variant."""
    fig = go.Figure()
    names = list(points)
    for title, colour, pick in (("least likely transition", VERMILLION, min), ("most likely transition", BLUE, max)):
        chosen = [pick(found, key=lambda item: item.share) for found in points.values()]
        ends = np.array([item.interval for item in chosen])
        share = np.array([item.share for item in chosen])
        fig.add_scatter(
            x=names,
            y=np.round(100 * share, 2),
            error_y={
                "array": np.round(100 * (ends[:, 1] - share), 2),
                "arrayminus": np.round(100 * (share - ends[:, 0]), 2),
                "color": colour,
            },
            mode="markers",
            marker={"color": colour, "size": 9},
            name=title,
        )
    fig.update_yaxes(title="success (%)")
    return finished_spec(fig, 360)


def paths(history: xr.Dataset) -> Spec:
    """Energy along the paths of least energy, in kB T."""
    fig = go.Figure()
    table = history["path_energy"].transpose("way", "image").values
    for number, name in enumerate(history["way"].values):
        start, end = (str(history[f"way_{end}"].values[number]) for end in ("start", "end"))
        converged = bool(history["path_converged"].values[number])
        fig.add_scatter(
            y=np.round(table[number], 3),
            mode="lines+markers",
            line={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "dash": "solid" if converged else "dot"},
            name=f"{start} to {end}: {name}{'' if converged else ' (not converged)'}",
        )
    fig.update_xaxes(title="image along the path", color=SOFT_INK)
    fig.update_yaxes(title="energy (k<sub>B</sub>T)", range=[min(-60.0, float(table.min()) - 5), 80])
    return finished_spec(fig, 420)
