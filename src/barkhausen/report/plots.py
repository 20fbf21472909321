"""Colours and layout that all plots share, as plotly specifications in light colours, and the dark colour for each.

Colours are after Okabe and Ito, distinguishable with any kind of colour blindness, and darkened or lightened
until they stand out from the page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

INK, SOFT_INK, GRID, GREY = "#24292f", "#57606a", "#d8dee4", "#76777a"
BLUE, SKY, GREEN = "#0072b2", "#2f9bd6", "#009e73"
VERMILLION, ORANGE, PURPLE = "#d55e00", "#cc8400", "#b8598f"

DARK = {
    INK: "#e6edf3",
    SOFT_INK: "#a5afba",
    GRID: "#333b45",
    GREY: "#a3a5a8",
    BLUE: "#3b97dc",
    SKY: "#83cdf7",
    GREEN: "#2fc39a",
    VERMILLION: "#ee7a34",
    ORANGE: "#f2b134",
    PURPLE: "#dd93bd",
}
"""The colour on a dark page that takes the place of each colour on a light page."""

CAUSE_COLOURS = (VERMILLION, GREY, BLUE, ORANGE, SKY, GREEN, PURPLE, INK, SOFT_INK)
"""Colours of causes of energy, in the order of the columns."""
MARKERS = ("circle", "square", "diamond", "triangle-up", "pentagon", "hexagon")
LAYER_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, GREY)
FAMILIES = {
    "cool": (BLUE, SKY, GREEN),
    "warm": (VERMILLION, ORANGE, PURPLE),
    "grey": (GREY, INK),
    "other": LAYER_COLOURS,
}
"""Colours of kinds of runs that belong together, by the colour family that their learning rule names."""
STATE_COLOURS = (BLUE, SKY, GREEN, ORANGE, VERMILLION)
MANY_STATES = 16
"""More states than this are drawn as one histogram: nobody can tell so many colours apart."""
CLEAR = "rgba(0,0,0,0)"

Spec = dict[str, Any]


def totals_behind_bars(fig: go.Figure, places: Sequence[float], labels: Sequence[str], texts: Sequence[str]) -> None:
    """Write a text behind each of some horizontal bars."""
    fig.add_scatter(
        x=places,
        y=labels,
        mode="text",
        text=texts,
        textfont={"color": INK},
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def finished_spec(fig: go.Figure, height: int) -> Spec:
    """The looks that all plots share, and the figure as the page holds it; ``height`` in pixels."""
    axis = {
        "gridcolor": GRID,
        "linecolor": SOFT_INK,
        "tickcolor": SOFT_INK,
        "zeroline": False,
        "automargin": True,
        "title_standoff": 10,
    }
    fig.update_xaxes(**axis)
    fig.update_yaxes(**axis)
    fig.update_layout(
        template="none",
        height=height,
        margin={"l": 10, "r": 16, "t": 28, "b": 10},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"color": INK, "family": "system-ui, sans-serif", "size": 13},
        hoverlabel={"font": {"family": "system-ui, sans-serif"}},
        modebar={"bgcolor": CLEAR, "color": SOFT_INK, "activecolor": INK},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "bgcolor": CLEAR,
            "traceorder": "normal",
        },
    )
    spec: Spec = json.loads(fig.to_json())
    return spec


def whole_numbers(first: int, last: int) -> dict[str, Any]:
    """An epoch axis without fractions."""
    span = {"range": [first - 0.6, last + 0.6]}
    return {**span, "dtick": 1} if last - first <= 12 else {**span, "tickformat": "d"}


def state_colour(state: int, states: int) -> str:
    """Colours in order from the lowest to the highest state, as far apart as the palette allows."""
    if states <= len(STATE_COLOURS):
        return STATE_COLOURS[round(state * (len(STATE_COLOURS) - 1) / (states - 1))]
    place = state * (len(STATE_COLOURS) - 1) / (states - 1)
    anchors = list(pairwise(STATE_COLOURS))
    low, high = anchors[min(int(place), len(anchors) - 1)]
    share = place - min(int(place), len(anchors) - 1)
    mixed = [round(int(low[at : at + 2], 16) * (1 - share) + int(high[at : at + 2], 16) * share) for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in mixed)
