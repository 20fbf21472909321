"""Regression and forecasting: numbers are predicted, and judged by their errors in the unit of the data."""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.experiment.score import Score
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.tasks.registry import TASKS, TaskEntry
from barkhausen.learning import outputs_of
from barkhausen.learning.networks.registry import CLASSES

LIMITS = (0.0, math.inf)
OF_DATA = "unit of the data"
RMSE = Score("rmse", "RMSE", OF_DATA, higher_is_better=False, limits=LIMITS)
"""Root mean squared error."""
NRMSE = Score("nrmse", "NRMSE", higher_is_better=False, limits=LIMITS)
"""Root mean squared error over the standard deviation of the true values: 1 for a forecast of their mean."""
MAE = Score("mae", "MAE", OF_DATA, higher_is_better=False, limits=LIMITS)
"""Mean absolute error."""


class Regression(Task):
    """Numbers predicted with the mean squared error of standardised values as loss.

    Errors are those of predictions taken back to the unit of the data, which the data set's own offset and scale do;
    both come from the training part alone.
    """

    @property
    def score(self) -> Score:
        """Root mean squared error in the unit of the data."""
        return RMSE.in_unit(self.dataset.target_unit)

    def loss(self, output: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(output, labels)

    def correct(self, output: Tensor, labels: Tensor) -> None:
        """A number is never right or wrong."""
        return

    def held_out_score(self, model: nn.Module) -> float:
        """Root mean squared error of held-out samples."""
        return _root(self._errors(model, self.test_inputs, self.test_labels))

    def train_score(self, model: nn.Module) -> float:
        """Root mean squared error of training samples."""
        return _root(self._errors(model, self.inputs, self.labels))

    def figures(self, model: nn.Module) -> dict[str, float]:
        """Errors of held-out samples, and of forecasting the mean of the training samples."""
        errors = self._errors(model, self.test_inputs, self.test_labels)
        true = self._in_unit(self.test_labels)
        mean = self._in_unit(self.labels).mean(dim=0)
        found = {"rmse": _root(errors), "mae": float(errors.abs().mean()), "mean_rmse": _root(true - mean)}
        deviation = float(true.std(dim=0, correction=0).square().mean().sqrt())
        if deviation > 0:
            found["nrmse"] = found["rmse"] / deviation
        return found

    def _in_unit(self, values: Tensor) -> Float[Tensor, "sample number"]:
        """Numbers in the unit of the data, in double precision."""
        return values.double() * self.dataset.target_scale + self.dataset.target_offset

    def _errors(self, model: nn.Module, inputs: Tensor, labels: Tensor) -> Float[Tensor, "sample number"]:
        return self._in_unit(outputs_of(model, inputs)) - self._in_unit(labels)


class Forecasting(Regression):
    """The next value of a series, or a later one, predicted from a window of the past."""

    def figures(self, model: nn.Module) -> dict[str, float]:
        """Errors of held-out windows; also of forecasting the last known value (``persistence_rmse``)."""
        steps, channels = self.dataset.image_shape
        last = self.test_inputs.view(-1, steps, channels)[:, -1, :1]
        errors = self._in_unit(last) - self._in_unit(self.test_labels)
        return {**super().figures(model), "persistence_rmse": _root(errors)}


def _root(errors: Tensor) -> float:
    return float(errors.square().mean().sqrt())


TASKS.register("regression", TaskEntry("regression", "regression", CLASSES, Regression, (RMSE, NRMSE, MAE)))
TASKS.register("forecasting", TaskEntry("forecasting", "forecasting", CLASSES, Forecasting, (RMSE, NRMSE, MAE)))
