"""Time series for forecasting: windows of a series, and one file for each data set."""

from barkhausen.data.series import airline, household, laser, mackey_glass
from barkhausen.data.series.windows import SeriesDataset, SeriesOptions, windows_of

__all__ = ["SeriesDataset", "SeriesOptions", "airline", "household", "laser", "mackey_glass", "windows_of"]
