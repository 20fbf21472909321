"""A series as its methods see it: scaled, and cut into training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.data.registry import DATASETS
from barkhausen.data.series import SeriesDataset
from barkhausen.data.series.windows import TASK

if TYPE_CHECKING:
    from barkhausen.experiment.reservoir.settings import SeriesTable


@dataclass(frozen=True)
class ForecastSeries:
    """Values from −1 to 1 over the training part.

    Attributes:
        values: All values, scaled.
        table: Sizes of the parts.
        offset, scale: Value = offset + scale × scaled value.
        unit: Unit of the values.
        spread: Standard deviation of the scaled training values, which errors are relative to.
    """

    values: Float[np.ndarray, " time"]
    table: SeriesTable
    offset: float
    scale: float
    unit: str
    spread: float

    @property
    def training(self) -> range:
        """Places of the training values."""
        return range(self.table.lead, self.table.lead + self.table.training)

    @property
    def validation(self) -> range:
        """Places of the validation values."""
        return range(self.training.stop, self.training.stop + self.table.validation)

    @property
    def test(self) -> range:
        """Places of the test values."""
        return range(self.validation.stop, self.validation.stop + self.table.test)

    @property
    def direct(self) -> bool:
        """Whether all values ahead are outputs of one step."""
        return self.table.mode == "direct"

    def validation_origins(self) -> Int[np.ndarray, " origin"]:
        """Places of the last known values of the validation forecasts."""
        return self._origins(self.validation, self.validation_steps, self.table.validation_origins)

    @property
    def validation_steps(self) -> int:
        """Values of a validation forecast."""
        return self.table.steps if self.direct else self.table.validation_steps

    def test_origins(self) -> Int[np.ndarray, " origin"]:
        """Places of the last known values of the test forecasts; the first value forecast is the first of the part."""
        return self._origins(self.test, self.table.steps, self.table.origins)

    def truth(self, origins: Int[np.ndarray, " origin"], steps: int) -> Float[np.ndarray, "origin step"]:
        """Values after each origin."""
        return np.asarray(self.values[origins[:, None] + np.arange(1, steps + 1)])

    def _origins(self, part: range, steps: int, number: int) -> Int[np.ndarray, " origin"]:
        last = part.stop - steps - 1
        first = part.start - 1
        if self.direct:
            return np.arange(first, last + 1)
        return np.unique(np.linspace(first, last, number).round().astype(np.int64))


def forecast_series(table: SeriesTable, data_dir: Path | None) -> ForecastSeries:
    """Load and scale a series.

    Raises:
        InputError: The data set is no series, or is too short.
    """
    if DATASETS.named(table.name).task != TASK:
        raise InputError(f"series.name = {table.name!r}: is no series")
    wanted = table.skip + table.values
    dataset = load_dataset(table.name, data_dir, options={"look_back": 1, "spacing": 1, "horizon": 1, "values": wanted})
    assert isinstance(dataset, SeriesDataset)
    raw = np.concatenate([dataset.known.numpy(), dataset.test_labels[:, 0].double().numpy()])[table.skip :]
    known = raw[table.lead : table.lead + table.training]
    low, high = float(known.min()), float(known.max())
    if not high > low:
        raise InputError(f"series.name = {table.name!r}: all training values are equal")
    offset, scale = (low + high) / 2, (high - low) / 2
    values = (raw - offset) / scale
    spread = float(((known - offset) / scale).std())
    return ForecastSeries(values, table, offset, scale, dataset.target_unit, spread)
