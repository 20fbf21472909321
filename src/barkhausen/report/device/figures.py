"""Plots of a characterised device of any technology, as plotly specifications in light colours.

Each state keeps one colour throughout the page, from blue at the lowest state to red at the highest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from barkhausen.core.units import FEMTO
from barkhausen.device.coordinate import Quantity
from barkhausen.device.drives import Drive
from barkhausen.device.file_statistics import Density
from barkhausen.report.device.numbers import StateNumbers
from barkhausen.report.plots import (
    BLUE,
    DARK,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SKY,
    STATE_COLOURS,
    VERMILLION,
    Spec,
    finished_spec,
)
from barkhausen.report.render import sig

CAUSE_COLOURS = {"sot": VERMILLION, "gate": GREY, "read": BLUE}
"""Colours of known causes of energy; other causes take the remaining colours."""
MORE_COLOURS = (ORANGE, GREEN, SKY)
BINS_IN_A_SIGMA = 2.5
FEWEST_BINS, MOST_BINS = 30, 240


def state_colours(states: int) -> list[tuple[str, str]]:
    """A colour for each state on light and on dark pages, interpolated if there are more states than colours."""
    dark = [DARK[colour] for colour in STATE_COLOURS]
    places = np.linspace(0.0, len(STATE_COLOURS) - 1.0, states)
    return [(_mixed(STATE_COLOURS, place), _mixed(dark, place)) for place in places]


def _mixed(anchors: Sequence[str], place: float) -> str:
    left = min(int(place), len(anchors) - 2)
    share = place - left
    channels = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in anchors[left : left + 2]]
    mixed = [round((1 - share) * low + share * high) for low, high in zip(*channels, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def dark_colours(states: int) -> dict[str, str]:
    """The dark counterpart of every colour that these plots use."""
    return DARK | dict(state_colours(states))


def histogram_plot(
    values: Float[np.ndarray, "state device cycle"],
    densities: Sequence[Density | None],
    normals: Sequence[Density | None],
    quantity: Quantity,
) -> Spec:
    """Values of each state, the fitted distribution, the normal one and, below, the mean of each device.

    Args:
        values: Values of the state coordinate.
        densities: Grid points and density of the distribution of each state, where there is one.
        normals: The same of the normal distribution with the mean and the spread of each state; none where it is that
            distribution.
        quantity: Unit and name of the values.
    """
    factor, states = quantity.factor, len(values)
    edges = bin_edges(factor * values)
    width = edges[1] - edges[0]
    fine = max(2, 3 - math.floor(math.log10(edges[-1] - edges[0])))
    fig = go.Figure()
    for state, (colour, _) in enumerate(state_colours(states)):
        rows = values[state]
        seen = rows[np.isfinite(rows)]
        counts = np.histogram(factor * seen, edges)[0]
        fig.add_bar(
            x=listed(edges[:-1] + width / 2, fine + 1),
            y=counts.tolist(),
            width=float(width),
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.55,
            name=f"state {state}",
            legendgroup=str(state),
            hovertemplate=f"%{{x}} {quantity.unit}: %{{y}} events",
        )
        for curve, dash, what in ((densities[state], "solid", "distribution"), (normals[state], "dot", "normal")):
            if curve is None:
                continue
            fig.add_scatter(
                x=listed(factor * curve[0], fine),
                y=listed(curve[1] / factor * len(seen) * width, 4),
                mode="lines",
                line={"color": colour, "width": 2 if dash == "solid" else 1.4, "dash": dash},
                name=f"state {state}, {what}",
                legendgroup=str(state),
                showlegend=False,
                hoverinfo="skip",
            )
        devices = [factor * row[np.isfinite(row)].mean() for row in rows if np.isfinite(row).any()]
        fig.add_scatter(
            x=listed(np.array(devices), fine),
            y=[-state] * len(devices),
            yaxis="y2",
            mode="markers",
            name=f"state {state}, mean of a device",
            marker={"color": colour, "symbol": "line-ns-open", "size": 8, "line": {"width": 1.2, "color": colour}},
            legendgroup=str(state),
            showlegend=False,
            hovertemplate=f"mean of a device: %{{x}} {quantity.unit}",
        )
    rug = min(0.4, 0.06 + 0.025 * states)
    fig.update_layout(
        barmode="overlay",
        bargap=0,
        showlegend=True,
        yaxis={"title": {"text": "events per bin"}, "domain": [rug + 0.03, 1], "rangemode": "tozero"},
        yaxis2={"domain": [0, rug], "range": [-states + 0.3, 0.7], "tickvals": [], "showgrid": False},
    )
    fig.update_xaxes(
        title_text=quantity.named(quantity.coordinate.long_name),
        range=[float(edges[0]), float(edges[-1])],
        anchor="y2",
    )
    return finished_spec(fig, 400 + 6 * states)


def bin_edges(values: Float[np.ndarray, "state device cycle"]) -> Float[np.ndarray, " edge"]:
    """Common bin edges: several bins within the spread of a typical state, up to a limit on their number."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.045 * (high - low) or 0.5
    low, high = low - margin, high + margin
    spread = float(np.median(np.nanstd(values, axis=(1, 2))))
    number = (high - low) * BINS_IN_A_SIGMA / spread if spread > 0 else MOST_BINS
    edges: Float[np.ndarray, " edge"] = np.linspace(low, high, 1 + int(np.clip(number, FEWEST_BINS, MOST_BINS)))
    return edges


def drive_plot(
    values: Float[np.ndarray, "state device cycle"],
    states: Sequence[StateNumbers],
    drive: Drive | None,
    quantity: Quantity,
) -> Spec:
    """Mean of each state ± one standard deviation, and the mean of each device, against the drive.

    Args:
        values: Values of the state coordinate.
        states: Numbers of the states.
        drive: Drive that selects the states. None: their number is the axis.
        quantity: Unit and name of the values.
    """
    places = [float(k) for k in range(len(states))] if drive is None else (drive.factor * drive.values).tolist()
    name = "state" if drive is None else f"{drive.label} ({drive.shown_unit})"
    fig = go.Figure()
    counts = np.isfinite(values).sum(axis=2)
    by_device = np.where(counts > 0, np.nansum(values, axis=2) / np.maximum(counts, 1), np.nan)
    fig.add_scatter(
        x=[place for place, row in zip(places, by_device, strict=True) for _ in row],
        y=listed(quantity.factor * by_device.ravel(), quantity.decimals + 1),
        mode="markers",
        marker={"color": GREY, "size": 5, "symbol": "line-ew-open", "line": {"width": 1.2, "color": GREY}},
        name="mean of a device",
        hovertemplate="%{y}",
    )
    fig.add_scatter(
        x=places,
        y=listed(quantity.factor * np.array([state.mean.value for state in states]), quantity.decimals),
        error_y={
            "type": "data",
            "array": listed(quantity.factor * np.array([state.total_sigma for state in states]), quantity.decimals + 1),
            "thickness": 1.8,
            "width": 6,
            "color": BLUE,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        name="mean ± standard deviation",
        hovertemplate="%{y}",
    )
    fig.update_xaxes(
        title_text=name if drive is None else drive.heading, **(_states_on_axis(len(states)) if drive is None else {})
    )
    fig.update_yaxes(title_text=quantity.named(quantity.coordinate.name), nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 380)


def variance_plot(states: Sequence[StateNumbers], quantity: Quantity) -> Spec:
    """Device-to-device and cycle-to-cycle standard deviations of each state, with intervals where known."""
    factor = quantity.factor
    fig = go.Figure()
    for name, colour, symbol, shift, estimates in (
        ("between devices", BLUE, "circle", -0.13, [state.sigma_device for state in states]),
        ("between cycles", VERMILLION, "diamond", 0.13, [state.sigma_cycle for state in states]),
    ):
        bars: dict[str, Any] | None = None
        if any(estimate.known for estimate in estimates):
            bars = {
                "type": "data",
                "symmetric": False,
                "array": listed(factor * np.nan_to_num([e.high - e.value for e in estimates]), 6),
                "arrayminus": listed(factor * np.nan_to_num([e.value - e.low for e in estimates]), 6),
                "thickness": 1.8,
                "width": 5,
                "color": colour,
            }
        fig.add_scatter(
            x=[state.number + shift for state in states],
            y=listed(factor * np.array([estimate.value for estimate in estimates]), 6),
            error_y=bars,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 10},
            name=name,
            hovertemplate=f"%{{y:.4g}} {quantity.unit}",
        )
    fig.update_xaxes(title_text="state", range=[-0.6, len(states) - 0.4], **_states_on_axis(len(states)))
    fig.update_yaxes(title_text=quantity.named("standard deviation"), rangemode="tozero")
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 360)


def energy_plot(states: Sequence[StateNumbers], causes: Mapping[str, str]) -> Spec:
    """Energy of one programming attempt to each state, stacked by cause.

    Args:
        states: Numbers of the states.
        causes: Labels of the causes of energy.
    """
    fig = go.Figure()
    numbers = [state.number for state in states]
    more = itertools.cycle(MORE_COLOURS)
    for cause, label in causes.items():
        fig.add_bar(
            x=[FEMTO * state.energy[cause] for state in states],
            y=numbers,
            orientation="h",
            name=label,
            marker={"color": CAUSE_COLOURS.get(cause) or next(more), "line": {"width": 0}},
            hovertemplate="%{x:.4g} fJ",
        )
    totals = [FEMTO * state.total_energy for state in states]
    fig.add_scatter(
        x=totals,
        y=numbers,
        mode="text",
        text=[f" {sig(total, 3)} fJ" for total in totals],
        textfont={"color": INK},
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    fig.update_xaxes(title_text="energy (fJ)", range=[0, 1.08 * max(totals) or 1.0], nticks=7)
    fig.update_yaxes(
        title_text="state", range=[len(states) - 0.4, -0.6], showgrid=False, **_states_on_axis(len(states))
    )
    fig.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    spec = finished_spec(fig, 150 + 30 * len(states))
    # The total is written beside its bar, and so partly in the margin.
    spec["layout"]["margin"]["r"] = 64
    return spec


def _states_on_axis(states: int) -> dict[str, Any]:
    """Axis of state numbers, with fewer ticks where there are many states."""
    return {"tickmode": "linear", "tick0": 0, "dtick": max(1, round(states / 12))}


def listed(values: Float[np.ndarray, " value"], decimals: int) -> list[float | None]:
    """Values rounded to the resolution of a plot; NaN is a gap."""
    return [float(value) if np.isfinite(value) else None for value in np.round(values, decimals)]
