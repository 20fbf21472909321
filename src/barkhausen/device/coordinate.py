"""State coordinate and read-out of a device: what its states differ in, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass

DISPLAY = {"m": (1e9, "nm"), "S": (1e6, "µS"), "V": (1.0, "V")}
"""Factor and unit in which values of an SI unit are shown."""


@dataclass(frozen=True)
class StateCoordinate:
    """The quantity in which the states of a device differ: the position of a wall, a conductance.

    Args:
        name: Short name: ``"wall position"``.
        unit: SI unit.
        long_name: What a value is: ``"resting position of the wall"``.
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
    """How a device is read when it is verified.

    Args:
        voltage: Read voltage in V.
        time: Duration of a read in s.
        resistance_area: Product of resistance and area in ohm m² of a tunnel junction. None for other devices.
    """

    voltage: float
    time: float
    resistance_area: float | None = None
