"""Plots of a characterisation, as plotly specifications in light colours.

Each state keeps one colour throughout the page, from blue at the left end of the track to red at the right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float

from barkhausen.core.units import FEMTO, NANO
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.report.device.numbers import StateNumbers
from barkhausen.report.device.wave_pictures import pulses
from barkhausen.report.figure_files import csv_text
from barkhausen.report.plots import (
    BLUE,
    DARK,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SKY,
    SOFT_INK,
    STATE_COLOURS,
    VERMILLION,
    Spec,
    finished_spec,
)
from barkhausen.report.render import sig

MOST_LINES = 300
"""Largest number of trajectories drawn over all states; more could not be distinguished or drawn quickly."""

FEW_LINES = 30
"""Largest number of trajectories drawn with bold lines."""

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


def lines_of_a_state(states: int, events: int) -> int:
    """Number of trajectories drawn for each state."""
    return min(events, max(5, MOST_LINES // states))


def trajectory_plot(history: xr.Dataset, event: ProgrammingEvent, reset_position: float | None) -> Spec:
    """Wall position against time, with one thin line for each event and shaded pulses.

    Args:
        history: History of the characterisation.
        event: Event whose pulses are shaded.
        reset_position: Wall position in m after a reset, if known.
    """
    walls = history["wall_position"].transpose("state", "device", "cycle", "time").values
    states, times = len(walls), NANO * history["time"].values
    fig = go.Figure()
    # A gap separates each event from the next one of the same trace. The page holds the times once for each trace and
    # repeats them for each event; otherwise they would be a third of its size.
    instants = [*_listed(times, 5), None]
    drawn_lines: dict[str, list[str]] = {}
    few = lines_of_a_state(states, walls[0, ..., 0].size) * states <= FEW_LINES
    for state, (colour, _) in enumerate(state_colours(states)):
        rows = walls[state].reshape(-1, len(times))
        chosen = np.linspace(0, len(rows) - 1, lines_of_a_state(states, len(rows))).round().astype(int)
        for event_number in chosen:
            positions = NANO * rows[event_number]
            drawn_lines[f"state {state} event {event_number} (nm)"] = [
                "" if math.isnan(p) else f"{p:.1f}" for p in positions
            ]
        fig.add_scatter(
            x=instants,
            meta={"times": len(chosen)},
            y=np.pad(NANO * rows[chosen], ((0, 0), (0, 1)), constant_values=np.nan).ravel().astype(np.float32),
            mode="lines",
            line={"color": colour, "width": 1.6 if few else 0.8},
            opacity=0.9 if few else 0.65,
            name=f"state {state}",
            hovertemplate="%{y:.1f} nm",
        )
    for name, start, stop in pulses(event):
        fig.add_vrect(
            x0=NANO * start,
            x1=NANO * stop,
            fillcolor=GREY,
            opacity=0.16,
            line_width=0,
            layer="below",
            annotation={"text": name, "font": {"color": SOFT_INK, "size": 12}, "yref": "paper", "y": 1.0},
            annotation_position="top",
            annotation_yanchor="bottom",
        )
    if reset_position is not None and np.isfinite(reset_position):
        fig.add_hline(
            y=NANO * reset_position,
            line={"color": SOFT_INK, "width": 1, "dash": "dot"},
            annotation={"text": "reset position", "font": {"color": SOFT_INK, "size": 12}},
            annotation_position="top right",
        )
    fig.update_xaxes(title_text="time (ns)", range=[0, float(times[-1])], nticks=9)
    fig.update_yaxes(title_text="wall position (nm)", nticks=8)
    fig.update_layout(showlegend=True)
    spec = finished_spec(fig, 440)
    # Otherwise the samples in the legend would be as thin and pale as the lines.
    spec["layout"]["legend"]["itemsizing"] = "constant"
    # One column for each event; as rows, thousands of positions would repeat their time and state.
    written = [f"{time:.4g}" for time in times]
    spec["csv"] = csv_text(["time (ns)", *drawn_lines], list(zip(written, *drawn_lines.values(), strict=True)))
    return spec


def histogram_plot(
    positions: Float[np.ndarray, "state device cycle"],
    densities: Sequence[tuple[Float[np.ndarray, " place"], Float[np.ndarray, " place"]] | None],
) -> Spec:
    """Resting positions of each state, the fitted distribution and, below, the mean of each device.

    Args:
        positions: Resting positions in m.
        densities: Grid points in m and density in 1/m of the distribution of each state, where there is one.
    """
    states = len(positions)
    edges = bin_edges(positions)
    width = edges[1] - edges[0]
    fig = go.Figure()
    for state, (colour, _) in enumerate(state_colours(states)):
        rows = positions[state]
        seen = rows[np.isfinite(rows)]
        counts = np.histogram(NANO * seen, edges)[0]
        fig.add_bar(
            x=_listed(edges[:-1] + width / 2, 3),
            y=counts.tolist(),
            width=float(width),
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.55,
            name=f"state {state}",
            legendgroup=str(state),
            hovertemplate="%{x:.1f} nm: %{y} events",
        )
        curve = densities[state]
        if curve is not None:
            fig.add_scatter(
                x=_listed(NANO * curve[0], 2),
                y=_listed(curve[1] / NANO * len(seen) * width, 4),
                mode="lines",
                line={"color": colour, "width": 2},
                name=f"state {state}, distribution",
                legendgroup=str(state),
                showlegend=False,
                hoverinfo="skip",
            )
        devices = [NANO * row[np.isfinite(row)].mean() for row in rows if np.isfinite(row).any()]
        fig.add_scatter(
            x=_listed(np.array(devices), 2),
            y=[-state] * len(devices),
            yaxis="y2",
            mode="markers",
            name=f"state {state}, mean of a device",
            marker={"color": colour, "symbol": "line-ns-open", "size": 8, "line": {"width": 1.2, "color": colour}},
            legendgroup=str(state),
            showlegend=False,
            hovertemplate="mean of a device: %{x:.1f} nm",
        )
    rug = min(0.4, 0.06 + 0.025 * states)
    fig.update_layout(
        barmode="overlay",
        bargap=0,
        showlegend=True,
        yaxis={"title": {"text": "events per bin"}, "domain": [rug + 0.03, 1], "rangemode": "tozero"},
        yaxis2={"domain": [0, rug], "range": [-states + 0.3, 0.7], "tickvals": [], "showgrid": False},
    )
    fig.update_xaxes(title_text="resting position (nm)", range=[float(edges[0]), float(edges[-1])], anchor="y2")
    return finished_spec(fig, 400 + 6 * states)


def bin_edges(positions: Float[np.ndarray, "state device cycle"]) -> Float[np.ndarray, " edge"]:
    """Common bin edges in nm: several bins within the spread of a typical state, up to a limit on their number."""
    low, high = NANO * float(np.nanmin(positions)), NANO * float(np.nanmax(positions))
    margin = 0.04 * (high - low) + 0.5
    low, high = low - margin, high + margin
    spread = NANO * float(np.median(np.nanstd(positions, axis=(1, 2))))
    number = (high - low) * BINS_IN_A_SIGMA / spread if spread > 0 else MOST_BINS
    edges: Float[np.ndarray, " edge"] = np.linspace(low, high, 1 + int(np.clip(number, FEWEST_BINS, MOST_BINS)))
    return edges


def variance_plot(states: Sequence[StateNumbers]) -> Spec:
    """Device-to-device and cycle-to-cycle standard deviations of each state, with intervals where known."""
    fig = go.Figure()
    for name, colour, symbol, shift, estimates in (
        ("between devices", BLUE, "circle", -0.13, [state.sigma_device for state in states]),
        ("between cycles", VERMILLION, "diamond", 0.13, [state.sigma_cycle for state in states]),
    ):
        bars: dict[str, Any] | None = None
        if all(estimate.known for estimate in estimates):
            bars = {
                "type": "data",
                "symmetric": False,
                "array": _listed(NANO * np.array([e.high - e.value for e in estimates]), 4),
                "arrayminus": _listed(NANO * np.array([e.value - e.low for e in estimates]), 4),
                "thickness": 1.8,
                "width": 5,
                "color": colour,
            }
        fig.add_scatter(
            x=[state.number + shift for state in states],
            y=_listed(NANO * np.array([estimate.value for estimate in estimates]), 4),
            error_y=bars,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 10},
            name=name,
            hovertemplate="%{y:.2f} nm",
        )
    fig.update_xaxes(title_text="state", range=[-0.6, len(states) - 0.4], **_states_on_axis(len(states)))
    fig.update_yaxes(title_text="standard deviation (nm)", rangemode="tozero")
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


def _listed(values: Float[np.ndarray, " value"], decimals: int) -> list[float | None]:
    """Values rounded to the resolution of a plot; NaN is a gap."""
    return [float(value) if np.isfinite(value) else None for value in np.round(values, decimals)]
