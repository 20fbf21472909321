"""Forecasts that learn nothing: the last value, and the value one period before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.experiment.reservoir.methods import METHODS, Forecaster, Method
from barkhausen.experiment.reservoir.series import ForecastSeries


@dataclass(frozen=True)
class Repeated(Forecaster):
    """The last values again and again.

    Args:
        period: Number of them.
    """

    period: int

    def forecast(
        self, series: ForecastSeries, origins: Int[np.ndarray, " origin"], steps: int
    ) -> Float[np.ndarray, "origin step"]:
        """Repeat the values of the last period."""
        back = self.period - np.arange(steps) % self.period - 1
        return np.asarray(series.values[origins[:, None] - back])


METHODS.register("persistence", Method("persistence", lambda recipe, place: Repeated(1)))
METHODS.register("seasonal", Method("seasonal naive", lambda recipe, place: Repeated(recipe.series.period)))
