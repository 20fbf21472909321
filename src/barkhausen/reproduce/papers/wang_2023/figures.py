"""Figures of the page about uncertainty of stochastic spiking networks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import plotly.graph_objects as go
import torch

from barkhausen.device.pulses.file import named_pulsed_device
from barkhausen.learning.stdp import WallSteps, Window
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREY, ORANGE, VERMILLION, Spec, finished_spec
from barkhausen.results.cross_validation import FoldMean

LONGEST = 0.1
"""Longest time between two spikes in s."""
SHOWN_DELAYS = (-40e-3, -20e-3, -5e-3, 5e-3, 20e-3, 40e-3)
DECLARED_SPREAD = 0.3
DRAWS = 2000
MIDDLE = 0.5


def figure_plot(means: Mapping[str, FoldMean], label: str) -> Spec:
    """A figure of all networks with its intervals, a mark for each network.

    Args:
        means: Means over folds by network.
        label: Name of the figure.
    """
    names = list(means)[::-1]
    found = [means[name] for name in names]
    fig = go.Figure()
    fig.add_scatter(
        x=[round(each.mean, 5) for each in found],
        y=[escape(name) for name in names],
        error_x={
            "type": "data",
            "array": [0.0 if np.isnan(each.interval.high) else each.interval.high - each.mean for each in found],
            "color": BLUE,
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        showlegend=False,
    )
    fig.update_xaxes(title_text=label)
    return finished_spec(fig, 110 + 30 * len(names))


def window_panel() -> Panel:
    """Window of the plasticity with its spread, for the declared law and for our own walls."""
    plain, patched = (WallSteps.of_device(named_pulsed_device(name)) for name in ("pulses-plain", "pulses-patched"))
    laws = {f"declared law, spread {DECLARED_SPREAD:g}": WallSteps.declared(DECLARED_SPREAD), "plain walls": plain,
            "patched walls": patched}  # fmt: skip
    plots, rows = [], []
    for (name, law), colour in zip(laws.items(), (BLUE, ORANGE, VERMILLION), strict=True):
        delays = np.concatenate([np.linspace(-LONGEST, -1e-3, 60), np.linspace(1e-3, LONGEST, 60)])
        changes = changes_at(law, delays)
        plots.append((f"Window, {name}", _window(delays, changes, colour)))
        for delay, drawn in zip(SHOWN_DELAYS, changes_at(law, np.array(SHOWN_DELAYS)), strict=True):
            low, high = np.quantile(drawn, [0.05, 0.95])
            cells = (drawn.mean(), drawn.std(ddof=1), low, high)
            rows.append([name, f"{1e3 * delay:g} ms", *(f"{100 * value:.3f} %" for value in cells)])
    return Panel(
        "Window of the plasticity",
        "Change of a strength, as a share of its range, against the time from the spike of the input to that of the "
        f"neuron, for walls in the middle of the track: mean, one standard deviation (dark) and 5 to 95 % (light) of "
        f"{DRAWS} devices with one pulse each; grey: the window that pulses are meant for.",
        plots,
        ["steps", "delay", "mean", "standard deviation", "5 %", "95 %"],
        rows,
    )


def changes_at(law: WallSteps, delays: np.ndarray) -> np.ndarray:
    """Changes of drawn devices [delay, device] by one pulse from the middle of the track."""
    generator = torch.Generator().manual_seed(0)
    shape = (len(delays), DRAWS)
    meant = Window().change(torch.from_numpy(delays)).float()[:, None].expand(shape)
    walls = law.draw(shape, generator)
    moved = law.moved(torch.full(shape, MIDDLE), meant, walls, generator)
    return (moved - MIDDLE).numpy().astype(np.float64)


def _window(delays: np.ndarray, changes: np.ndarray, colour: str) -> Spec:
    x = 1e3 * delays
    mean, deviation = changes.mean(axis=1), changes.std(axis=1, ddof=1)
    meant = Window().change(torch.from_numpy(delays)).numpy()
    shade = ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    fig = go.Figure()
    outer = np.quantile(changes, [0.05, 0.95], axis=1)
    for part in (delays < 0, delays > 0):
        bands = ((outer[0], outer[1], 0.15), (mean - deviation, mean + deviation, 0.3))
        for low, high, alpha in bands:
            fig.add_scatter(
                x=np.concatenate([x[part], x[part][::-1]]).round(3),
                y=(100 * np.concatenate([high[part], low[part][::-1]])).round(4),
                fill="toself", fillcolor=f"rgba({shade},{alpha})", line={"width": 0}, hoverinfo="skip",
                showlegend=False,
            )  # fmt: skip
        first = bool(part[0])
        fig.add_scatter(
            x=x[part].round(3), y=(100 * meant[part]).round(4), mode="lines", name="meant", showlegend=first,
            line={"color": GREY, "dash": "dash", "width": 1.5},
        )  # fmt: skip
        fig.add_scatter(
            x=x[part].round(3), y=(100 * mean[part]).round(4), mode="lines", name="mean", showlegend=first,
            line={"color": colour, "width": 2},
        )  # fmt: skip
    fig.update_xaxes(title_text="time from input to neuron (ms)")
    fig.update_yaxes(title_text="change (% of range)")
    return finished_spec(fig, 320)
