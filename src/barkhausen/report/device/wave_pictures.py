"""Inputs of a programming event as inline SVG lines, with rulers in HTML.

The drawings stretch to any width (one unit is a thousandth of the duration horizontally and a hundredth of the height
vertically), so they contain no text, which must not stretch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from barkhausen.device.domain_wall.event import LEAD, ProgrammingEvent

ACROSS, UP = 1000.0, 100.0
MARGIN = 8.0
"""Margin above and below, so that a line at its maximum is not clipped."""


@dataclass(frozen=True)
class Mark:
    """A mark on a ruler: its position in per cent, and its text."""

    place: float
    text: str


def ruler(low: float, high: float, about: int = 6) -> list[Mark]:
    """Marks at round numbers between two ends, at most about the given number."""
    step = 10.0 ** math.floor(math.log10((high - low) / about))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        Mark(round(100 * (k * step - low) / (high - low), 3), f"{k * step:.6g}".replace("-", "−"))
        for k in range(first, last + 1)
    ]


def pulses(event: ProgrammingEvent) -> list[tuple[str, float, float]]:
    """Name, start and end in s of the two current pulses."""
    return [("reset", LEAD, event.reset_end), ("programming", event.program_start, event.program_end)]


@dataclass(frozen=True)
class Waves:
    """Current density and gate voltages of an event, for drawing.

    Attributes:
        event: Programming event.
        duration: Duration in s.
        largest_current: Largest magnitude of the current density in A/m².
        voltage_range: Lowest and highest gate voltage in V of all states, including zero.
    """

    event: ProgrammingEvent
    duration: float
    largest_current: float
    voltage_range: tuple[float, float]

    @classmethod
    def of(cls, event: ProgrammingEvent, duration: float) -> Waves:
        """The waves of an event."""
        voltages = event.gate_voltage().values
        return cls(
            event,
            duration,
            float(event.current_density().values.abs().max()),
            (min(0.0, float(voltages.min())), max(0.0, float(voltages.max()))),
        )

    @property
    def current_line(self) -> str:
        """SVG path of the current density."""
        wave = self.event.current_density()
        largest = self.largest_current or 1.0
        return self.path(wave.values[:, 0].tolist(), wave.times[:, 0].numpy(), -largest, largest)

    def voltage_line(self, state: int) -> str:
        """SVG path of the gate voltage of one state."""
        wave = self.event.gate_voltage()
        column = min(state, wave.values.shape[1] - 1)
        times = wave.times[:, min(state, wave.times.shape[1] - 1)].numpy()
        low, high = self.voltage_range
        return self.path(wave.values[:, column].tolist(), times, low, high if high > low else low + 1.0)

    def path(self, values: Sequence[float], times: Float[np.ndarray, " time"], low: float, high: float) -> str:
        """SVG path of a signal; NaN is a gap, and the last value holds to the end."""
        parts, pen = [], "M"
        known = [*zip(times.tolist(), values, strict=True)]
        for time, value in [*known, (self.duration, known[-1][1])]:
            if not math.isfinite(value):
                pen = "M"
                continue
            parts.append(f"{pen}{self.across(time):.4g} {_up(value, low, high):.4g}")
            pen = "L"
        return "".join(parts)

    def across(self, time: float) -> float:
        """Horizontal position of a time."""
        return ACROSS * min(max(time / self.duration, 0.0), 1.0)

    @property
    def zero_voltage(self) -> float:
        """Vertical position of zero volts."""
        low, high = self.voltage_range
        return _up(0.0, low, high if high > low else low + 1.0)

    @property
    def pulses(self) -> list[tuple[str, float, float]]:
        """Name, position and width of the two current pulses."""
        return [
            (name, self.across(start), self.across(stop) - self.across(start))
            for name, start, stop in pulses(self.event)
        ]

    @property
    def times(self) -> list[Mark]:
        """Ruler of times in ns."""
        return ruler(0.0, 1e9 * self.duration)

    def currents_at(self, times: Float[np.ndarray, " time"]) -> list[float]:
        """Current density in A/m² at given times."""
        return [float(f"{value:.4g}") for value in self.event.current_density()(torch.as_tensor(times))[:, 0]]

    def voltages_at(self, times: Float[np.ndarray, " time"], state: int) -> list[float]:
        """Gate voltage in V of a state at given times."""
        values = self.event.gate_voltage()(torch.as_tensor(times))
        return [float(f"{value:.4g}") for value in values[:, min(state, values.shape[1] - 1)]]

    def frames_of_instants(self, times: Float[np.ndarray, " time"]) -> list[int]:
        """Key frames: before, during and after each pulse, and at rest."""
        event = self.event
        middle = 0.5 * (event.program_start + event.program_end)
        before = (0.0, LEAD + 0.5 * event.protocol.reset.width, event.reset_end)
        after = (event.program_start, middle, event.program_end, self.duration)
        return sorted({int(np.argmin(np.abs(times - instant))) for instant in before + after})


def _up(value: float, low: float, high: float) -> float:
    return UP - MARGIN - (UP - 2 * MARGIN) * (value - low) / (high - low)
