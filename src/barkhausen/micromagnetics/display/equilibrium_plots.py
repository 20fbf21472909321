"""Figures of hysteresis loops and of paths of least energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from barkhausen.core.display.plot_style import BLACK, GREY, legend_above, new_axes, one_column, ordered_colours
from barkhausen.core.units import BOLTZMANN, MILLI

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM_TEMPERATURE = 300.0
"""Temperature in K of the unit of energy in figures."""

MOST_IN_LEGEND = 6
"""Largest number of curves that are named."""


def plot_hysteresis(result: xr.Dataset, axes: Axes | None = None) -> Axes:
    """Draw <m> along the field against the field, a curve for each replica.

    Args:
        result: Result of :func:`~barkhausen.micromagnetics.hysteresis`.
        axes: Axes to draw on. Default: those of a new figure one column wide.
    """
    field = result["applied_field"].values / MILLI
    with one_column():
        axes = new_axes(axes)
        axes.axhline(0.0, color=GREY, linewidth=0.4, zorder=0)
        axes.axvline(0.0, color=GREY, linewidth=0.4, zorder=0)
        along = result["m_along"].transpose("replica", "step").values
        for row, colour in zip(along, _colours(len(along)), strict=True):
            axes.plot(field, row, color=colour, marker=".", markersize=2.5)
        axes.set_xlabel("applied field (mT)")
        axes.set_ylabel(r"$\langle m \rangle$ along the field")
    return axes


def plot_energy_path(result: xr.Dataset, axes: Axes | None = None) -> Axes:
    """Draw the energy along each path, from its start, in k_B × 300 K; a ring marks the saddle.

    Args:
        result: Result of :func:`~barkhausen.micromagnetics.minimum_energy_path`.
        axes: Axes to draw on. Default: those of a new figure one column wide.
    """
    unit = BOLTZMANN * ROOM_TEMPERATURE
    coordinate = result["coordinate"].transpose("path", "image").values
    energy = result["energy"].transpose("path", "image").values
    energy = (energy - energy[:, :1]) / unit
    with one_column():
        axes = new_axes(axes)
        rows = zip(coordinate, energy, result["saddle"].values, _colours(len(energy)), strict=True)
        for number, (where, height, top, colour) in enumerate(rows):
            axes.plot(where, height, color=colour, marker=".", markersize=3, label=f"path {number}")
            axes.plot(where[top], height[top], marker="o", markersize=6, color=colour, fillstyle="none")
        if 1 < len(energy) <= MOST_IN_LEGEND:
            legend_above(axes, len(energy))
        axes.set_xlabel("distance from the start (rad)")
        axes.set_ylabel(r"energy ($k_\mathrm{B} \times 300$ K)")
    return axes


def _colours(number: int) -> list[str]:
    return [BLACK] if number == 1 else ordered_colours(number)
