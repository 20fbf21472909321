"""Figures of tables: ``table.barkhausen.plot()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from barkhausen.results.display.plots import plot_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@pd.api.extensions.register_dataframe_accessor("barkhausen")
class SweepTable:
    """What the long-format table of a sweep offers beside the methods of pandas."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def plot(
        self,
        value: str | None = None,
        x: str | None = None,
        by: str | None = None,
        axes: Axes | None = None,
        *,
        chips: pd.DataFrame | None = None,
    ) -> Axes:
        """Draw means with their intervals against a swept key (:func:`~.plots.plot_table`)."""
        return plot_table(self._frame, value, x, by, axes, chips=chips)
