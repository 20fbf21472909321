"""Wall position against time of simulated programming events, as a plotly specification in light colours."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from barkhausen.core.units import NANO
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.report.device.figures import listed, state_colours
from barkhausen.report.device.wave_pictures import pulses
from barkhausen.report.figure_files import csv_text
from barkhausen.report.plots import GREY, SOFT_INK, Spec, finished_spec

MOST_LINES = 300
"""Largest number of trajectories drawn over all states; more could not be distinguished or drawn quickly."""

FEW_LINES = 30
"""Largest number of trajectories drawn with bold lines."""


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
    instants = [*listed(times, 5), None]
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
