"""Figures of the pages about antiferromagnetic skyrmion neurons."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from barkhausen.core.units import FEMTO, NANO
from barkhausen.device.neuron.device import NeuronDevice
from barkhausen.report.plots import BLUE, GREEN, GREY, INK, LAYER_COLOURS, ORANGE, VERMILLION, Spec, finished_spec

TERA = 1e-12


def trajectories(data: xr.Dataset, prefix: str, marks: dict[str, float]) -> Spec:
    """Places of skyrmions in time below the current of one of them.

    Args:
        data: Content of the device file.
        prefix: ``still`` or ``thermal``.
        marks: Places in m that are marked, by name.
    """
    time = NANO * data[f"{prefix}_time"].values
    inputs = data[f"{prefix}_input"].values
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.28, 0.72], vertical_spacing=0.06)
    shown = int(np.argmax(inputs))
    current = data[f"{prefix}_current"].values[:, shown]
    # Each record ends the time for which its current flowed.
    edges = np.r_[0.0, time[:-1]]
    fig.add_scatter(
        x=np.round(np.c_[edges, time].ravel(), 4), y=np.round(TERA * np.repeat(current, 2), 4), mode="lines",
        line={"color": INK, "width": 1.5}, name=f"current of input {inputs[shown]:g}", showlegend=False, row=1, col=1,
    )  # fmt: skip
    known: set[float] = set()
    levels = sorted(set(inputs.tolist()))
    for replica, value in enumerate(inputs):
        place = NANO * data[f"{prefix}_x"].values[:, replica]
        fig.add_scatter(
            x=np.round(time, 4), y=[round(float(y), 2) if np.isfinite(y) else None for y in place], mode="lines",
            line={"color": LAYER_COLOURS[levels.index(value)], "width": 2 if prefix == "still" else 1.2},
            opacity=1.0 if prefix == "still" else 0.6, name="leak alone" if value == 0 else f"input {value:g}",
            showlegend=value not in known, row=2, col=1,
        )  # fmt: skip
        known.add(float(value))
    for name, mark in marks.items():
        fig.add_hline(
            y=NANO * mark, line={"color": GREY, "dash": "dash"}, annotation_text=name, annotation_position="top left",
            row=2, col=1,
        )  # fmt: skip
    fig.update_yaxes(title="J (TA/m²)", row=1, col=1)
    fig.update_yaxes(title="place (nm)", row=2, col=1)
    fig.update_xaxes(title="time (ns)", row=2, col=1)
    return finished_spec(fig, 440)


def leak(data: xr.Dataset) -> Spec:
    """Velocity of the leaking skyrmion against its place, beside the two estimates."""
    replica = int(np.flatnonzero(data["still_input"].values == 0)[0])
    place = NANO * data["still_x"].values[:, replica]
    fig = go.Figure()
    for name, title, colour, dash in (
        ("velocity", "simulated", BLUE, "solid"),
        ("thiele", "Thiele's equation, from the texture", VERMILLION, "dash"),
        ("large", "a much larger skyrmion, −2 Δ² γ (dKu/dx)/(α Ms)", ORANGE, "dot"),
    ):
        values = data[f"still_{name}"].values[:, replica]
        fig.add_scatter(
            x=np.round(place, 2), y=[round(float(v), 2) if np.isfinite(v) else None for v in values],
            mode="lines+markers" if name == "velocity" else "lines", marker={"size": 4},
            line={"color": colour, "dash": dash}, name=title,
        )  # fmt: skip
    fig.update_xaxes(title="place (nm)")
    fig.update_yaxes(title="velocity (m/s)", rangemode="tozero")
    return finished_spec(fig, 340)


def law(device: NeuronDevice) -> Spec:
    """Mean step of a period and its spread, over the place, for each drive."""
    tables, places = device.tables, NANO * device.data["place"].values
    fig = go.Figure()
    for number, drive in enumerate(device.drives):
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        fig.add_scatter(
            x=np.round(places + 0.3 * number, 2), y=np.round(NANO * tables.mean[number], 3),
            error_y={"array": np.round(NANO * tables.spread[number], 3), "color": colour, "thickness": 1},
            mode="lines+markers", line={"color": colour},
            name="leak alone" if drive == 0 else f"{TERA * drive:.3g} TA/m²",
        )  # fmt: skip
    fig.add_hline(y=0, line={"color": GREY, "width": 1})
    fig.update_xaxes(title="place, from rest to the threshold (nm)")
    fig.update_yaxes(title="step in a period (nm), bars: standard deviation")
    return finished_spec(fig, 360)


def firing(device: NeuronDevice) -> Spec:
    """Pulses at which neurons fired, for each drive."""
    fired_at = device.data["fired_at"].transpose("drive", "track", "cycle").values
    fig = go.Figure()
    largest = int(max(fired_at.max(), 1))
    for number, drive in enumerate(device.drives):
        found = fired_at[number]
        counts = np.bincount(found[found > 0], minlength=largest + 1)[1:]
        if counts.any():
            fig.add_bar(
                x=list(range(1, largest + 1)), y=counts.tolist(), name=f"{TERA * drive:.3g} TA/m²",
                marker={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)]},
            )  # fmt: skip
    fig.update_xaxes(title="pulses until the neuron fires", dtick=1)
    fig.update_yaxes(title="cycles", rangemode="tozero")
    return finished_spec(fig, 300)


def energy(parts: dict[str, float], published: float | None) -> Spec:
    """Energy of one operation by cause, beside the published one."""
    fig = go.Figure()
    for (name, joule), colour in zip(parts.items(), (BLUE, GREEN, ORANGE), strict=False):
        fig.add_bar(x=[FEMTO * joule], y=["ours"], orientation="h", name=name, marker={"color": colour})
    if published is not None:
        fig.add_vline(
            x=FEMTO * published, line={"color": VERMILLION, "dash": "dash"},
            annotation_text=f"published, {FEMTO * published:g} fJ", annotation_position="top right",
        )  # fmt: skip
    longest = FEMTO * max(sum(parts.values()), published or 0.0)
    fig.update_layout(barmode="stack")
    fig.update_xaxes(title="energy of one operation (fJ)", range=[0, 1.4 * longest])
    return finished_spec(fig, 190)
