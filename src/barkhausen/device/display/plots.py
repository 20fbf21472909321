"""Figures of a characterised device: the distribution of each state, and the states against what selects them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float

from barkhausen.core.display.plot_style import new_axes, one_column, ordered_colours
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.device.coordinate import DISPLAY
from barkhausen.device.statistics.distribution import EmpiricalStates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.device.characterised import CharacterisedDevice

DRAWS = 40_000
"""Values drawn from the distribution of each state for its curve."""

FEWEST_BINS, MOST_BINS = 60, 160

MOST_NUMBERS = 20
"""Largest number of states whose numbers have room beside each other."""

DRIVES = ("gate_voltage", "current_density", "pulse_width", "pulse_voltage")
"""Variables by state that can select a state, in the order in which they are looked for."""

OWN = ("state_mean", "sigma_device", "sigma_cycle")


def plot_device(device: CharacterisedDevice, axes: Axes | None = None, *, weights: bool = True) -> Axes:
    """Draw the distribution of the state coordinate in each state.

    Bars are what was simulated or measured, all devices and cycles together; a curve is the distribution from which
    synapses are drawn, where the device file gives one.

    Args:
        device: Characterised device of any technology.
        axes: Axes to draw on. Default: those of a new figure one column wide.
        weights: Whether a second axis, on top, gives the weight.

    Returns:
        The axes.
    """
    coordinate = device.coordinate
    values = coordinate.factor * device.state_values.reshape(device.states, -1)
    colours = ordered_colours(device.states)
    with one_column():
        axes = new_axes(axes)
        edges = _edges(values)
        places = []
        for state, (row, colour) in enumerate(zip(values, colours, strict=True)):
            finite = row[np.isfinite(row)]
            if not len(finite):
                continue
            counts, _ = np.histogram(finite, edges)
            density = counts / (len(finite) * np.diff(edges))
            axes.stairs(density, edges, fill=True, color=colour, alpha=0.35, label=f"state {state}")
            axes.stairs(density, edges, color=colour, linewidth=0.5)
            places.append((float(np.median(finite)), state))
        _draw_curves(axes, device, colours)
        _name_states(axes, places, colours)
        axes.set_xlabel(f"{coordinate.name} ({coordinate.shown_unit})")
        axes.set_ylabel(f"probability density (1/{coordinate.shown_unit})")
        if weights:
            _weight_axis(axes, device)
    return axes


def plot_drive(device: CharacterisedDevice, axes: Axes | None = None) -> Axes:
    """Draw the mean of each state against the quantity that selects it, such as the gate voltage.

    Thick bars are one standard deviation between devices, thin ones that of a single programming event: between
    devices and between cycles together.

    Args:
        device: Characterised device of any technology.
        axes: Axes to draw on. Default: those of a new figure one column wide.

    Returns:
        The axes.

    Raises:
        InputError: The device file names no quantity that differs between the states.
    """
    name, drive, label = _drive(device)
    coordinate = device.coordinate
    mean, between_devices, between_cycles = (coordinate.factor * moment for moment in device.moments)
    both = np.hypot(between_devices, between_cycles)
    with one_column():
        axes = new_axes(axes)
        axes.set_gid(name)
        colours = ordered_colours(device.states)
        for state, colour in enumerate(colours):
            place = drive[state], mean[state]
            axes.errorbar(*place, yerr=both[state], color=colour, linewidth=0.7, capsize=2)
            axes.errorbar(*place, yerr=between_devices[state], color=colour, linewidth=2.2, fmt="o")
        axes.set_xlabel(label)
        axes.set_ylabel(f"{coordinate.name} ({coordinate.shown_unit})")
    return axes


PLOTS: dict[str, Callable[[CharacterisedDevice, Axes | None], Axes]] = {
    "distribution": plot_device,
    "drive": plot_drive,
}
"""Figures of a device by name."""


def plot_of(kind: str) -> Callable[[CharacterisedDevice, Axes | None], Axes]:
    """The function that draws a figure of that name.

    Raises:
        InputError: There is none.
    """
    if kind not in PLOTS:
        raise InputError(f"kind = {kind!r}: no such figure of a device{did_you_mean(kind, PLOTS)}")
    return PLOTS[kind]


def _drive(device: CharacterisedDevice) -> tuple[str, Float[np.ndarray, " state"], str]:
    """Name, values and axis label of the quantity that selects the states."""
    data = device.data
    others = [str(name) for name, variable in data.data_vars.items() if variable.dims == ("state",)]
    for name in (*DRIVES, *(name for name in others if name.endswith(("_voltage", "_current", "_field")))):
        if name not in data or name in OWN or data[name].dims != ("state",):
            continue
        values = np.asarray(data[name].values, np.float64)
        if np.isfinite(values).all() and len(np.unique(values)) > 1:
            unit = str(data[name].attrs.get("units", "1"))
            factor, shown = DISPLAY.get(unit, (1.0, unit))
            return name, factor * values, f"{name.replace('_', ' ')} ({shown})"
    raise InputError("the device file names no quantity that differs between the states, such as gate_voltage")


def _edges(values: Float[np.ndarray, "state event"]) -> Float[np.ndarray, " edge"]:
    """Edges of bins common to all states, as wide as the rule of Freedman and Diaconis has it for a typical state."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    if high <= low:
        half = 0.5 * abs(low) or 0.5
        return np.linspace(low - half, high + half, FEWEST_BINS + 1)
    widths = []
    for row in values:
        own = row[np.isfinite(row)]
        if len(own) > 1:
            lower, upper = np.percentile(own, (25, 75))
            widths.append(2 * (upper - lower) / len(own) ** (1 / 3))
    width = float(np.median(widths)) if widths else 0.0
    number = MOST_BINS if width <= 0 else int(np.clip(np.ceil((high - low) / width), FEWEST_BINS, MOST_BINS))
    return np.linspace(low, high, number + 1)


def _draw_curves(axes: Axes, device: CharacterisedDevice, colours: list[str]) -> None:
    """The distribution from which synapses are drawn, estimated from many draws; resampled values have no curve."""
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415

    distribution = device.distribution()
    if isinstance(distribution, EmpiricalStates):
        return
    generator = torch.Generator().manual_seed(0)
    offsets, origin = distribution.draw_population(DRAWS, generator)
    mean = device.moments[0]
    scale = device.coordinate.factor * (mean[-1] - mean[0]) / 2
    for state, colour in enumerate(colours):
        events = torch.full((len(offsets),), state, dtype=torch.int64)
        drawn = distribution.levels[state] + offsets[:, state] + distribution.draw_noise(events, generator, origin)
        places = scale * (drawn.double().numpy() + 1) + device.coordinate.factor * mean[0]
        spread = float(places.std())
        if spread <= 0:
            continue
        low, high = np.quantile(places, (1e-3, 1 - 1e-3))
        edges = np.linspace(low - spread, high + spread, 1025)
        counts, _ = np.histogram(places, edges)
        step = edges[1] - edges[0]
        # Silverman's rule with the width of the highest peak: of several peaks far apart none may be washed out.
        width = 0.9 * _peak_sigma(places) * len(places) ** -0.2 / step
        curve = gaussian_filter1d(counts.astype(np.float64), max(width, 1.0), mode="constant") / (len(places) * step)
        # No line where there is next to nothing: it would lie on the axis and hide other states.
        curve[curve < 2e-3 * curve.max()] = np.nan
        axes.plot((edges[1:] + edges[:-1]) / 2, curve, color=colour, linewidth=1.1)


def _peak_sigma(values: Float[np.ndarray, " draw"]) -> float:
    """Standard deviation of the normal distribution whose middle 30 % are as narrow as the densest 30 % of values."""
    ordered = np.sort(values)
    part = int(0.3 * len(ordered))
    return float((ordered[part:] - ordered[:-part]).min()) / (2 * 0.3853)


def _name_states(axes: Axes, places: list[tuple[float, int]], colours: list[str]) -> None:
    """Number of each state at the top, above its median; of many states every second, third and so on."""
    every = -(-len(places) // MOST_NUMBERS)
    axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
    for place, state in places[:: max(every, 1)]:
        axes.annotate(
            str(state),
            (place, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            color=colours[state],
        )


def _weight_axis(axes: Axes, device: CharacterisedDevice) -> None:
    mean, factor = device.coordinate.factor * device.moments[0], device.coordinate.factor

    def weight(place: Any) -> Any:
        return device.weight_of(np.asarray(place) / factor)

    def place(weight: Any) -> Any:
        return np.asarray(mean[0] + (np.asarray(weight) + 1) * (mean[-1] - mean[0]) / 2)

    axes.secondary_xaxis("top", functions=(weight, place)).set_xlabel("weight")
