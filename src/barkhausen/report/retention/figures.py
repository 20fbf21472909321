"""Plots of the page about networks that are left alone, as plotly specifications in light colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from barkhausen.report.plots import (
    BLUE,
    GREEN,
    LAYER_COLOURS,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    SOFT_INK,
    VERMILLION,
    Spec,
    finished_spec,
    state_colour,
)
from barkhausen.report.retention.groups import Estimate, Group, Summary, duration

HEAT_COLOURS = (BLUE, GREEN, ORANGE, VERMILLION, PURPLE, SKY)
"""Colours of temperatures, the lowest first."""
DASHES = ("solid", "dash", "dot", "dashdot")
FAINT = 0.16
MOST_TICKS = 10
LONGEST = 1e14
"""Retention times in s above this are drawn there: 3 million years."""
TICKS = (
    *(10.0**power for power in range(-9, 2)),
    *(3600.0, 86_400.0, 30 * 86_400.0, 31_557_600.0, 315_576_000.0, 3.15576e10, 3.15576e13),
)
"""Times in s that axes may name: decades up to 10 s, then an hour, a day, a month, and years."""


def accuracy_plot(group: Group) -> Spec:
    """Accuracy of one group against waiting time, a curve for each temperature with its interval."""
    fig = go.Figure()
    fresh = group.fresh
    times: set[float] = set()
    for number, temperature in enumerate(group.temperatures):
        colour, symbol = HEAT_COLOURS[number % len(HEAT_COLOURS)], MARKERS[number % len(MARKERS)]
        mine = group.times(temperature)
        times.update(mine)
        if group.has_interval_of_barriers:
            _band(fig, group, temperature, colour)
        found = [group.accuracy(temperature, seconds) for seconds in mine]
        fig.add_scatter(
            x=mine,
            y=[_percent(one.mean) for one in found],
            error_y=_bars(found, colour),
            text=[duration(seconds) for seconds in mine],
            mode="lines+markers" if len(mine) > 1 else "markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 8},
            name=f"{temperature:g} K",
            hovertemplate="%{text}: %{y:.2f} %",
        )
    fig.add_hline(
        y=_percent(fresh.mean),
        line={"color": SOFT_INK, "width": 1.2, "dash": "dash"},
        annotation={"text": "before waiting", "font": {"color": SOFT_INK, "size": 12}},
        annotation_position="bottom left",
    )
    fig.update_xaxes(title_text="waiting time", type="log", **_time_axis(times))
    fig.update_yaxes(title_text="accuracy (%)", nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 400)


def retention_plot(summary: Summary) -> Spec:
    """Retention time of each state against temperature: exceeded by nine of ten devices, and by half of them."""
    fig = go.Figure()
    rows = sorted(
        (row for row in summary["retention"] if not row["barriers"]), key=lambda row: float(row["temperature"])
    )
    states = len(rows[0]["tenth"])
    heats = [float(row["temperature"]) for row in rows]
    seen: set[float] = set()
    for state in range(states):
        colour, symbol = state_colour(state, states), MARKERS[state % len(MARKERS)]
        for name, words, dash, mark in (
            ("tenth", "90 % of devices", "solid", symbol),
            ("median", "half of devices", "dot", f"{symbol}-open"),
        ):
            times = [min(float(row[name][state]), LONGEST) for row in rows]
            seen.update(times)
            fig.add_scatter(
                x=heats,
                y=times,
                text=[duration(float(row[name][state])) for row in rows],
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"color": colour, "symbol": mark, "size": 8},
                name=f"state {state}, {words}",
                hovertemplate="%{x:g} K: %{text}",
                showlegend=name == "tenth" or state == 0,
            )
    fig.update_xaxes(title_text="temperature (K)", nticks=8)
    fig.update_yaxes(title_text="retention time", type="log", **_time_axis(seen))
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 420)


def refresh_plot(groups: Sequence[Group], policies: Mapping[str, str]) -> Spec | None:
    """Average power of refreshing a synapse against the retention time of the device; None where none is needed."""
    fig = go.Figure()
    seen: set[float] = set()
    for number, group in enumerate(groups):
        for place, policy in enumerate(policies):
            points = [
                (held, power, float(found["temperature"]))
                for found in group.first["refresh"]
                if (power := power_of(group, found, policy)) and (held := worst_retention(group, found["temperature"]))
            ]
            if not points:
                continue
            points.sort()
            seen.update(held for held, _, _ in points)
            colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
            synapses = float(group.first["synapses"])
            fig.add_scatter(
                x=[held for held, _, _ in points],
                y=[power / synapses for _, power, _ in points],
                text=[f"{heat:g} K, {duration(held)}" for held, _, heat in points],
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": DASHES[place % len(DASHES)]},
                marker={"color": colour, "symbol": MARKERS[place % len(MARKERS)], "size": 9},
                name=escape(f"{group.label}, {policy}"),
                hovertemplate="%{text}: %{y:.3g} W",
            )
    if not seen:
        return None
    fig.update_xaxes(
        title_text="retention time of the worst state, exceeded by 90 % of devices", type="log", **_time_axis(seen)
    )
    fig.update_yaxes(title_text="power of a synapse (W)", type="log", nticks=8, exponentformat="power")
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 380 + 22 * len(groups) * len(policies))


def power_of(group: Group, found: Summary, policy: str) -> float | None:
    """Mean over seeds of the average power in W at the temperature of ``found``; None where one has no period."""
    powers = [_at(run, found["temperature"])["power_watt"][policy] for run in group.runs]
    return None if any(power is None for power in powers) else math.fsum(powers) / len(powers)


def worst_retention(group: Group, temperature: float, barriers: str = "") -> float | None:
    """Shortest time in s of all states that nine of ten devices exceed."""
    for row in group.first["retention"]:
        if row["temperature"] == temperature and row["barriers"] == barriers:
            return min(float(value) for value in row["tenth"])
    return None


def _at(run: Summary, temperature: float) -> Summary:
    found: Summary = next(row for row in run["refresh"] if row["temperature"] == temperature)
    return found


def _band(fig: go.Figure, group: Group, temperature: float, colour: str) -> None:
    """What the 95 % interval of the barriers makes of the accuracy."""
    mine = group.times(temperature, "low")
    low, high = ([_percent(group.accuracy(temperature, s, name).mean) for s in mine] for name in ("low", "high"))
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    fig.add_scatter(
        x=[*mine, *mine[::-1]],
        y=[*high, *low[::-1]],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{FAINT})",
        hoverinfo="skip",
        showlegend=False,
        name=f"{temperature:g} K, barriers within their error",
    )


def _bars(found: Sequence[Estimate], colour: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (one.high - one.mean) if one.known else None for one in found],
        "arrayminus": [100 * (one.mean - one.low) if one.known else None for one in found],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }


def _time_axis(times: set[float]) -> dict[str, object]:
    """Ticks at seconds, minutes, days and years within the range of times."""
    low, high = math.log10(min(times)), math.log10(max(times))
    apart = max(high - low, 1.0) / MOST_TICKS
    ticks: list[float] = []
    # From the longest, so that the end of the axis is named.
    for tick in reversed(TICKS):
        place = math.log10(tick)
        if low - 0.5 <= place <= high + 0.5 and (not ticks or math.log10(ticks[-1]) - place >= apart):
            ticks.append(tick)
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [duration(tick) for tick in ticks]} if ticks else {}


def _percent(fraction: float) -> float:
    return float(f"{100 * fraction:.6g}")
