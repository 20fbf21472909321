"""Figure of a device moved by pulses: curves of potentiation and depression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from barkhausen.core.display.plot_style import BLUE, new_axes, one_column
from barkhausen.core.units import labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.device.pulses.device import PulsedDevice

MOST_CURVES = 200
"""Largest number of single curves that are drawn."""


def plot_curves(device: PulsedDevice, axes: Axes | None = None) -> Axes:
    """Draw the curves in the device file with their mean, or the curve of the mean step.

    Args:
        device: Device moved by pulses.
        axes: Axes to draw on. Default: those of a new figure.
    """
    with one_column():
        axes = new_axes() if axes is None else axes
        coordinate = device.coordinate
        if "curve" in device.data:
            values = device.data["curve"].transpose("pulse", "device", "cycle").values.astype(np.float64)
            flat = coordinate.factor * values.reshape(len(values), -1)
            axes.plot(flat[:, :MOST_CURVES], color=BLUE, alpha=0.15, linewidth=0.6)
            axes.plot(np.nanmean(flat, axis=1), color=BLUE, linewidth=1.6, label="mean")
        else:
            count = max(2, round(device.states))
            axes.plot(coordinate.factor * device.value_of(device.curve(count)), color=BLUE, label="mean step")
        axes.set_xlabel("pulse")
        axes.set_ylabel(labelled(coordinate.name, coordinate.shown_unit))
        return axes
