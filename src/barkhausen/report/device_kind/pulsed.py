"""Figures and tables of the page about a device that identical pulses move."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError
from barkhausen.core.units import FEMTO, NANO
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.exchange import aihwkit_settings, neurosim_parameters
from barkhausen.device.pulses.sampling import DeviceSample
from barkhausen.device.pulses.schema import KIND
from barkhausen.report.device_kind.page import PAGES, KindOfPage
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREY, INK, VERMILLION, Spec, finished_spec
from barkhausen.report.render import sig

DRAWN, MOST_PULSES = 24, 200
"""Devices that are drawn where the file has no curves, and the largest number of pulses up or down of these."""
MOST_LINES, MOST_POINTS = 24, 600
"""Largest numbers of single curves, and of single steps of each sign, that are drawn."""
ROWS = 17
"""Rows of tables with the data of a figure, about."""
SHADES = {1: "rgba(0, 114, 178, 0.2)", -1: "rgba(213, 94, 0, 0.2)"}
COLOURS = {1: BLUE, -1: VERMILLION}
WORDS = {1: "up", -1: "down"}


def lede(device: PulsedDevice) -> str:
    """What the device is, in two sentences."""
    low, high = device.state_range
    coordinate = device.coordinate
    span = f"{sig(coordinate.factor * low, 3)} and {sig(coordinate.factor * high, 3)}"
    figures = device.figures()
    energy = ""
    if device.energy_causes:
        up, down = (sig(FEMTO * joule, 3) for joule in device.energy())
        energy = f" A pulse takes {up} fJ up and {down} fJ down."
    return (
        f"Identical pulses move the {coordinate.name} of this device between {span} {coordinate.shown_unit}, by "
        f"{sig(device.states, 3)} steps of a pulse in the middle of its range. The nonlinearity ν of its mean step is "
        f"{figures.nonlinearity_up:.2f} up and {figures.nonlinearity_down:.2f} down, the asymmetry of steps at equal "
        f"weight {device.asymmetry:.2f}.{energy}"
    )


def panels(device: PulsedDevice, history: xr.Dataset | None) -> list[Panel]:
    """All sections, those that the device file and its history have."""
    values, signs, kept = _curves(device)
    found = [_curve_panel(device, values, signs, kept=kept), _step_panel(device, values, signs, kept=kept)]
    moved = None if history is None or "wall_position" not in history else history
    if moved is not None or "delay_motion" in device.data:
        found.append(_motion_panel(device, moved))
    return [*found, _fit_panel(device), _spread_panel(device), *_energy_panels(device)]


def _curves(device: PulsedDevice) -> tuple[Float[np.ndarray, "device cycle pulse"], Int[np.ndarray, " pulse"], bool]:
    """Curves in weight units and the sign of the pulse before each value: those in the file, or of drawn devices."""
    if "curve" in device.data:
        values = device.data["curve"].transpose("device", "cycle", "pulse").values.astype(np.float64)
        return device.weight_of(values), device.data["curve_sign"].values.astype(int), True
    count = int(np.clip(round(device.states), 4, MOST_PULSES))
    signs = [1] * count + [-1] * count
    generator = np.random.default_rng(0)
    sample = DeviceSample.draw(device, DRAWN, generator)
    return sample.train(signs, 1, generator), np.array([0, *signs]), False


def _curve_panel(
    device: PulsedDevice, values: Float[np.ndarray, "device cycle pulse"], signs: np.ndarray, *, kept: bool
) -> Panel:
    coordinate = device.coordinate
    shown = coordinate.factor * device.value_of(values)
    devices = np.nanmean(shown, axis=1)
    mean = np.nanmean(devices, axis=0)
    spread = np.nanstd(devices, axis=0, ddof=1) if len(devices) > 1 else np.zeros_like(mean)
    pulses = np.arange(len(mean))
    fig = go.Figure()
    for number, line in enumerate(devices[:MOST_LINES]):
        fig.add_scatter(
            x=pulses, y=_rounded(line), mode="lines", line={"color": GREY, "width": 0.8}, opacity=0.5,
            name="single devices", legendgroup="single", showlegend=number == 0, hoverinfo="skip",
        )  # fmt: skip
    fig.add_scatter(
        x=pulses, y=_rounded(mean), mode="lines+markers", line={"color": BLUE, "width": 2}, marker={"size": 5},
        name="mean", error_y={"type": "data", "array": _rounded(spread), "thickness": 1, "width": 2},
    )  # fmt: skip
    unit = _unit(device)
    fig.update_xaxes(title="pulse", rangemode="tozero")
    fig.update_yaxes(title=escape(f"{coordinate.name}{unit}"))
    count, cycles = values.shape[:2]
    what = (
        f"Mean over {_number(count, 'device')} of {_number(cycles, 'cycle')}"
        if kept
        else f"The file keeps no curves: mean of {count} devices drawn from it (seed 0)"
    )
    places = _places(len(mean))
    rows = [
        (str(place), {1: "up", -1: "down", 0: "–"}[int(signs[place])], sig(mean[place]), sig(spread[place], 3))
        for place in places
    ]
    return Panel(
        "Potentiation and depression",
        f"{what}, with the standard deviation between devices as bars, and single devices. Pulses up first.",
        [(f"{coordinate.name.capitalize()} against the pulse", finished_spec(fig, 380))],
        ("pulse", "direction", f"mean{unit}", f"σ between devices{unit}"),
        rows,
    )


def _step_panel(
    device: PulsedDevice, values: Float[np.ndarray, "device cycle pulse"], signs: np.ndarray, *, kept: bool
) -> Panel:
    plots = [
        (f"Step {WORDS[sign]} against the weight", _step_plot(device, values, signs, sign, kept=kept))
        for sign in (1, -1)
    ]
    mean, sd, grid = device.step_means, device.step_sds, device.grid
    known = "step_mean_interval" in device.data
    ends = device.data["step_mean_interval"].values if known else None
    rows = []
    for place in _places(len(grid)):
        cells = [f"{grid[place]:.3f}"]
        for row in (0, 1):
            between = "" if ends is None else f" ({ends[row, place, 0]:.4f} to {ends[row, place, 1]:.4f})"
            cells += [f"{mean[row, place]:.4f}{between}", f"{sd[row, place]:.4f}"]
        rows.append(tuple(cells))
    data = "Points: steps of the curves in the file" if kept else "Points: steps of drawn devices"
    brackets = " In brackets: 95 % intervals by bootstrap over devices." if known else ""
    return Panel(
        "Step against state",
        "Change of weight by one pulse against the weight before it. Line: mean step; shaded: one standard deviation "
        f"from pulse to pulse. {data}, at most {MOST_POINTS} of each sign; a weight is relative to the bounds of all "
        f"devices, −1 to 1.{brackets}",
        plots,
        ("weight", "mean up", "σ up", "mean down", "σ down"),
        rows,
    )


def _step_plot(
    device: PulsedDevice, values: Float[np.ndarray, "device cycle pulse"], signs: np.ndarray, sign: int, *, kept: bool
) -> Spec:
    places = np.flatnonzero(signs == sign)
    places = places[places > 0]
    before, after = values[:, :, places - 1].ravel(), values[:, :, places].ravel()
    seen = np.isfinite(before) & np.isfinite(after)
    before, change = before[seen], (after - before)[seen]
    chosen = np.unique(np.linspace(0, max(len(before) - 1, 0), min(len(before), MOST_POINTS)).astype(int))
    grid, mean, sd = device.grid, device.step(device.grid, sign), device.step_sd(device.grid, sign)
    fig = go.Figure()
    fig.add_scatter(x=grid, y=_rounded(mean - sd), mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
    fig.add_scatter(
        x=grid, y=_rounded(mean + sd), mode="lines", line={"width": 0}, fill="tonexty", fillcolor=SHADES[sign],
        name="σ from pulse to pulse", hoverinfo="skip",
    )  # fmt: skip
    fig.add_scatter(
        x=_rounded(before[chosen]), y=_rounded(change[chosen]), mode="markers", marker={"color": GREY, "size": 4},
        opacity=0.6, name="measured steps" if kept else "drawn steps",
    )  # fmt: skip
    fig.add_scatter(x=grid, y=_rounded(mean), mode="lines", line={"color": COLOURS[sign], "width": 2}, name="mean step")
    fig.update_xaxes(title="weight before the pulse", range=[-1.1, 1.1])
    fig.update_yaxes(title=f"change by a pulse {WORDS[sign]}")
    return finished_spec(fig, 340)


def _motion_plot(history: xr.Dataset) -> Spec:
    """Positions of walls at the ends of pulses and in the delays after them."""
    order = ("pulse", "record", "device", "cycle")
    times = NANO * history["time"].transpose("pulse", "record").values
    walls = NANO * history["wall_position"].transpose(*order).values
    walls = np.where(history["wall_count"].transpose(*order).values == 1, walls, np.nan)
    flat, lines = times.ravel(), walls.reshape(times.size, -1)
    fig = go.Figure()
    for number, line in enumerate(lines.T[:MOST_LINES]):
        fig.add_scatter(
            x=_rounded(flat), y=_rounded(line, 2), mode="lines", line={"color": GREY, "width": 0.8}, opacity=0.5,
            name="single walls", legendgroup="single", showlegend=number == 0, hoverinfo="skip",
        )  # fmt: skip
    mean = np.nanmean(lines, axis=1)
    fig.add_scatter(
        x=_rounded(flat), y=_rounded(mean, 2), mode="lines", line={"color": BLUE, "width": 2}, name="mean, thermal"
    )
    if "cold_position" in history:
        cold = NANO * history["cold_position"].transpose(*order[:3]).values.reshape(times.size, -1).mean(axis=1)
        fig.add_scatter(
            x=_rounded(flat), y=_rounded(cold, 2), mode="lines", line={"color": VERMILLION, "width": 1.5},
            name="mean, 0 K",
        )  # fmt: skip
    for start, end in zip(times[:-1, -1], times[1:, 0], strict=True):
        fig.add_vrect(x0=float(start), x1=float(end), fillcolor=GREY, opacity=0.18, line_width=0)
    fig.update_xaxes(title="time (ns)")
    fig.update_yaxes(title="position of the wall (nm)")
    return finished_spec(fig, 400)


def _motion_panel(device: PulsedDevice, history: xr.Dataset | None) -> Panel:
    """Motion of walls in pulses and in the delays after them."""
    rows = [
        (label, *_with_interval(device.data, name, NANO, "nm"))
        for name, label in (
            ("pulse_motion", "mean motion in a pulse"),
            ("delay_motion", "mean motion in the delay after it, in the direction of the pulse"),
            ("delay_motion_rms", "root mean square of the motion in a delay"),
        )
        if name in device.data
    ]
    drawn = "" if history is None else "Positions of walls against time; pulses are shaded. "
    plots = [] if history is None else [("Position of the wall against time", _motion_plot(history))]
    return Panel(
        "Position in pulses and in delays",
        f"{drawn}Motions in the table are of walls in the middle half of the track; intervals are 95 %, by bootstrap "
        "over devices.",
        plots,
        ("quantity", "value", "95 % interval"),
        rows,
    )


def _fit_panel(device: PulsedDevice) -> Panel:
    """Figures of merit, and the parameters of the laws of other simulators."""
    figures, data = device.figures(), device.data
    measured = (
        ("nonlinearity", "ν of the curves in the file"),
        ("line_deviation", "their largest deviation from a line, over the range"),
        ("cold_nonlinearity", "ν of the curves at 0 K"),
        ("soft_step", "step of the fitted soft bounds at w = 0"),
    )
    rows = [(label, *(_cell(data, name, row) for row in (0, 1))) for name, label in measured if name in data]
    rows.append(("ν of the mean step", f"{figures.nonlinearity_up:.3f}", f"{figures.nonlinearity_down:.3f}"))
    asymmetry = _cell(data, "asymmetry", None) if "asymmetry" in data else f"{device.asymmetry:.3f}"
    rows += [
        ("asymmetry of steps at equal weight (0 to 1)", asymmetry, ""),
        ("steps in the range, at w = 0", sig(device.states, 3), ""),
        *_neurosim_rows(device),
    ]
    settings = aihwkit_settings(device)
    rows += [
        (f"dw_min of aihwkit's {settings['class']}", sig(settings["dw_min"]), ""),
        ("dw_min_std, noise of a pulse over the step", sig(settings["dw_min_std"], 3), ""),
        ("dw_min_dtod", sig(settings["dw_min_dtod"], 3), ""),
        ("up_down_dtod", sig(settings["up_down_dtod"], 3), ""),
    ]
    return Panel(
        "Fits and figures of merit",
        "ν is that of (1 − exp(−νp))/(1 − exp(−ν)) between the same ends and with the same mean, p the share of the "
        "pulses. Parameters of other simulators are those that barkhausen export-device writes. In brackets: 95 % "
        "intervals by bootstrap.",
        [],
        ("quantity", "up, or both", "down"),
        rows,
    )


def _neurosim_rows(device: PulsedDevice) -> list[tuple[str, str, str]]:
    try:
        found = neurosim_parameters(device)
    except InputError as error:
        return [(f"A of NeuroSim: {error}", "–", "–")]
    counts = (f"{found['maxNumLevelLTP']:.0f}", f"{found['maxNumLevelLTD']:.0f}")
    return [
        ("A of NeuroSim in pulses (paramALTP, paramALTD)", sig(found["paramALTP"]), sig(found["paramALTD"])),
        ("pulses to 95 % of the range (maxNumLevelLTP, maxNumLevelLTD)", *counts),
        ("σ of a step over the range (sigmaCtoC)", sig(found["sigmaCtoC"], 3), ""),
    ]


def _spread_panel(device: PulsedDevice) -> Panel:
    up, down = device.scale_sd
    low, high = device.bound_sd
    rows = [
        ("σ of the factor on all steps of a device", f"{up:.3f}", f"{down:.3f}"),
        ("correlation of both", f"{device.scale_correlation:.2f}", ""),
        ("σ of the bounds of a device (weight), upper and lower", f"{high:.3f}", f"{low:.3f}"),
        ("largest σ of a device's own steps at one weight", *(f"{row.max():.4f}" for row in device.pattern_sds)),
        ("σ of one read (weight)", f"{device.read_sd:.4f}" if "read_sd" in device.data else "–", ""),
        ("cells", device.cell.words(), ""),
    ]
    return Panel(
        "Differences between devices",
        "Factors are log-normal with mean 1, bounds normal about −1 and 1.",
        [],
        ("quantity", "up, or both", "down"),
        rows,
    )


def _energy_panels(device: PulsedDevice) -> list[Panel]:
    causes = device.energy_causes
    if not causes:
        return []
    fig = go.Figure()
    colours = iter((BLUE, VERMILLION, GREY, INK) * len(causes))
    rows = []
    for cause, label in causes.items():
        joules = device.energy(cause)
        fig.add_bar(
            x=["pulse up", "pulse down"], y=[FEMTO * joule for joule in joules], name=escape(label),
            marker={"color": next(colours)},
        )  # fmt: skip
        rows.append((label, *(sig(FEMTO * joule) for joule in joules)))
    rows.append(("all", *(sig(FEMTO * joule) for joule in device.energy())))
    try:
        rows.append(("one read, in the middle of the range", sig(FEMTO * float(device.read_energy(0.0))), ""))
    except InputError:
        rows.append(("one read: the file gives no read-out", "–", ""))
    fig.update_layout(barmode="stack", showlegend=True)
    fig.update_yaxes(title="energy (fJ)", rangemode="tozero")
    return [
        Panel(
            "Energy",
            "Energy of one pulse by cause.",
            [("Energy of one pulse by cause", finished_spec(fig, 320))],
            ("cause", "up (fJ)", "down (fJ)"),
            rows,
        )
    ]


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _unit(device: PulsedDevice) -> str:
    unit = device.coordinate.shown_unit
    return "" if unit == "1" else f" ({unit})"


def _places(count: int) -> list[int]:
    """Places of some rows of a table, evenly spread."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, ROWS))})


def _rounded(values: np.ndarray, decimals: int = 5) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in np.round(values, decimals)]


def _cell(data: xr.Dataset, name: str, row: int | None) -> str:
    """A value with its interval in brackets."""
    place = () if row is None else (row,)
    value = f"{float(data[name].values[place]):.3f}"
    if f"{name}_interval" not in data:
        return value
    low, high = data[f"{name}_interval"].values[place]
    return f"{value} ({low:.3f} to {high:.3f})"


def _with_interval(data: xr.Dataset, name: str, factor: float, unit: str) -> tuple[str, str]:
    value = f"{factor * float(data[name]):.1f} {unit}"
    if f"{name}_interval" not in data:
        return value, "–"
    low, high = factor * data[f"{name}_interval"].values
    return value, f"{low:.1f} to {high:.1f} {unit}"


PAGES.register(KIND, KindOfPage(PulsedDevice, lede, panels))
