"""State coordinate of a device, the format of its values, and the verify read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DISPLAY = {"m": (1e9, "nm"), "S": (1e6, "µS"), "V": (1.0, "V")}
"""Factor and display unit for each SI unit."""


@dataclass(frozen=True)
class StateCoordinate:
    """The quantity in which the states of a device differ, such as the position of a wall or a conductance.

    Args:
        name: Short name, such as ``"wall position"``.
        unit: SI unit.
        long_name: Description of a value, such as ``"resting position of the wall"``.
    """

    name: str
    unit: str
    long_name: str

    @property
    def factor(self) -> float:
        """Factor from the SI unit to the unit in which values are shown."""
        return DISPLAY.get(self.unit, (1.0, self.unit))[0]

    @property
    def shown_unit(self) -> str:
        """Unit in which values are shown."""
        return DISPLAY.get(self.unit, (1.0, self.unit))[1]


@dataclass(frozen=True)
class Quantity:
    """Formats of values of a state coordinate, in the unit in which it is shown.

    Attributes:
        coordinate: State coordinate.
        decimals: Number of decimals of a mean; a standard deviation has one more.
    """

    coordinate: StateCoordinate
    decimals: int

    @classmethod
    def of(cls, coordinate: StateCoordinate, means: Sequence[float]) -> Quantity:
        """Formats that tell neighbouring states apart.

        Args:
            coordinate: State coordinate.
            means: Mean values of the states in the SI unit.
        """
        spacing = coordinate.factor * _middle([abs(b - a) for a, b in pairwise(means)])
        digits = 2 - math.floor(math.log10(spacing)) if spacing > 0 else 1
        return cls(coordinate, min(max(digits, 1), 9))

    @property
    def factor(self) -> float:
        """Factor from the SI unit to the unit shown."""
        return self.coordinate.factor

    @property
    def unit(self) -> str:
        """Unit shown; empty for a number."""
        return "" if self.coordinate.shown_unit == "1" else self.coordinate.shown_unit

    def named(self, name: str) -> str:
        """Name of a quantity with the unit in brackets, for a heading."""
        return f"{name} ({self.unit})" if self.unit else name

    def with_unit(self, value: float) -> str:
        """A value with its unit."""
        return f"{self(value)} {self.unit}".rstrip()

    def sigma(self, value: float) -> str:
        """A standard deviation without its unit."""
        return f"{self.factor * value:.{self.decimals + 1}f}" if math.isfinite(value) else "\N{EN DASH}"

    def __call__(self, value: float) -> str:
        """A value without its unit."""
        return f"{self.factor * value:.{self.decimals}f}" if math.isfinite(value) else "\N{EN DASH}"


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


@dataclass(frozen=True)
class ReadOut:
    """The verify read of a device.

    Args:
        voltage: Read voltage in V.
        time: Duration of a read in s.
        resistance_area: Product of resistance and area in ohm m² of a tunnel junction. None for other devices.
    """

    voltage: float
    time: float
    resistance_area: float | None = None
