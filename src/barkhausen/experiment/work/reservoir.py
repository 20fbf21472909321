"""A forecast as a task."""

from __future__ import annotations

import io

import numpy as np
import torch

from barkhausen.core.files import atomic_write
from barkhausen.experiment.reservoir.settings import ForecastRecipe
from barkhausen.experiment.reservoir.study import study
from barkhausen.experiment.work.base import Order, Result

FILE = "forecast.npz"
"""Forecasts, truth, states and capacities of a finished task, in its directory."""


def reservoir(order: Order) -> Result:
    """Forecast a series; runs of elements are kept in the directory, from which the task resumes."""
    recipe = ForecastRecipe.model_validate(order.values)
    torch.set_num_threads(recipe.threads)
    found = study(recipe, data_dir=order.data_dir, folder=order.directory)
    content = io.BytesIO()
    np.savez_compressed(content, **found.arrays)  # type: ignore[arg-type]
    out = order.directory / FILE
    atomic_write(out, content.getvalue())
    return Result({"forecast_file": out.relative_to(order.root).as_posix(), **found.row})
