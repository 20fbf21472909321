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
    """

    device: PulsedDevice
    low: Array
    high: Array
    factor: Float[np.ndarray, "sign device"]

    @classmethod
    def draw(cls, device: PulsedDevice, count: int, generator: np.random.Generator) -> DeviceSample:
        """A number of devices, drawn independently."""
        spread = np.sqrt(np.log1p(np.square(device.scale_sd)))[:, None]
        normal = generator.standard_normal((2, count))
        rho = device.scale_correlation
        normal[1] = rho * normal[0] + np.sqrt(max(1 - rho**2, 0.0)) * normal[1]
        bounds = generator.standard_normal((2, count)) * np.array(device.bound_sd)[:, None]
        low, high = bounds[0] - 1.0, bounds[1] + 1.0
        gap = np.maximum(NARROWEST - (high - low), 0.0) / 2.0
        return cls(device, low - gap, high + gap, np.exp(spread * normal - spread**2 / 2.0))

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
        change = np.where(rises, self.factor[0], self.factor[1]) * (
            step + noise * generator.standard_normal(weight.shape)
        )
        return np.asarray(np.clip(weight + change * (np.asarray(sign) != 0), self.low, self.high))

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
