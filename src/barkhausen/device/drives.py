"""Drives of a device: quantities by which its states are written, such as a gate voltage or the width of a pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from barkhausen.core.units import labelled
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.coordinate import DISPLAY
from barkhausen.device.schema import OPTIONAL, REQUIRED
from barkhausen.device.technology import TECHNOLOGIES


@dataclass(frozen=True)
class Drive:
    """One quantity by which the states are written.

    Attributes:
        name: Name of its variable in the device file, such as ``gate_voltage``.
        unit: SI unit.
        values: Value at each state in ``unit``.
        assumed: Whether the values are defaults of the package that nobody measured or chose.
    """

    name: str
    unit: str
    values: Float[np.ndarray, " state"]
    assumed: bool

    @property
    def label(self) -> str:
        """Name in sentences."""
        return self.name.replace("_", " ")

    @property
    def factor(self) -> float:
        """Factor from the SI unit to the unit in which values are shown."""
        return DISPLAY.get(self.unit, (1.0, self.unit))[0]

    @property
    def shown_unit(self) -> str:
        """Unit in which values are shown."""
        return DISPLAY.get(self.unit, (1.0, self.unit))[1]

    @property
    def heading(self) -> str:
        """Name with the unit in brackets, for a column."""
        return labelled(self.label, self.shown_unit)

    @property
    def varies(self) -> bool:
        """Whether it differs between states, and so can select them."""
        return bool(np.ptp(self.values) > 0)


def drives_of(device: CharacterisedDevice) -> list[Drive]:
    """Drives in a device file: the variables that its technology requires, and further finite variables by state that
    the format does not define."""
    entry = TECHNOLOGIES.get(device.technology)
    required = () if entry is None else entry.variables
    further = [str(name) for name in device.data.data_vars if name not in OPTIONAL and name not in REQUIRED]
    defaults = [line for line in device.assumed if line.endswith("(default)")]
    found = []
    for name in dict.fromkeys([*required, *further]):
        variable = device.data[name]
        if variable.dims != ("state",) or variable.dtype.kind not in "fiu" or not np.isfinite(variable.values).all():
            continue
        unit = str(variable.attrs.get("units", "1"))
        assumed = any(name in line for line in defaults)
        found.append(Drive(name, unit, variable.values.astype(np.float64), assumed))
    return found
