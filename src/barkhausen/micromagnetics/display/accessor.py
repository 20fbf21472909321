"""Figures of simulation results: ``result.barkhausen.plot()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from barkhausen.micromagnetics.display.plots import plot_simulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@xr.register_dataset_accessor("barkhausen")
class SimulationResult:
    """What a data set of :func:`~barkhausen.micromagnetics.simulate` offers beside xarray's own methods."""

    def __init__(self, result: xr.Dataset) -> None:
        self._result = result

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the wall position of each replica against time (:func:`~.display.plots.plot_simulation`)."""
        return plot_simulation(self._result, axes)
