"""The registry of methods that forecast a series."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.config import NoOptions, Parameters
from barkhausen.core.registry import Registry
from barkhausen.experiment.reservoir.series import ForecastSeries
from barkhausen.neuron.reservoir.energy import Matrix

if TYPE_CHECKING:
    from barkhausen.experiment.reservoir.settings import ForecastRecipe

LARGEST = 3.0
"""Outputs that are fed back are clipped to this many times the half range of the training values."""


@dataclass(frozen=True)
class Fitted:
    """What a method chose from validation values.

    Attributes:
        validation_nrmse: Error of the forecasts of the validation part; None for a method that chooses nothing.
        chosen: What was chosen, by name.
        weights: Numbers learnt.
    """

    validation_nrmse: float | None = None
    chosen: dict[str, Any] = field(default_factory=dict)
    weights: int = 0


class Forecaster(abc.ABC):
    """A method at work on one series."""

    def fit(self, series: ForecastSeries) -> Fitted:
        """Learn from the training part, choose by the validation part."""
        return Fitted()

    @abc.abstractmethod
    def forecast(
        self, series: ForecastSeries, origins: Int[np.ndarray, " origin"], steps: int
    ) -> Float[np.ndarray, "origin step"]:
        """Values after each origin, from those up to it."""

    def matrices(self, series: ForecastSeries) -> list[Matrix]:
        """Matrices that one forecast multiplies with, or one value of an autonomous forecast."""
        return []


@dataclass(frozen=True)
class Workplace:
    """Where a method keeps what it has finished; None: nowhere."""

    folder: Path | None = None


Make = Callable[["ForecastRecipe", Workplace], Forecaster]


@dataclass(frozen=True)
class Method:
    """A method.

    Attributes:
        label: Name on pages.
        make: Function from recipe and workplace to the method at work.
        options: Model of its options.
        driven: Whether it is an element that is driven and read.
    """

    label: str
    make: Make
    options: type[Parameters] = NoOptions
    driven: bool = False


METHODS: Registry[Method] = Registry("method of forecasting", "method")
