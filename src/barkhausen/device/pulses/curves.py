"""Measured or simulated curves: values of the state coordinate after each pulse, by device and cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError

LEAST_RATIO = 1.5
"""Noise of two reads in units of the step up to which single values are taken."""
FEWEST_BLOCKS = 8
"""Smallest number of averaged values in a run."""

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
        return _mean(self.values[:, :, first : longest[-1] + 1], (0, 1))

    def of_devices(self, chosen: Int[np.ndarray, " device"]) -> PulseCurves:
        """The curves of some devices, which may repeat."""
        return PulseCurves(self.values[chosen], self.signs)

    def read_noise(self) -> float:
        """Standard deviation of one read, from the covariance of successive changes, −r²; 0 if there is none."""
        total, count = 0.0, 0
        for sign in (1, -1):
            change = self.pairs(sign)[1]
            change = change - np.nanmean(change)
            both = change[:, :, 1:] * change[:, :, :-1]
            total, count = total + float(np.nansum(both)), count + int(np.isfinite(both).sum())
        return float(np.sqrt(max(-total / max(count, 1), 0.0)))

    def block(self) -> int:
        """Number B of pulses whose reads must be averaged so that noise of reads does not hide the steps.

        The mean of B reads is off by r/√B, and B pulses move the device by B steps: B^(3/2) = 2 r/step. Otherwise the
        value before a pulse is as wrong as its change, and steps seem to lead back to the mean.
        """
        steps = [abs(float(np.nanmean(self.pairs(sign)[1]))) for sign in (1, -1)]
        runs = min(int((self.signs == sign).sum()) for sign in (1, -1))
        ratio = 2 * self.read_noise() / max(min(steps), 1e-300)
        return (
            1 if ratio <= LEAST_RATIO else int(min(np.ceil(min(ratio, 1e9) ** (2 / 3)), max(1, runs // FEWEST_BLOCKS)))
        )

    def averaged(self, block: int) -> PulseCurves:
        """Curves of means of so many values, within runs of one sign; the first mean of a run has no known step."""
        values, signs = [], []
        # A run begins where the sign changes, or at a value that no known pulse precedes.
        starts = [0]
        for place in range(1, len(self.signs)):
            now, last = int(self.signs[place]), int(self.signs[place - 1])
            if now == 0 or (last not in (0, now)):
                starts.append(place)
        for start, stop in zip(starts, [*starts[1:], len(self.signs)], strict=True):
            for k, first in enumerate(range(start, stop - block + 1, block)):
                values.append(_mean(self.values[:, :, first : first + block], 2))
                signs.append(0 if k == 0 else int(self.signs[stop - 1]))
        return PulseCurves(np.stack(values, axis=2), np.array(signs, np.int8))


def _mean(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Mean of the values that there are; NaN where there is none."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=axis)
    count = known.sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
