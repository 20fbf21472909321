"""Single devices drawn from the spreads of a device moved by pulses, and trains of pulses on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from barkhausen.device.pulses.device import UP, PulsedDevice

Array = Float[np.ndarray, " device"]

NARROWEST = 0.1
"""Smallest distance of the bounds of one device in weight units; a draw that comes closer is moved apart."""


@dataclass(frozen=True)
class DeviceSample:
    """Single devices.

    Attributes:
        device: Device whose spreads they are drawn from.
        low, high: Bounds of each device in weight units.
        factor: Factor of the steps up (row 0) and down (row 1) of each device.
        pattern: What its mean step has of its own at each weight of the grid; None where the device gives no such
            differences.
    """

    device: PulsedDevice
    low: Array
    high: Array
    factor: Float[np.ndarray, "sign device"]
    pattern: Float[np.ndarray, "sign device grid"] | None = None

    @classmethod
    def draw(
        cls, device: PulsedDevice, count: int, generator: np.random.Generator, *, patterns: bool = True
    ) -> DeviceSample:
        """A number of devices, drawn independently.

        Args:
            device: Device whose spreads they are drawn from.
            count: Number of devices.
            generator: Source of the numbers.
            patterns: Whether they have patterns of their own, where the device gives their spread.
        """
        spread = np.sqrt(np.log1p(np.square(device.scale_sd)))[:, None]
        normal = generator.standard_normal((2, count))
        rho = device.scale_correlation
        normal[1] = rho * normal[0] + np.sqrt(max(1 - rho**2, 0.0)) * normal[1]
        bounds = generator.standard_normal((2, count)) * np.array(device.bound_sd)[:, None]
        low, high = bounds[0] - 1.0, bounds[1] + 1.0
        gap = np.maximum(NARROWEST - (high - low), 0.0) / 2.0
        factor = np.exp(spread * normal - spread**2 / 2.0)
        sds = device.pattern_sds
        if not (patterns and sds.any()):
            return cls(device, low - gap, high + gap, factor)
        own = generator.standard_normal((2, count, sds.shape[1])) * sds[:, None, :]
        return cls(device, low - gap, high + gap, factor, own)

    def pulsed(self, weight: Array, sign: Int[np.ndarray, " device"] | int, generator: np.random.Generator) -> Array:
        """Weights after one pulse on every device.

        Args:
            weight: Weights before the pulse.
            sign: 1 for a pulse up, −1 for a pulse down, 0 for none; for all devices or for each.
            generator: Source of the cycle-to-cycle noise.
        """
        place = 2.0 * (weight - self.low) / (self.high - self.low) - 1.0
        rises = np.broadcast_to(np.asarray(sign) == UP, weight.shape)
        grid, mean, sd = self.device.grid, self.device.step_means, self.device.step_sds
        step, noise = (
            np.where(rises, np.interp(place, grid, table[0]), np.interp(place, grid, table[1])) for table in (mean, sd)
        )
        if self.pattern is not None:
            step = step + np.where(rises, self._own(0, place), self._own(1, place))
            # A pulse does not move a device against its sign on average.
            step = np.where(rises, np.maximum(step, 0.0), np.minimum(step, 0.0))
        change = np.where(rises, self.factor[0], self.factor[1]) * (
            step + noise * generator.standard_normal(weight.shape)
        )
        return np.asarray(np.clip(weight + change * (np.asarray(sign) != 0), self.low, self.high))

    def _own(self, row: int, place: Array) -> Array:
        """What the mean steps of devices have of their own at their places in the range."""
        assert self.pattern is not None
        table = self.pattern[row]
        points = table.shape[1] - 1
        at = np.clip((place + 1.0) / 2.0 * points, 0, points)
        left = np.minimum(at.astype(int), points - 1)
        rows = np.arange(len(table))
        return np.asarray(table[rows, left] + (at - left) * (table[rows, left + 1] - table[rows, left]))

    def train(
        self, signs: Sequence[int], cycles: int, generator: np.random.Generator, *, start: float = -1.0
    ) -> Float[np.ndarray, "device cycle pulse"]:
        """Weights before the first pulse and after each pulse of a train, repeated without a reset between.

        Args:
            signs: Sign of each pulse.
            cycles: Number of repetitions.
            generator: Source of the cycle-to-cycle noise.
            start: Weight before the first cycle, moved within the bounds of each device.
        """
        weight = np.clip(np.full(len(self.low), start), self.low, self.high)
        found = np.empty((len(self.low), cycles, len(signs) + 1))
        for cycle in range(cycles):
            found[:, cycle, 0] = weight
            for number, sign in enumerate(signs, start=1):
                weight = self.pulsed(weight, sign, generator)
                found[:, cycle, number] = weight
        return found
