"""Figures of simulation results: ``result.barkhausen.plot()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from barkhausen.micromagnetics.display.equilibrium_plots import plot_energy_path, plot_hysteresis
from barkhausen.micromagnetics.display.plots import plot_simulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@xr.register_dataset_accessor("barkhausen")
class SimulationResult:
    """What a data set that this package makes offers beside xarray's own methods."""

    def __init__(self, result: xr.Dataset) -> None:
        self._result = result

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw what the data set is a result of.

        A simulation: the wall position of each replica against time (:func:`~.display.plots.plot_simulation`); a
        hysteresis loop, or a path of least energy: :mod:`~.display.equilibrium_plots`.
        """
        if "coercive_field" in self._result:
            return plot_hysteresis(self._result, axes)
        if "barrier_forward" in self._result:
            return plot_energy_path(self._result, axes)
        return plot_simulation(self._result, axes)
