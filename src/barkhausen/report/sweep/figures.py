"""The plots of a sweep, as plotly specifications in light colours.

A point is a group of tasks that differ only in their seed; bars are the 95 % interval of the mean over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import plotly.graph_objects as go

from barkhausen.report.plots import (
    BLUE,
    CAUSE_COLOURS,
    INK,
    LAYER_COLOURS,
    MARKERS,
    SOFT_INK,
    VERMILLION,
    Spec,
    finished_spec,
)
from barkhausen.report.render import sig

MOST_CURVES = 7
"""Largest number of distinguishable curves; if the other keys take more values, all points look the same."""

WIDE_RANGE = 50.0
"""Ratio of the greatest to the least value from which an axis is logarithmic."""

MOST_BARS = 40
"""Groups drawn as bars; of more, the first ones."""

ALL_POINTS = "all groups"


@dataclass(frozen=True)
class Quantity:
    """A column of results as the page shows it."""

    column: str
    title: str
    """With its unit; of axes and heads of tables."""
    name: str
    """In a sentence."""
    scale: float = 1.0
    unit: str = ""
    decimals: int | None = None
    """Fixed; four significant digits if None."""
    higher_is_better: bool | None = None

    def text(self, value: float | None) -> str:
        """A value of the column as the page writes it, without the unit."""
        if value is None or not math.isfinite(value):
            return "–"
        scaled = self.scale * value
        if self.decimals is not None:
            return f"{scaled:.{self.decimals}f}".replace("-", "−")
        return ("−" if scaled < 0 else "") + sig(abs(scaled))


@dataclass(frozen=True)
class Group:
    """Tasks that differ only in their seed.

    Attributes:
        values: Of the swept keys.
        label: Label that distinguishes it from other groups.
        row: Of the summary: ``accuracy_mean`` and so on.
    """

    values: dict[str, Any]
    label: str
    row: dict[str, Any] = field(repr=False)

    def mean(self, quantity: Quantity) -> float:
        """Mean over seeds in the units of the page; NaN where nothing finished."""
        return quantity.scale * _number(self.row[f"{quantity.column}_mean"])

    def interval(self, quantity: Quantity) -> tuple[float, float]:
        """Ends of the interval in the units of the page; NaN where there are too few seeds."""
        low, high = (quantity.scale * _number(self.row[f"{quantity.column}_{end}"]) for end in ("low", "high"))
        return low, high

    def count(self, quantity: Quantity) -> int:
        """Seeds behind the mean."""
        return int(self.row[f"{quantity.column}_n"])


def against_plot(
    groups: Sequence[Group],
    quantity: Quantity,
    key: str,
    curve_of: Callable[[Group], str],
    *,
    beside: Quantity | None = None,
    published: float | None = None,
) -> Spec:
    """A quantity with its interval against one swept key, a curve for each value of the others.

    Args:
        groups: Those whose key is a number.
        quantity: On the vertical axis.
        key: On the horizontal axis.
        curve_of: Name of the curve that a group is on.
        beside: A second quantity, drawn dashed in the same colour.
        published: A line across, in the units of the page.
    """
    curves: dict[str, list[Group]] = {}
    for group in sorted(groups, key=lambda group: float(group.values[key])):
        curves.setdefault(curve_of(group), []).append(group)
    cloud = len(curves) > MOST_CURVES or (len(curves) > 1 and all(len(curve) == 1 for curve in curves.values()))
    if cloud:
        curves = {ALL_POINTS: [group for curve in curves.values() for group in curve]}
    fig = go.Figure()
    for number, (name, curve) in enumerate(curves.items()):
        colour, symbol = LAYER_COLOURS[number % len(LAYER_COLOURS)], MARKERS[number % len(MARKERS)]
        if beside is not None:
            fig.add_scatter(
                x=[float(group.values[key]) for group in curve],
                y=[_rounded(group.mean(beside)) for group in curve],
                mode="markers" if cloud else "lines",
                line={"color": colour, "width": 1.5, "dash": "dot"},
                marker={"color": colour, "symbol": f"{symbol}-open", "size": 7},
                name=_joined(beside.name, name),
                hovertemplate="%{x}: %{y:.5g}",
                showlegend=False,
            )
        fig.add_scatter(
            x=[float(group.values[key]) for group in curve],
            y=[_rounded(group.mean(quantity)) for group in curve],
            error_y=_bars(curve, quantity, colour),
            customdata=[group.count(quantity) for group in curve],
            text=[escape(group.label) for group in curve],
            mode="markers" if cloud else "lines+markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 8},
            name=quantity.name if name in ("", ALL_POINTS) else escape(name),
            hovertemplate="%{text}<br>%{y:.5g} (n = %{customdata})<extra></extra>",
        )
    if published is not None:
        fig.add_hline(
            y=published,
            line={"color": SOFT_INK, "width": 1.2, "dash": "dash"},
            annotation={"text": "published", "font": {"color": SOFT_INK, "size": 12}},
            annotation_position="top right",
        )
    fig.update_xaxes(title_text=escape(key), **_axis([float(group.values[key]) for group in groups]))
    fig.update_yaxes(title_text=quantity.title, nticks=8, **_limits(quantity))
    fig.update_layout(showlegend=len(curves) > 1)
    return finished_spec(fig, 400 + 16 * max(0, len(curves) - 3))


def categories_plot(groups: Sequence[Group], quantity: Quantity) -> Spec:
    """A quantity with its interval, one line a group; for keys that are no numbers."""
    shown = groups[:MOST_BARS]
    fig = go.Figure()
    fig.add_scatter(
        x=[_rounded(group.mean(quantity)) for group in shown],
        y=[escape(group.label) for group in shown],
        error_x=_bars(shown, quantity, BLUE),
        customdata=[group.count(quantity) for group in shown],
        mode="markers",
        marker={"color": BLUE, "size": 10},
        name=quantity.name,
        hovertemplate="%{x:.5g} (n = %{customdata})<extra></extra>",
    )
    spec = _in_lines(fig, shown, quantity.title, legend=False)
    spec["layout"]["xaxis"] |= _limits(quantity)
    return spec


def trade_off_plot(
    groups: Sequence[Group],
    cost: Quantity,
    gain: Quantity,
    *,
    front: Sequence[Group],
    curve_of: Callable[[Group], str],
    published: tuple[float, float, str] | None = None,
) -> Spec:
    """Two objectives against each other, those that no other group beats in both joined by a line.

    Args:
        groups: With values of both.
        cost: On the horizontal axis.
        gain: On the vertical axis.
        front: What :func:`pareto_front` returns.
        curve_of: Names that groups of one colour share.
        published: Cost, gain and name of a point of others, in the units of the page.
    """
    fig = go.Figure()
    fig.add_scatter(
        x=[_rounded(group.mean(cost)) for group in front],
        y=[_rounded(group.mean(gain)) for group in front],
        mode="lines+markers",
        line={"color": INK, "width": 1.4, "shape": "hv"},
        marker={"color": INK, "symbol": "circle-open", "size": 16, "line": {"width": 1.6}},
        name="Pareto front",
        hoverinfo="skip",
    )
    colours: dict[str, list[Group]] = {}
    for group in groups:
        colours.setdefault(curve_of(group), []).append(group)
    if len(colours) > MOST_CURVES:
        colours = {ALL_POINTS: list(groups)}
    for number, (name, members) in enumerate(colours.items()):
        colour, symbol = LAYER_COLOURS[number % len(LAYER_COLOURS)], MARKERS[number % len(MARKERS)]
        fig.add_scatter(
            x=[_rounded(group.mean(cost)) for group in members],
            y=[_rounded(group.mean(gain)) for group in members],
            error_x=_bars(members, cost, colour),
            error_y=_bars(members, gain, colour),
            customdata=[group.count(gain) for group in members],
            text=[escape(group.label) for group in members],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9},
            name=escape(name) or ALL_POINTS,
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.5g} (n = %{customdata})<extra></extra>",
        )
    costs = [group.mean(cost) for group in groups]
    if published is not None:
        costs.append(published[0])
        fig.add_scatter(
            x=[published[0]],
            y=[published[1]],
            mode="markers",
            marker={"color": INK, "symbol": "star", "size": 14},
            name=published[2],
            hovertemplate="published: %{x:.4g}, %{y:.5g}<extra></extra>",
        )
    fig.update_xaxes(title_text=cost.title, **_axis(costs))
    fig.update_yaxes(title_text=gain.title, nticks=8, **_limits(gain))
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 460)


def pareto_front(groups: Sequence[Group], cost: Quantity, gain: Quantity) -> list[Group]:
    """The groups that no other beats in both, in order of cost; ``gain`` is the better the higher unless it says no."""
    sign = -1 if gain.higher_is_better is False else 1
    known = [group for group in groups if math.isfinite(group.mean(cost)) and math.isfinite(group.mean(gain))]
    front: list[Group] = []
    for group in sorted(known, key=lambda group: (group.mean(cost), -sign * group.mean(gain))):
        if not front or sign * group.mean(gain) > sign * front[-1].mean(gain):
            front.append(group)
    return front


def variance_plot(groups: Sequence[Group], quantity: Quantity) -> Spec:
    """Standard deviation between seeds, and between the chips of one seed, one line a group."""
    shown = groups[:MOST_BARS]
    fig = go.Figure()
    for name, column, colour, symbol in (
        ("between seeds", "std_seeds", BLUE, "circle"),
        ("between chips of a seed", "std_chips", VERMILLION, "diamond"),
    ):
        values = [quantity.scale * _number(group.row[f"{quantity.column}_{column}"]) for group in shown]
        if any(math.isfinite(value) for value in values):
            fig.add_scatter(
                x=[_rounded(value) for value in values],
                y=[escape(group.label) for group in shown],
                customdata=[group.count(quantity) for group in shown],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 10},
                name=name,
                hovertemplate="%{x:.3g} (n = %{customdata})",
            )
    spec = _in_lines(fig, shown, f"standard deviation ({_spread_unit(quantity)})", legend=True)
    spec["layout"]["xaxis"]["rangemode"] = "tozero"
    return spec


def causes_plot(groups: Sequence[Group], causes: dict[str, Quantity], title: str) -> Spec:
    """Energy stacked by cause, one bar a group."""
    shown = groups[:MOST_BARS]
    names = [escape(group.label) for group in shown]
    fig = go.Figure()
    for number, (cause, quantity) in enumerate(causes.items()):
        fig.add_bar(
            x=[_rounded(group.mean(quantity)) for group in shown],
            y=names,
            orientation="h",
            name=escape(cause),
            marker={"color": CAUSE_COLOURS[number % len(CAUSE_COLOURS)], "line": {"width": 0}},
            hovertemplate="%{x:.4g}",
        )
    spec = _in_lines(fig, shown, title, legend=True)
    spec["layout"] |= {"barmode": "stack", "bargap": 0.3}
    spec["layout"]["xaxis"]["rangemode"] = "tozero"
    return spec


def _in_lines(fig: go.Figure, shown: Sequence[Group], title: str, *, legend: bool) -> Spec:
    names = [escape(group.label) for group in shown]
    fig.update_yaxes(categoryorder="array", categoryarray=names, range=[len(names) - 0.4, -0.6], showgrid=False)
    fig.update_xaxes(title_text=title, nticks=7)
    fig.update_layout(showlegend=legend)
    return finished_spec(fig, 120 + 28 * len(names) + (50 if legend else 0))


def _bars(groups: Sequence[Group], quantity: Quantity, colour: str) -> dict[str, Any] | None:
    ends = [(group.mean(quantity), *group.interval(quantity)) for group in groups]
    if not any(math.isfinite(low) for _, low, _ in ends):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [_rounded(high - mean) for mean, _, high in ends],
        "arrayminus": [_rounded(mean - low) for mean, low, _ in ends],
        "thickness": 1.5,
        "width": 4,
        "color": colour,
    }


def _axis(values: Sequence[float]) -> dict[str, Any]:
    seen = [value for value in values if math.isfinite(value)]
    if seen and min(seen) > 0 and max(seen) / min(seen) >= WIDE_RANGE:
        return {"type": "log", "dtick": 1 if max(seen) / min(seen) >= 1e3 else "D2"}
    return {"nticks": 8}


def _limits(quantity: Quantity) -> dict[str, Any]:
    """The interval of few seeds may reach beyond what a share can be; the axis does not."""
    return {"minallowed": 0, "maxallowed": 100} if quantity.unit == "%" else {}


def _spread_unit(quantity: Quantity) -> str:
    return "points" if quantity.unit == "%" else quantity.unit or "absolute"


def _joined(first: str, second: str) -> str:
    return first if second in ("", ALL_POINTS) else f"{escape(second)}, {first}"


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _rounded(value: float) -> float | None:
    """As many digits as a page needs; NaN is a gap."""
    return float(f"{value:.7g}") if math.isfinite(value) else None
