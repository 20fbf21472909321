"""The plot of accuracy, or another score, against programming energy, as a plotly specification in light colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from barkhausen.report.plots import INK, SOFT_INK, Spec, finished_spec
from barkhausen.report.runs.figures import kind_styles
from barkhausen.report.runs.groups import Kind

WIDE_RANGE = 10.0
"""Ratio of the greatest to the least energy from which the axis is logarithmic."""


def trade_off_plot(kinds: Sequence[Kind]) -> Spec | None:
    """Score against programming energy, a mark for each kind on devices; None if there is no energy.

    Kinds without devices that cost nothing, such as float baselines, are lines across. A published figure is drawn
    where both its score and its energy are of runs of that kind.
    """
    priced = [kind for kind in kinds if kind.row["picojoule_per_inference"]]
    if not priced:
        return None
    styles, score = kind_styles(kinds), kinds[0].score
    digits = ".4g" if score.decimals is None else f".{score.decimals}f"
    shown = f"%{{y:{digits}}}{score.unit and f' {escape(score.unit)}'}"
    stars = _published(priced)
    energies = [kind.row["picojoule_per_inference"] for kind in priced] + [energy for energy, _ in stars]
    logarithmic = max(energies) / min(energies) >= WIDE_RANGE
    low, high = (min(energies) / 1.6, 1.6 * max(energies)) if logarithmic else (0.0, 1.15 * max(energies))
    fig = go.Figure()
    for kind in kinds:
        if kind.on_devices or kind in priced:
            continue
        fig.add_scatter(
            x=[low, high],
            y=[score.scale * kind.mean] * 2,
            mode="lines",
            line={"color": SOFT_INK, "width": 1.5, "dash": "dash"},
            name=escape(kind.label),
            hovertemplate=shown,
        )
    for kind in priced:
        style = styles[kind.label]
        several = len(kind.runs) > 1
        fig.add_scatter(
            x=[kind.row["picojoule_per_inference"]],
            y=[score.scale * kind.mean],
            mode="markers",
            marker={"color": style.colour, "symbol": style.marker, "size": 12},
            error_y={"array": [score.scale * kind.std], "thickness": 2, "width": 6, "color": style.colour}
            if several
            else None,
            name=escape(kind.label),
            hovertemplate=f"%{{x:.4g}} pJ, {shown}",
        )
    if stars:
        fig.add_scatter(
            x=[energy for energy, _ in stars],
            y=[score.scale * value for _, value in stars],
            mode="markers",
            marker={"color": INK, "symbol": "star", "size": 14},
            name="published",
            hovertemplate=f"published: %{{x:.4g}} pJ, {shown}",
        )
    axis: dict[str, Any] = {"range": [low, high]}
    if logarithmic:
        ticks: int | str = 1 if high / low >= 100 else "D2"
        axis = {"type": "log", "range": [math.log10(low), math.log10(high)], "dtick": ticks}
    fig.update_xaxes(title_text="programming energy (pJ per trained sample and epoch)", **axis)
    fig.update_yaxes(title_text=escape(score.title), nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 420 + 18 * max(0, len(kinds) - 3))


def _published(kinds: Sequence[Kind]) -> list[tuple[float, float]]:
    """Published energies and scores of these kinds of runs, each once."""
    pairs = [(kind.row["published_picojoule_per_inference"], kind.published) for kind in kinds]
    return list(dict.fromkeys((energy, score) for energy, score in pairs if energy is not None and score is not None))
