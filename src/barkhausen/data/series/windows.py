"""A time series as windows: some values of the past, and the value to forecast."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from barkhausen.core.config import Count, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.data.base import Dataset

TASK = "forecasting"


class SeriesOptions(StrictParameters):
    """The table ``[dataset.options]`` of a series."""

    look_back: Count = 12
    """Number of past values that a forecast is made from."""
    spacing: Count = 1
    """Steps from one of them to the next."""
    horizon: Count = 1
    """Steps from the last of them to the value to forecast."""
    split: Annotated[float, Field(gt=0, lt=1)] = 2 / 3
    """Part of the series, from its start, that is for training."""
    values: Annotated[int, Field(ge=4)] | None = None
    """Number of values that are used, from the start of the series. Default: all."""

    @property
    def reach(self) -> int:
        """Steps from the first value of a window to the value to forecast."""
        return (self.look_back - 1) * self.spacing + self.horizon

    @property
    def image_shape(self) -> tuple[int, int]:
        """Steps of a window, and values of a step."""
        return self.look_back, 1


@dataclass(frozen=True, eq=False)
class SeriesDataset(Dataset):
    """Windows of a series, in the order of time.

    ``train_inputs`` and ``test_inputs`` hold a window in each row, ``train_labels`` and ``test_labels`` the value to
    forecast in one column. As loaded, all of them have the unit of the data (``target_unit``).

    Attributes:
        known: Values of the training part.
    """

    known: Float[Tensor, " time"] = dataclasses.field(default_factory=lambda: torch.empty(0))

    def standardised(self) -> SeriesDataset:
        """Return the data set with zero mean and unit standard deviation over the values of the training part.

        Values that are forecast are scaled alike; ``target_offset`` and ``target_scale`` lead back to their unit. Where
        validation windows are set aside, their values are no part of the training part.

        Raises:
            InputError: All values of the training part are equal.
        """
        values = self.known.double()
        return self._scaled(float(values.mean()), float(values.std(correction=0)))

    def symmetric(self) -> SeriesDataset:
        """Return the data set with values of the training part from −1 to 1.

        Raises:
            InputError: All values of the training part are equal.
        """
        low, high = float(self.known.min()), float(self.known.max())
        return self._scaled((low + high) / 2, (high - low) / 2)

    def _scaled(self, offset: float, scale: float) -> SeriesDataset:
        if not scale > 0:
            raise InputError(f"{self.name}: all values of the training part are equal, so they cannot be scaled")
        scaled = {
            name: ((getattr(self, name).double() - offset) / scale).float()
            for name in ("train_inputs", "train_labels", "test_inputs", "test_labels")
        }
        return dataclasses.replace(self, **scaled, target_offset=offset, target_scale=scale)

    def with_validation(self, samples: int) -> SeriesDataset:
        """Return a data set that tests on the last windows of the training part, and leaves the true test part alone.

        Args:
            samples: Number to hold out, from 1 to one less than the training windows. Their values are forecast, and
                are later than all values that are trained on.

        Raises:
            InputError: ``samples`` is outside that range.
        """
        available = len(self.train_labels)
        if not 1 <= samples < available:
            raise InputError(
                f"validation samples = {samples}: must be from 1 to {available - 1}, "
                f"because {self.name} has {available} training windows"
            )
        return dataclasses.replace(
            self,
            train_inputs=self.train_inputs[:-samples],
            train_labels=self.train_labels[:-samples],
            test_inputs=self.train_inputs[-samples:],
            test_labels=self.train_labels[-samples:],
            known=self.known[:-samples],
        )


def windows_of(
    name: str, source: str, values: Float[np.ndarray, " time"], unit: str, options: SeriesOptions
) -> SeriesDataset:
    """Windows of a series, split by the time of the value to forecast.

    The windows of the training part lie in it with all their values. Those of the test part forecast its values, and
    may begin with values of the training part, which are known by then.

    Args:
        name: Name of the data set.
        source: Where it came from.
        values: The series, in the order of time.
        unit: Unit of the values.
        options: Windows and split.

    Raises:
        InputError: The series is too short for them, or holds a value that is not finite.
    """
    if options.values is not None and options.values > len(values):
        raise InputError(f"dataset.options.values = {options.values}: {name} has {len(values)} values")
    series = torch.from_numpy(np.ascontiguousarray(values[: options.values], dtype=np.float64))
    if not bool(series.isfinite().all()):
        raise InputError(f"{name}: value {int((~series.isfinite()).nonzero()[0]) + 1} is not finite")
    training = round(options.split * len(series))
    first = options.reach
    if training - first < 2 or training >= len(series):
        raise InputError(
            f"{name}: {len(series)} values, of which {training} are for training, are too few for windows of "
            f"{first + 1} steps (dataset.options: look_back, spacing, horizon, split)"
        )
    forecast = torch.arange(first, len(series))
    back = torch.arange(options.look_back) * options.spacing - options.reach
    inputs, targets = series[forecast[:, None] + back].float(), series[forecast, None].float()
    trains = forecast < training
    return SeriesDataset(
        name=name,
        source=source,
        train_inputs=inputs[trains],
        train_labels=targets[trains],
        test_inputs=inputs[~trains],
        test_labels=targets[~trains],
        image_shape=options.image_shape,
        classes=1,
        task=TASK,
        target_unit=unit,
        known=series[:training],
    )
