"""Figure of a train of pulses: positions of walls against time, in pulses and in delays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from barkhausen.core.display.plot_style import BLUE, GREY, VERMILLION, new_axes, one_column
from barkhausen.core.units import NANO

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_WALLS = 24
"""Largest number of single walls that are drawn."""


def plot_train(history: xr.Dataset, axes: Axes | None = None) -> Axes:
    """Draw the positions of single walls and their mean, and the mean of the same devices at 0 K.

    Pulses are shaded. A position is drawn at the end of each pulse and in its delay.

    Args:
        history: Histories of a characterisation.
        axes: Axes to draw on. Default: those of a new figure.
    """
    with one_column():
        axes = new_axes() if axes is None else axes
        times = NANO * history["time"].transpose("pulse", "record").values
        walls = NANO * history["wall_position"].transpose("pulse", "record", "device", "cycle").values
        counts = history["wall_count"].transpose("pulse", "record", "device", "cycle").values
        walls = np.where(counts == 1, walls, np.nan).reshape(times.size, -1)
        flat = times.ravel()
        for start, end in zip(times[:-1, -1], times[1:, 0], strict=True):
            axes.axvspan(start, end, color=GREY, alpha=0.18, linewidth=0)
        axes.plot(flat, walls[:, :MOST_WALLS], color=BLUE, alpha=0.25, linewidth=0.5)
        axes.plot(flat, np.nanmean(walls, axis=1), color=BLUE, linewidth=1.6, label="mean, thermal")
        if "cold_position" in history:
            cold = NANO * history["cold_position"].transpose("pulse", "record", "device").values
            axes.plot(
                flat, cold.reshape(times.size, -1).mean(axis=1), color=VERMILLION, linewidth=1.2, label="mean, 0 K"
            )
        axes.set_xlabel("time (ns)")
        axes.set_ylabel("wall position (nm)")
        axes.legend()
    return axes
