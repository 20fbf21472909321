"""Figures of films, drives and simulations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.display.plot_style import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    HEIGHT,
    WIDTH,
    legend_above,
    new_axes,
    new_panels,
    one_column,
    ordered_colours,
)
from barkhausen.core.errors import InputError
from barkhausen.core.units import MILLI, NANO

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.micromagnetics.excitation.drive import Drive
    from barkhausen.micromagnetics.film import Film

MOST_MAPS = 8
"""Largest number of maps below each other."""

MOST_LINES = 300
"""Largest number of replicas drawn; of more, evenly spaced ones are chosen."""

SIGNALS = {
    "current_density": ("current density", 1e-9, "GA/m²"),
    "magnet_current_density": ("current density in the magnet", 1e-9, "GA/m²"),
    "field_x": ("field along x", MILLI, "mT"),
    "field_y": ("field along y", MILLI, "mT"),
    "field_z": ("field along z", MILLI, "mT"),
    "gate_voltage": ("gate voltage", 1.0, "V"),
    "local_field": ("strength of the local field", 1.0, "of its profile"),
}
"""Label, factor and unit of each signal of a drive."""


def plot_film(
    film: Film,
    magnetisation: Float[Tensor, "any 3 nx ny"] | None = None,
    axes: Sequence[Axes] | None = None,
    *,
    component: str = "z",
) -> list[Axes]:
    """Draw maps of a film, with the outline of the track over the cells.

    Args:
        film: Film, of one device or several.
        magnetisation: Magnetisation ``[3, nx, ny]``, or of several replicas ``[replica, 3, nx, ny]``, a map each (at
            most 8). Default: the anisotropy of each device if it varies, otherwise the filled fraction.
        axes: Axes to draw on, one for each map. Default: those of a new figure one column wide.
        component: Component of the magnetisation: ``x``, ``y`` or ``z``.

    Returns:
        The axes, one for each map.

    Raises:
        InputError: The magnetisation is not of this film, or there is no such component.
    """
    maps, look = _maps(film, magnetisation, component)
    grid = film.grid
    fill = np.ones((1, *grid.shape)) if film.fill is None else film.fill.cpu().double().numpy()
    with one_column():
        panels = _panels(axes, len(maps), grid.width / grid.length)
        for number, (panel, values) in enumerate(zip(panels, maps, strict=True)):
            cells = fill[_device_of(film, number, len(maps), len(fill))]
            image = panel.imshow(
                np.where(cells > 0, values, np.nan).T,
                origin="lower",
                extent=(0.0, NANO * grid.length, 0.0, NANO * grid.width),
                interpolation="nearest",
                alpha=cells.T if look["pale"] else None,
                **look["image"],
            )
            _draw_outline(panel, film, cells)
            panel.set_ylabel("y (nm)")
            panel.spines[["top", "right"]].set_visible(True)
            if number < len(maps) - 1:
                panel.tick_params(labelbottom=False)
        panels[-1].set_xlabel("x (nm)")
        bar = panels[0].figure.colorbar(image, ax=panels, fraction=0.05, aspect=12)
        bar.set_label(look["label"])
        bar.outline.set_linewidth(0.6)
    return panels


def plot_drive(drive: Drive, axes: Sequence[Axes] | None = None, *, until: float | None = None) -> list[Axes]:
    """Draw the signals of a drive against time, a panel for each that is not zero.

    Signals that differ between replicas have a line for each different one, dark to light.

    Args:
        drive: Drive.
        axes: Axes to draw on, one for each signal that is not zero. Default: those of a new figure one column wide.
        until: End of the time axis in s. Default: the last change of a signal, and a tenth more.

    Returns:
        The axes, one for each signal.

    Raises:
        InputError: All signals are zero.
    """
    waves = {name: wave for name, wave in drive.waveforms.items() if not wave.is_zero}
    if not waves:
        raise InputError("the drive has no signal to draw: all are zero")
    end = until if until is not None else 1.1 * max(wave.end for wave in waves.values()) or 1e-9
    with one_column():
        panels = list(axes) if axes is not None else new_panels(
            len(waves), height=0.35 + 1.1 * len(waves), share_x=True
        )  # fmt: skip
        _check_number(panels, len(waves), "signals")
        for panel, (name, wave) in zip(panels, waves.items(), strict=True):
            label, factor, unit = SIGNALS[name]
            # A knot twice, from the left and from the right, so that steps stay steps.
            knots = wave.times.flatten().unique()
            knots = torch.cat((torch.zeros(1, dtype=knots.dtype), knots[(knots > 0) & (knots < end)]))
            before = (knots - 1e-6 * end).clamp_min(0.0)
            times = torch.cat((before, knots, torch.tensor([end], dtype=knots.dtype))).sort().values
            values = torch.unique(wave(times), dim=1)
            for row, colour in zip(values.T, _line_colours(values.shape[1]), strict=True):
                panel.plot(NANO * times.numpy(), factor * row.numpy(), color=colour)
            panel.axhline(0.0, color=GREY, linewidth=0.4, zorder=0)
            panel.set_ylabel(f"{label}\n({unit})")
        panels[-1].set_xlabel("time (ns)")
        panels[-1].set_xlim(0, NANO * end)
        panels[0].figure.align_ylabels(panels)
    return panels


def plot_simulation(result: xr.Dataset, axes: Axes | None = None) -> Axes:
    """Draw the wall position of each replica against time, or <m> where no wall was observed.

    A black line is the mean over the replicas that have one wall; pulses of the current that are common to all replicas
    are shaded.

    Args:
        result: Result of :func:`~barkhausen.micromagnetics.simulate`.
        axes: Axes to draw on. Default: those of a new figure one column wide.

    Returns:
        The axes.

    Raises:
        InputError: The result holds neither wall positions nor <m>, or several layers.
    """
    if "wall_position" not in result and "m" not in result:
        raise InputError(
            "the result holds neither 'wall_position' nor 'm': observe WallPosition() or MeanMagnetisation()"
        )
    if "layer" in result.dims:
        names = ", ".join(map(str, result["layer"].values))
        raise InputError(f"the result is of a stack: choose a layer, result.sel(layer=...), one of {names}")
    times = NANO * result["time"].values
    with one_column():
        axes = new_axes(axes)
        for start, stop in _pulses(str(result.attrs.get("drive", "{}")), float(result["time"][-1])):
            axes.axvspan(NANO * start, NANO * stop, color=GREY, alpha=0.18, linewidth=0)
        if "wall_position" in result:
            walls = NANO * result["wall_position"].transpose("time", "replica").values
            _draw_walls(axes, times, walls)
            axes.set_ylabel("wall position (nm)")
        else:
            mean = result["m"].mean("replica")
            for name, colour in zip("xyz", COLOURS, strict=False):
                axes.plot(times, mean.sel(component=name).values, color=colour, label=f"$m_{name}$")
            axes.set_ylabel(r"mean magnetisation $\langle m \rangle$")
            legend_above(axes, 3)
        axes.set_xlabel("time (ns)")
        axes.set_xlim(times[0], times[-1])
    return axes


def _maps(film: Film, magnetisation: Tensor | None, component: str) -> tuple[list[Any], dict[str, Any]]:
    """The maps to draw, and how."""
    if magnetisation is not None:
        if component not in ("x", "y", "z"):
            raise InputError(f"component = {component!r}: must be x, y or z")
        m = torch.as_tensor(magnetisation)
        m = m[None] if m.dim() == 3 else m
        if m.dim() != 4 or tuple(m.shape[1:]) != (3, *film.grid.shape):
            raise InputError(
                f"magnetisation: shape {tuple(m.shape)} is not (replica, 3, {', '.join(map(str, film.grid.shape))})"
            )
        maps = list(m[:MOST_MAPS, "xyz".index(component)].cpu().double().numpy())
        return maps, {"label": f"$m_{component}$", "pale": True, "image": {"cmap": "RdBu_r", "vmin": -1.0, "vmax": 1.0}}
    if film.anisotropy is not None:
        maps = list(1e-3 * film.anisotropy[:MOST_MAPS].cpu().double().numpy())
        low, high = min(values.min() for values in maps), max(values.max() for values in maps)
        return maps, {
            "label": "anisotropy (kJ/m³)",
            "pale": True,
            "image": {"cmap": "viridis", "vmin": low, "vmax": high},
        }
    fill = torch.ones(1, *film.grid.shape) if film.fill is None else film.fill[:MOST_MAPS]
    look = {"label": "filled fraction", "pale": False, "image": {"cmap": _greys(), "vmin": 0.0, "vmax": 1.0}}
    return list(fill.cpu().double().numpy()), look


def _greys() -> Any:
    """White to a middle grey, on which a black outline can be seen."""
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.colors import ListedColormap  # noqa: PLC0415

    return ListedColormap(mpl.colormaps["Greys"](np.linspace(0.0, 0.55, 256)))


def _device_of(film: Film, number: int, maps: int, devices: int) -> int:
    """Device of a map: that of the replica, or one after the other."""
    if devices == 1:
        return 0
    if film.device_of_replica is not None and maps <= len(film.device_of_replica):
        return int(film.device_of_replica[number])
    return number % devices


def _panels(axes: Sequence[Axes] | None, maps: int, aspect: float) -> list[Axes]:
    if axes is not None:
        panels = list(axes)
        _check_number(panels, maps, "maps")
        return panels
    each = min(max(0.72 * WIDTH * aspect, 0.3), HEIGHT)
    return new_panels(maps, height=0.5 + (each + 0.12) * maps)


def _check_number(panels: Sequence[object], needed: int, things: str) -> None:
    if len(panels) != needed:
        raise InputError(f"axes: {len(panels)} are given for {needed} {things}")


def _draw_outline(axes: Axes, film: Film, fill: Float[np.ndarray, "nx ny"]) -> None:
    """Outline where half a cell is filled; around the grid there is nothing."""
    grid = film.grid
    padded = np.pad(fill, 1)
    x = NANO * grid.dx * (np.arange(grid.nx + 2) - 0.5)
    y = NANO * grid.dy * (np.arange(grid.ny + 2) - 0.5)
    axes.contour(x, y, padded.T, levels=[0.5], colors=[BLACK], linewidths=0.7)


def _line_colours(number: int) -> list[str]:
    return [BLUE] if number == 1 else ordered_colours(number)


def _draw_walls(axes: Axes, times: Float[np.ndarray, " time"], walls: Float[np.ndarray, "time replica"]) -> None:
    replicas = walls.shape[1]
    chosen = np.unique(np.linspace(0, replicas - 1, min(replicas, MOST_LINES)).round().astype(int))
    if replicas == 1:
        axes.plot(times, walls[:, 0], color=BLUE)
        return
    axes.plot(times, walls[:, chosen], color=BLUE, linewidth=0.5, alpha=max(0.15, min(0.7, 10 / len(chosen))))
    one = np.isfinite(walls)
    mean = np.where(one, walls, 0.0).sum(1) / np.maximum(one.sum(1), 1)
    axes.plot(times, np.where(one.any(1), mean, np.nan), color=BLACK, linewidth=1.3, label="mean")


def _pulses(drive: str, until: float) -> list[tuple[float, float]]:
    """Start and end in s of the pulses of current that all replicas have in common."""
    try:
        signals = json.loads(drive)
        wave = signals.get("current_density") or signals.get("magnet_current_density")
        times, values = (np.asarray(wave[name], np.float64) for name in ("times", "values"))
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
    if times.ndim != 2 or times.shape[1] != 1 or len(times) < 2:
        return []
    on = np.abs(values).max(axis=1) > 0
    pulses: list[tuple[float, float]] = []
    for k in range(len(times) - 1):
        start, stop = float(times[k, 0]), min(float(times[k + 1, 0]), until)
        if (on[k] or on[k + 1]) and stop > start:
            if pulses and pulses[-1][1] >= start:
                pulses[-1] = (pulses[-1][0], stop)
            else:
                pulses.append((start, stop))
    return pulses
