"""Measured or simulated curves: values of the state coordinate after each pulse, by device and cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError

Values = Float[np.ndarray, "device cycle pulse"]


@dataclass(frozen=True)
class PulseCurves:
    """Curves of potentiation and depression.

    Args:
        values: State coordinate after each pulse, NaN where a read is missing.
        signs: Sign of the pulse before each value, the same in every cycle; 0 for a value that no pulse precedes, or
            whose pulse is not known.

    Raises:
        InputError: The shapes do not fit, or there are too few pulses up or down.
    """

    values: Values
    signs: Int[np.ndarray, " pulse"]

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[2] != len(self.signs):
            raise InputError(
                f"curves have the shape {self.values.shape} and {len(self.signs)} signs: must be (devices, cycles, "
                "pulses)"
            )
        for sign, name in ((1, "up"), (-1, "down")):
            count = int(np.isfinite(self.pairs(sign)[1]).sum())
            if count < 4:
                raise InputError(f"the curves hold {count} steps {name}: a fit needs 4 or more")

    @property
    def devices(self) -> int:
        """Number of devices."""
        return int(self.values.shape[0])

    def pairs(self, sign: int) -> tuple[Values, Values]:
        """Value before each pulse of a sign, and its change by the pulse; NaN where a read is missing."""
        places = np.flatnonzero(self.signs == sign)
        places = places[places > 0]
        before = self.values[:, :, places - 1]
        return before, self.values[:, :, places] - before

    def bounds(self) -> Float[np.ndarray, "end device"]:
        """Lowest and highest value of each device: means over its cycles of the extremes of a cycle."""
        if not np.isfinite(self.values).any(axis=(1, 2)).all():
            raise InputError("one of the devices has no value at all")
        low = np.where(np.isfinite(self.values), self.values, np.inf).min(axis=2)
        high = np.where(np.isfinite(self.values), self.values, -np.inf).max(axis=2)
        both = np.stack([low, high])
        return np.asarray(np.nanmean(np.where(np.isfinite(both), both, np.nan), axis=2))

    def mean_curve(self, sign: int) -> Float[np.ndarray, " pulse"]:
        """Mean curve of the longest run of pulses of a sign, with the value before it."""
        places = np.flatnonzero(self.signs == sign)
        runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
        longest = max(runs, key=len)
        first = max(int(longest[0]) - 1, 0)
        return np.asarray(np.nanmean(self.values[:, :, first : longest[-1] + 1], axis=(0, 1)))

    def of_devices(self, chosen: Int[np.ndarray, " device"]) -> PulseCurves:
        """The curves of some devices, which may repeat."""
        return PulseCurves(self.values[chosen], self.signs)
