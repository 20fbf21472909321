"""The page on which devices are compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from barkhausen.core.files import atomic_write
from barkhausen.core.units import FEMTO
from barkhausen.device import CharacterisedDevice
from barkhausen.device.comparison import compare_devices
from barkhausen.device.coordinate import Quantity
from barkhausen.device.doubts import doubts_of
from barkhausen.device.file_statistics import Estimate, why_no_intervals
from barkhausen.report.device.figures import listed
from barkhausen.report.plots import CAUSE_COLOURS, LAYER_COLOURS, MARKERS, Spec, finished_spec
from barkhausen.report.render import render
from barkhausen.results.table import NO_VALUE


def write_comparison_page(devices: Sequence[CharacterisedDevice], names: Sequence[str], path: str | Path) -> None:
    """Write one page that compares devices of one state coordinate.

    Args:
        devices: At least two devices.
        names: Name of each device.
        path: File of the page.

    Raises:
        InputError: The devices cannot be compared, or ``path`` cannot be written.
    """
    path = Path(path)
    rows = compare_devices(devices, names)
    labels = list(dict.fromkeys(label for device in devices for label in device.energy_causes.values()))
    page = render(
        "device/comparison.html.jinja",
        names=names,
        devices=list(zip(names, devices, strict=True)),
        rows=rows,
        coordinate=devices[0].coordinate,
        states=states_plot(devices, names),
        energy=energy_plot(devices, names) if labels else None,
        labels=labels,
        doubts=[
            (f"{name}: {title.lower()}", text)
            for name, device in zip(names, devices, strict=True)
            for title, text in doubts_of(device)
        ],
        reasons=[
            f"{name}: {why_no_intervals(device.data)}"
            for name, device in zip(names, devices, strict=True)
            if not device.declared and why_no_intervals(device.data)
        ],
        same_states=len({device.states for device in devices}) == 1,
        shown=with_ends,
    )
    atomic_write(path, page)


def states_plot(devices: Sequence[CharacterisedDevice], names: Sequence[str]) -> Spec:
    """Mean of each state ± one standard deviation over devices and cycles, one series a device."""
    quantity = Quantity.of(devices[0].coordinate, devices[0].moments[0].tolist())
    fig = go.Figure()
    for number, (device, name) in enumerate(zip(devices, names, strict=True)):
        mean, sigma_device, sigma_cycle = device.moments
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        shift = 0.12 * (number - (len(devices) - 1) / 2)
        spread = (sigma_device**2 + sigma_cycle**2) ** 0.5
        fig.add_scatter(
            x=[round(state + shift, 3) for state in range(device.states)],
            y=listed(quantity.factor * mean, quantity.decimals),
            error_y={
                "type": "data",
                "array": listed(quantity.factor * spread, quantity.decimals + 1),
                "thickness": 1.8,
                "width": 5,
                "color": colour,
            },
            mode="markers",
            marker={"color": colour, "symbol": MARKERS[number % len(MARKERS)], "size": 9},
            name=name,
            hovertemplate="%{y}",
        )
    most = max(device.states for device in devices)
    fig.update_xaxes(title_text="state", range=[-0.6, most - 0.4], tick0=0, dtick=max(1, round(most / 12)))
    fig.update_yaxes(title_text=quantity.named(quantity.coordinate.name), nticks=8)
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 400)


def energy_plot(devices: Sequence[CharacterisedDevice], names: Sequence[str]) -> Spec:
    """Energy of one programming attempt, mean over states, stacked by cause, one bar a device."""
    causes = {cause: label for device in devices for cause, label in device.energy_causes.items()}
    fig = go.Figure()
    for (cause, label), colour in zip(causes.items(), (CAUSE_COLOURS * len(causes))[: len(causes)], strict=True):
        fig.add_bar(
            x=[round(FEMTO * float(device.energy(cause).mean()), 4) for device in devices],
            y=list(names),
            orientation="h",
            name=label,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{x:.4g} fJ",
        )
    fig.update_xaxes(title_text="energy of an attempt, mean over states (fJ)", rangemode="tozero", nticks=7)
    fig.update_yaxes(autorange="reversed", showgrid=False, type="category")
    fig.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    return finished_spec(fig, 150 + 34 * len(devices))


def with_ends(estimate: Estimate, decimals: int) -> tuple[str, str]:
    """An estimate, and its interval; the latter is empty where there is none."""
    if estimate.value != estimate.value:
        return NO_VALUE, ""
    # Without a sign before a zero.
    value, low, high = (
        f"{round(number, decimals) + 0.0:.{decimals}f}".replace("-", "−")
        for number in (estimate.value, estimate.low, estimate.high)
    )
    if not estimate.known or estimate.low == estimate.high:
        return value, ""
    return value, f"{low} to {high}"
