"""State coordinate and read-out of a device: the quantity in which its states differ, and the verify read."""

from __future__ import annotations

from dataclasses import dataclass

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
