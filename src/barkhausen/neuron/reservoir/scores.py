"""Scores of forecasts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

THRESHOLD = 0.4
"""Error relative to the standard deviation of the series at which a forecast counts as lost."""


def nrmse(forecast: Float[np.ndarray, " *any"], truth: Float[np.ndarray, " *any"], scale: float) -> float:
    """Root mean squared error relative to the standard deviation ``scale`` of the series; infinite where a forecast is
    not finite."""
    error = np.asarray(forecast, np.float64) - truth
    return float(np.sqrt((error**2).mean()) / scale) if np.isfinite(error).all() else float("inf")


def horizons(
    forecast: Float[np.ndarray, "origin step"], truth: Float[np.ndarray, "origin step"], scale: float
) -> Int[np.ndarray, " origin"]:
    """Steps before the error of each forecast first exceeds :data:`THRESHOLD` times ``scale``; all if never."""
    error = np.abs(np.asarray(forecast, np.float64) - truth)
    lost = ~(error <= THRESHOLD * scale)
    return np.asarray(np.where(lost.any(1), lost.argmax(1), lost.shape[1]))
