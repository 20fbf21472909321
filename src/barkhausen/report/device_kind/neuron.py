"""Figures and tables of the page about a neuron."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from barkhausen.core.units import FEMTO, NANO, with_unit
from barkhausen.device.neuron import NeuronDevice
from barkhausen.device.neuron.schema import KIND, STEPS
from barkhausen.report.device_kind.page import PAGES, KindOfPage
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREY, LAYER_COLOURS, MARKERS, Spec, finished_spec
from barkhausen.report.render import sig

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Drives of the table of energies, as shares of the largest."""


def lede(neuron: NeuronDevice) -> str:
    """What the neuron is, in two sentences."""
    name, unit = neuron.drive
    if neuron.law != STEPS:
        return (
            f"A neuron without memory that fires with a probability which the {name} sets, measured between "
            f"{neuron.drives[0]:g} and {neuron.drives[-1]:g} {unit}."
        )
    factor, shown = _unit(neuron)
    text = (
        f"Pulses with a {name} of up to {neuron.drives[-1]:g} {unit} move the state of this neuron, and it fires "
        f"beyond {sig(factor * neuron.threshold)} {shown}; a step takes {sig(NANO * neuron.step_time)} ns."
    )
    cycles = neuron.cycles
    if cycles is None or not cycles.fired:
        return text
    low, high = cycles.failure_interval
    return (
        f"{text} Of {cycles.tried} integrate-fire-reset cycles {cycles.fired} fired; the reset failed after "
        f"{cycles.failed} of them ({cycles.failed / cycles.fired:.1%}, 95 % interval {low:.1%} to {high:.1%})."
    )


def panels(neuron: NeuronDevice, history: xr.Dataset | None) -> list[Panel]:
    """The law, when it fires, and the energy of its operations."""
    if neuron.law != STEPS:
        return [_probability(neuron), *_energies(neuron)]
    found = [_law(neuron)]
    if "fired_at" in neuron.data:
        found.append(_firing(neuron))
    return [*found, *_energies(neuron)]


def _unit(neuron: NeuronDevice) -> tuple[float, str]:
    unit = str(neuron.data["threshold"].attrs.get("units", ""))
    return (NANO, "nm") if unit == "m" else (1.0, unit)


def _name(neuron: NeuronDevice, drive: float) -> str:
    return "no pulse (leak)" if drive == 0 else with_unit(drive, neuron.drive[1])


def _law(neuron: NeuronDevice) -> Panel:
    factor, unit = _unit(neuron)
    tables, places = neuron.tables, factor * np.asarray(neuron.data["place"].values, np.float64)
    fig, rows = go.Figure(), []
    for number, drive in enumerate(neuron.drives):
        mean, spread = factor * tables.mean[number], factor * tables.spread[number]
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        fig.add_scatter(
            x=[round(float(place), 3) for place in places],
            y=[round(float(value), 4) for value in mean],
            error_y={"array": [round(float(value), 4) for value in spread], "thickness": 1, "width": 3},
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"symbol": MARKERS[number % len(MARKERS)], "size": 7, "color": colour},
            name=_name(neuron, drive),
        )
        for place, value, width, count in zip(places, mean, spread, tables.count[number], strict=True):
            rows.append((_name(neuron, drive), f"{place:.1f}", f"{value:.3g}", f"{width:.3g}", str(int(count))))
    fig.add_hline(y=0.0, line={"color": GREY, "width": 1})
    fig.update_xaxes(title_text=f"state before the pulse ({unit})")
    fig.update_yaxes(title_text=f"step ({unit})")
    return Panel(
        "Law of a step",
        "Mean step of a pulse with its pause, against the state before it, for each drive. Bars: standard deviation of "
        "single steps over tracks and cycles together. Nodes with few steps follow their neighbours.",
        [("Mean step and its spread", finished_spec(fig, 400))],
        ("drive", f"state ({unit})", f"mean step ({unit})", f"spread ({unit})", "steps"),
        rows,
    )


def _firing(neuron: NeuronDevice) -> Panel:
    fired = neuron.data["fired_at"].transpose("drive", "track", "cycle").values.reshape(len(neuron.drives), -1)
    fig, rows = go.Figure(), []
    last = max(1, int(fired.max()))
    pulses = np.arange(1, last + 1)
    for number, drive in enumerate(neuron.drives):
        if drive == 0:
            continue
        times = fired[number]
        share = [float(((times > 0) & (times <= pulse)).mean()) for pulse in pulses]
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        fig.add_scatter(
            x=pulses.tolist(),
            y=[round(value, 4) for value in share],
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hv"},
            name=_name(neuron, drive),
        )
        held = times[times > 0]
        middle = f"{np.median(held):.0f} ({held.min()} to {held.max()})" if len(held) else "–"
        rows.append((_name(neuron, drive), f"{len(held)} of {len(times)}", middle))
    fig.update_xaxes(title_text="pulses")
    fig.update_yaxes(title_text="share of cycles that have fired", range=[0, 1.02])
    return Panel(
        "Firing",
        "Share of the cycles in which the neuron has fired, against the number of pulses. The table has the median "
        "number of pulses of the cycles that fired, with the smallest and the largest.",
        [("Share of cycles that have fired", finished_spec(fig, 360))],
        ("drive", "fired", "pulses to fire"),
        rows,
    )


def _probability(neuron: NeuronDevice) -> Panel:
    name, unit = neuron.drive
    chances = np.asarray(neuron.data["fire_probability"].values, np.float64)
    fig = go.Figure()
    fig.add_scatter(
        x=neuron.drives.tolist(),
        y=chances.tolist(),
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 7},
        name="measured",
    )
    fig.update_xaxes(title_text=f"{name} ({unit})")
    fig.update_yaxes(title_text="probability of firing", range=[0, 1.02])
    rows = [(f"{drive:g}", sig(float(chance), 3)) for drive, chance in zip(neuron.drives, chances, strict=True)]
    plot: Spec = finished_spec(fig, 360)
    return Panel(
        "Probability of firing",
        "Probability that one pulse makes the neuron fire; linear between the points, constant beyond them.",
        [("Probability of firing", plot)],
        (f"{name} ({unit})", "probability"),
        rows,
    )


def _energies(neuron: NeuronDevice) -> list[Panel]:
    if not neuron.energies:
        return []
    name, unit = neuron.drive
    rows = []
    for share in SHARES:
        joules = [item.joule * share**item.power for item in neuron.energies.values()]
        rows.append((f"{share * neuron.drives[-1]:.4g} {unit}", *(sig(FEMTO * joule) for joule in joules)))
    labels = [f"{item.label} (fJ)" for item in neuron.energies.values()]
    return [Panel("Energy", "Energy of one operation at some drives.", [], (name, *labels), rows)]


PAGES.register(KIND, KindOfPage(NeuronDevice, lede, panels))
