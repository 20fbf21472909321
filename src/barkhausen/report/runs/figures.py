"""The plots of the page about runs, as plotly specifications in light colours.

The colour follows the family that a learning rule names; the marker tells kinds apart without colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from barkhausen.experiment.score import Score
from barkhausen.learning.rules import RULES
from barkhausen.report.plots import (
    BLUE,
    CAUSE_COLOURS,
    FAMILIES,
    GREEN,
    INK,
    LAYER_COLOURS,
    MANY_STATES,
    MARKERS,
    SOFT_INK,
    VERMILLION,
    Spec,
    finished_spec,
    state_colour,
    whole_numbers,
)
from barkhausen.report.runs.groups import Kind, Pair
from barkhausen.results.finished import FinishedRun


@dataclass(frozen=True)
class Style:
    """How one kind of run looks in every plot."""

    colour: str
    marker: str


def family_of(mode: str) -> str:
    """Colour family of a learning rule."""
    rule = RULES.find(mode)
    return rule.colours if rule is not None else "other"


def kind_styles(kinds: Sequence[Kind]) -> dict[str, Style]:
    """A style for each kind, by label; kinds beyond the palette repeat its colours with another marker."""
    styles: dict[str, Style] = {}
    seen: dict[str, int] = {}
    for kind in kinds:
        family = family_of(kind.row["mode"])
        place = seen.setdefault(family, 0)
        seen[family] += 1
        colours = FAMILIES[family]
        styles[kind.label] = Style(colours[place % len(colours)], MARKERS[place % len(MARKERS)])
    return styles


def score_plot(kinds: Sequence[Kind]) -> Spec:
    """Mean score of each kind with the spread between seeds, every seed, and the published figure."""
    styles, score = kind_styles(kinds), kinds[0].score
    shown = _shown(score)
    fig = go.Figure()
    for kind in kinds:
        style, name = styles[kind.label], escape(kind.label)
        seeds = [score.scale * run.held_out for run in kind.runs]
        fig.add_scatter(
            x=seeds,
            y=[name] * len(seeds),
            mode="markers",
            marker={"color": style.colour, "symbol": f"{style.marker}-open", "size": 8},
            opacity=0.75,
            name=f"{name}, each seed",
            hovertemplate=shown,
            showlegend=False,
        )
        fig.add_scatter(
            x=[score.scale * kind.mean],
            y=[name],
            mode="markers",
            marker={"color": style.colour, "symbol": style.marker, "size": 12},
            error_x={"array": [score.scale * kind.std], "thickness": 2, "width": 6, "color": style.colour}
            if len(seeds) > 1
            else None,
            name=f"{name}, mean",
            hovertemplate=f"mean {shown}",
            showlegend=False,
        )
    published = [kind for kind in kinds if kind.published is not None]
    if published:
        fig.add_scatter(
            x=[score.scale * kind.published for kind in kinds if kind.published is not None],
            y=[escape(kind.label) for kind in published],
            mode="markers",
            marker={"color": INK, "symbol": "line-ns-open", "size": 18, "line": {"width": 2.5}},
            name="published best of the mode",
            hovertemplate=f"published {shown}",
        )
    return _categories(fig, kinds, escape(score.title), legend=bool(published))


def _shown(score: Score) -> str:
    """Text of a value beside the pointer."""
    digits = ".4g" if score.decimals is None else f".{score.decimals}f"
    return f"%{{x:{digits}}}{score.unit and f' {escape(score.unit)}'}"


def cut_at(runs: Sequence[FinishedRun]) -> float | None:
    """Where the axis of held-out scores ends, if earlier epochs are beyond it: the lower end of accuracies in per cent,
    the upper end of errors."""
    curves = [curve for curve in ([value for _, value in _scores(run)] for run in runs) if curve]
    better = runs[0].score.higher_is_better
    limits = _last_part(curves, runs[0].score)
    if not limits:
        return None
    beyond = min(map(min, curves)) < limits[0] if better else max(map(max, curves)) > limits[1]
    return limits[0 if better else 1] if beyond else None


@dataclass(frozen=True)
class Panel:
    """Learning curves of one learning rule."""

    mode: str
    score: Spec
    loss: Spec


def learning_plots(kinds: Sequence[Kind]) -> list[Panel]:
    """Held-out score and training loss after every epoch of every run: a panel for each rule, all on one scale."""
    runs = [run for kind in kinds for run in kind.runs]
    longest = max(len(run.epochs) for run in runs)
    scores = _last_part([[value for _, value in _scores(run)] for run in runs], runs[0].score)
    losses = _whole([[epoch.train_loss for epoch in run.epochs] for run in runs])
    styles = kind_styles(kinds)
    panels = []
    for mode in dict.fromkeys(kind.row["mode"] for kind in kinds):
        own = [kind for kind in kinds if kind.row["mode"] == mode]
        of_score = _curves(own, styles, f"held-out {escape(runs[0].score.title)}", scores, longest)
        of_loss = _curves(own, styles, "training loss", losses, longest)
        panels.append(Panel(str(mode), of_score, of_loss))
    return panels


def _curves(
    kinds: Sequence[Kind], styles: Mapping[str, Style], title: str, limits: Sequence[float] | None, longest: int
) -> Spec:
    fig = go.Figure()
    for kind in kinds:
        for number, run in enumerate(kind.runs):
            first = number == 0
            losses = [(epoch.epoch, epoch.train_loss) for epoch in run.epochs]
            points = losses if title == "training loss" else _scores(run)
            style = styles[kind.label]
            fig.add_scatter(
                x=[epoch for epoch, _ in points],
                y=[value for _, value in points],
                mode="lines+markers" if len(points) <= 20 else "lines",
                line={"color": style.colour, "width": 2 if first else 1.2, "dash": "solid" if first else "dot"},
                marker={"symbol": style.marker, "size": 7 if first else 4},
                opacity=1 if first else 0.6,
                name=escape(kind.label if first else f"{kind.label}, seed {run.summary['seed']}"),
                legendgroup=kind.label,
                showlegend=first,
                hovertemplate=f"seed {run.summary['seed']}: %{{y:.4g}}",
            )
    fig.update_xaxes(title_text="epoch", **whole_numbers(1, longest))
    # As many ticks as there is room for may change with the legend, and it with them, without end.
    fig.update_yaxes(title_text=title, nticks=8, range=limits)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 340 + 16 * max(0, len(kinds) - 2))


def _scores(run: FinishedRun) -> list[tuple[int, float]]:
    """Epochs after which the held-out score was measured, and its value as pages show it."""
    return [(epoch.epoch, run.score.scale * epoch.held_out) for epoch in run.epochs if epoch.held_out is not None]


def _last_part(curves: Sequence[Sequence[float]], score: Score) -> list[float] | None:
    """Range of an axis of scores that resolves the last epochs, or the whole range if that does. None for no curves.

    A first epoch is often so much worse that the rest would be one line at the end of the axis.
    """
    known = [curve for curve in curves if curve]
    if not known:
        return None
    last = [curve[-1] for curve in known]
    least = 5.0 if score.unit == "%" else 0.5 * max(map(abs, last))
    room = max(least, 1.5 * (max(last) - min(last)))
    lowest, highest = min(map(min, known)), max(map(max, known))
    if score.higher_is_better:
        low = min(last) - room
        return [low, highest + 0.05 * (highest - low)] if lowest < low else _whole(known)
    high = max(last) + room
    return [lowest - 0.05 * (high - lowest), high] if highest > high else _whole(known)


def _whole(curves: Sequence[Sequence[float]]) -> list[float] | None:
    """Range of an axis that shows every finite value; None if there is none."""
    values = [value for curve in curves for value in curve if math.isfinite(value)]
    if not values:
        return None
    room = 0.05 * (max(values) - min(values)) or 0.05 * abs(values[0]) or 1.0
    return [min(values) - room, max(values) + room]


def transfer_plot(pairs: Sequence[Pair]) -> Spec:
    """Score on the devices that the network learned on and on unseen chips, beside ex-situ chips."""
    fig = go.Figure()
    score = next(kind.score for pair in pairs for kind in (*pair.in_situ, *pair.ex_situ))
    own, copies, ex_situ = [], [], []
    for place, pair in enumerate(pairs):
        for kind, transferred, std in pair.transferred:
            own.append((kind.mean, place - 0.1, 0.0))
            copies.append((transferred, place - 0.1, std))
            # Lines first, so that the marks lie over them.
            fig.add_scatter(
                x=[score.scale * kind.mean, score.scale * transferred],
                y=[place - 0.1] * 2,
                mode="lines",
                line={"color": SOFT_INK, "width": 1.5},
                hoverinfo="skip",
                showlegend=False,
            )
        ex_situ += [(kind.mean, place + 0.2, kind.row["chip_std"]) for kind in pair.ex_situ]
    for name, colour, symbol, size, points in (
        ("in situ, on the devices it learned on", BLUE, "circle", 9, own),
        ("in situ, transferred to unseen chips", VERMILLION, "square-open", 14, copies),
        ("ex situ, on unseen chips", GREEN, "diamond", 11, ex_situ),
    ):
        if points:
            fig.add_scatter(
                x=[score.scale * mean for mean, _, _ in points],
                y=[place for _, place, _ in points],
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": size,
                    "line": {"width": 2, "color": colour},
                },
                error_x={
                    "array": [score.scale * std for _, _, std in points],
                    "thickness": 1.5,
                    "width": 5,
                    "color": colour,
                },
                name=name,
                hovertemplate=_shown(score),
            )
    fig.update_yaxes(tickvals=list(range(len(pairs))), ticktext=[escape(pair.label) for pair in pairs])
    return _categories(fig, pairs, escape(score.title), legend=True)


def histogram_plots(run: FinishedRun) -> tuple[Spec, Spec]:
    """Device weights by state before and after, on the same axes."""
    data = run.histograms
    assert data is not None
    low, high = data.range
    states, bins = len(data.levels), len(data.before[0])
    width = (high - low) / bins
    centres = [low + (number + 0.5) * width for number in range(bins)]
    single = states > MANY_STATES
    panels = [data.before, data.after]
    if single:
        panels = [[[sum(column) for column in zip(*panel, strict=True)]] for panel in panels]
    highest = max(max(counts) for panel in panels for counts in panel)
    plots = []
    for panel in panels:
        fig = go.Figure()
        for state, counts in enumerate(panel):
            fig.add_bar(
                x=centres,
                # Empty bins have no bar: on a logarithmic axis zero is nowhere.
                y=[count or None for count in counts],
                width=width,
                marker={"color": BLUE if single else state_colour(state, states), "line": {"width": 0}},
                opacity=0.75,
                name=f"all {states} states" if single else f"state {state}",
                hovertemplate="weight %{x:.3f}: %{y} devices",
            )
        if not single:
            for level in data.levels:
                fig.add_vline(x=level, line={"color": SOFT_INK, "width": 1, "dash": "dot"})
        fig.update_xaxes(title_text="device weight", range=[low, high])
        fig.update_yaxes(title_text="devices per bin", range=[0, 1.05 * max(highest, 1)])
        fig.update_layout(barmode="overlay", bargap=0, showlegend=True)
        plots.append(finished_spec(fig, 300))
    return plots[0], plots[1]


def events_plot(run: FinishedRun) -> Spec:
    """Programming events of each epoch, stacked by layer; the initial programming is epoch 0."""
    fig = go.Figure()
    for number, (layer, events) in enumerate(run.events_by_epoch().items()):
        fig.add_bar(
            x=list(range(len(events))),
            y=events,
            name=escape(layer),
            marker={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "line": {"width": 0}},
            hovertemplate="%{y:,.0f} events",
        )
    fig.update_xaxes(title_text="epoch (0: initial programming)", **whole_numbers(0, len(run.epochs)))
    fig.update_yaxes(title_text="programming events", rangemode="tozero", nticks=8)
    fig.update_layout(barmode="stack", showlegend=True)
    return finished_spec(fig, 340)


def energy_plot(kinds: Sequence[Kind], causes: Mapping[str, str]) -> Spec:
    """Programming energy per trained sample and epoch, stacked by cause.

    Args:
        kinds: Kinds of runs on devices.
        causes: Labels of the causes.
    """
    fig = go.Figure()
    names = [escape(kind.label) for kind in kinds]
    for number, (cause, label) in enumerate(causes.items()):
        colour = CAUSE_COLOURS[number % len(CAUSE_COLOURS)]
        fig.add_bar(
            x=[kind.picojoule(cause) if cause in kind.causes else 0.0 for kind in kinds],
            y=names,
            orientation="h",
            name=escape(label),
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{x:.4g} pJ",
        )
    totals = [kind.row["picojoule_per_inference"] for kind in kinds]
    fig.add_scatter(
        x=totals,
        y=names,
        mode="text",
        text=[f" {total:.3g} pJ" for total in totals],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    spec = _categories(fig, kinds, "pJ per trained sample and epoch", legend=True)
    spec["layout"]["barmode"] = "stack"
    spec["layout"]["bargap"] = 0.35
    # The total is written beside its bar, and so partly in the margin.
    spec["layout"]["xaxis"]["range"] = [0, 1.08 * max(totals)]
    spec["layout"]["margin"]["r"] = 64
    return spec


def _categories(fig: go.Figure, items: Sequence[Kind | Pair], title: str, *, legend: bool) -> Spec:
    """Finish a plot that gives each kind a line of its own, where long labels have room on a narrow page."""
    order = [escape(item.label) for item in items]
    fig.update_yaxes(categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6], showgrid=False)
    fig.update_xaxes(title_text=title, nticks=7)
    fig.update_layout(showlegend=legend)
    return finished_spec(fig, 120 + 36 * len(order) + (50 if legend else 0))
