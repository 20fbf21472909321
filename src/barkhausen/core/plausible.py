"""Plausible ranges of physical quantities, so that a value in another unit is refused where it is given.

Each range is wider than what has been built or measured, by three decades where a neighbouring unit allows it. Where
the same number is usual in another unit (Ms in emu/cm³, D in mJ/m²) the range ends between the two. Zero is always
plausible, and signs are ignored: other checks say where a quantity must be positive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from barkhausen.core.errors import InputError

IMPLAUSIBLE = "implausible"
"""Type of the pydantic error of a value outside its plausible range."""


@dataclass(frozen=True)
class Quantity:
    """One physical quantity.

    Args:
        unit: SI unit; empty for a ratio.
        low, high: Smallest and greatest plausible magnitude in that unit.
        usual: Usual magnitude; of several units that could be meant, the one whose value is nearest is suggested.
        units: Other units in which the quantity is often given, with their factors to the SI unit.
    """

    unit: str
    low: float
    high: float
    usual: float
    units: Mapping[str, float]

    def holds(self, value: float) -> bool:
        """Whether a value is plausible. Values that are not finite are left to other checks."""
        return value == 0 or not math.isfinite(value) or self.low <= abs(value) <= self.high

    def meant(self, value: float) -> str:
        """Suggestion for a value that is not plausible, ready to be appended; otherwise the range."""
        near = [
            (abs(math.log(abs(value) * factor / self.usual)), factor, unit)
            for unit, factor in self.units.items()
            if self.low <= abs(value) * factor <= self.high
        ]
        if not near:
            return f"; must be {self.low:g} to {self.high:g}{' ' if self.unit else ''}{self.unit}"
        _, factor, unit = min(near)
        return f"; {_scaled(value, factor)} ({value:g} {unit})?"


def _scaled(value: float, factor: float) -> str:
    """A value times a power of ten, written as people write it: 320e-9."""
    exponent, text = round(math.log10(factor)), f"{value:g}"
    return f"{text}e{exponent}" if "e" not in text and exponent <= -3 else f"{value * factor:g}"


LENGTHS = {"nm": 1e-9, "um": 1e-6}
TIMES = {"ps": 1e-12, "ns": 1e-9, "us": 1e-6}
VOLTAGES = {"mV": 1e-3}
ENERGIES = {"fJ": 1e-15, "pJ": 1e-12, "nJ": 1e-9}

QUANTITIES: dict[str, Quantity] = {
    # Geometry
    "track length": Quantity("m", 1e-10, 1e-2, 5e-7, LENGTHS),
    "width": Quantity("m", 1e-10, 1e-2, 5e-8, LENGTHS),
    "length": Quantity("m", 1e-12, 1e-2, 5e-8, LENGTHS),
    "position": Quantity("m", 0.0, 1e-2, 2e-7, LENGTHS),
    "film thickness": Quantity("m", 1e-11, 1e-4, 2e-9, LENGTHS | {"Angstrom": 1e-10}),
    "gate thickness": Quantity("m", 1e-10, 1e-2, 1e-7, LENGTHS),
    "cell size": Quantity("m", 1e-11, 1e-4, 4e-9, LENGTHS),
    "roughness": Quantity("m", 1e-14, 1e-5, 1e-9, LENGTHS),
    # Material
    "saturation magnetisation": Quantity("A/m", 2e3, 1e7, 1e6, {"emu/cm3": 1e3, "MA/m": 1e6}),
    "exchange stiffness": Quantity("J/m", 1e-15, 1e-8, 1.5e-11, {"pJ/m": 1e-12, "erg/cm": 1e-5}),
    "anisotropy": Quantity("J/m3", 20.0, 1e9, 1e6, {"MJ/m3": 1e6}),
    "anisotropy gradient": Quantity("J/m4", 1e-3, 1e21, 1e12, {}),
    "DMI constant": Quantity("J/m2", 1e-9, 1e-2, 1e-3, {"mJ/m2": 1e-3}),
    "damping": Quantity("", 1e-9, 10.0, 0.03, {}),
    "spin Hall angle": Quantity("", 1e-9, 1e3, 0.2, {"%": 1e-2}),
    "torque ratio": Quantity("", 1e-9, 1e3, 1.0, {}),
    "resistivity": Quantity("ohm m", 1e-10, 1.0, 2e-6, {"uohm cm": 1e-8, "nohm m": 1e-9}),
    "relative permittivity": Quantity("", 1.0, 1e6, 1e3, {}),
    "magnetostriction": Quantity("", 1e-10, 1e-1, 1e-4, {"ppm": 1e-6}),
    "Young's modulus": Quantity("Pa", 1e6, 1e13, 2e11, {"GPa": 1e9}),
    "piezoelectric coefficient": Quantity("m/V", 1e-15, 1e-7, 2e-10, {"pm/V": 1e-12}),
    "VCMA coefficient": Quantity("J/(V m)", 1e-18, 1e-9, 1e-13, {"fJ/(V m)": 1e-15}),
    "breakdown field": Quantity("V/m", 1e5, 1e11, 1e9, {"V/nm": 1e9, "MV/cm": 1e8}),
    "interfacial anisotropy": Quantity("J/m2", 1e-8, 0.1, 1e-3, {"mJ/m2": 1e-3}),
    "interfacial DMI": Quantity("J/m", 1e-15, 1e-10, 1e-12, {"pJ/m": 1e-12, "fJ/m": 1e-15}),
    # Heat
    "thermal conductivity": Quantity("W/(m K)", 1e-3, 1e4, 10.0, {}),
    "heat capacity": Quantity("J/(m3 K)", 1e4, 1e8, 2e6, {"MJ/(m3 K)": 1e6, "J/(cm3 K)": 1e6}),
    "thermal resistance": Quantity("m2 K/W", 1e-12, 1e-3, 1e-8, {}),
    # Drive
    "current density": Quantity("A/m2", 1e4, 1e16, 1e11, {"MA/cm2": 1e10, "TA/m2": 1e12}),
    "field": Quantity("T", 1e-9, 1e3, 0.5, {"mT": 1e-3, "Oe": 1e-4}),
    "gate voltage": Quantity("V", 1e-7, 1e4, 1.0, VOLTAGES),
    "pulse duration": Quantity("s", 1e-15, 1e-2, 1e-9, TIMES),
    "simulated time": Quantity("s", 1e-18, 1e-2, 1e-9, TIMES),
    "time step": Quantity("s", 1e-18, 1e-9, 1e-13, TIMES | {"fs": 1e-15}),
    "temperature": Quantity("K", 1e-6, 1e4, 300.0, {"mK": 1e-3}),
    # Read-out and writing
    "tunnel magnetoresistance": Quantity("", 1e-5, 50.0, 1.0, {"%": 1e-2}),
    "resistance-area product": Quantity("ohm m2", 1e-16, 1e-3, 1e-11, {"ohm um2": 1e-12}),
    "read voltage": Quantity("V", 1e-6, 20.0, 0.1, VOLTAGES),
    "read time": Quantity("s", 1e-15, 0.5, 1e-9, TIMES),
    "write energy": Quantity("J", 1e-24, 1e-3, 1e-12, ENERGIES),
    "conductance": Quantity("S", 1e-18, 1.0, 1e-5, {"nS": 1e-9, "uS": 1e-6, "mS": 1e-3}),
    "resistance": Quantity("ohm", 1.0, 1e18, 1e5, {"kohm": 1e3, "Mohm": 1e6, "Gohm": 1e9}),
}
"""All quantities by name, as messages name them."""


def plausible(quantity: str, value: float, key: str) -> None:
    """Refuse a value that is far from what the quantity can be, and suggest the unit that was probably meant.

    Args:
        quantity: Key of :data:`QUANTITIES`.
        value: Value in the SI unit.
        key: Name of the value in messages, such as ``"track.length"``.

    Raises:
        InputError: The value is not plausible, as in "track.length = 320 m is no track length; 320e-9 (320 nm)?".
    """
    if (line := implausible(quantity, value)) is not None:
        raise InputError(f"{key} = {line}")


def implausible(quantity: str, value: float) -> str | None:
    """The value, why it is not plausible and what was probably meant; None if it is plausible."""
    known = QUANTITIES[quantity]
    if known.holds(value):
        return None
    unit = f" {known.unit}" if known.unit else ""
    return f"{value:g}{unit} is no {quantity}{known.meant(value)}"


def too_much_for_a_gate(voltage: float, largest: float) -> str | None:
    """Voltage of a gate, why it is not plausible and what was probably meant; None if it is plausible.

    Args:
        voltage: Gate voltage in V.
        largest: Voltage in V beyond any breakdown of the gate.
    """
    if not math.isfinite(voltage) or abs(voltage) <= largest:
        return None
    meant = f"; {_scaled(voltage, 1e-3)} ({voltage:g} mV)?" if 2 * largest <= abs(voltage) <= 1e3 * largest else ""
    return f"{voltage:g} V is no gate voltage for a gate of this thickness (at most {largest:g} V){meant}"


def checked_as(quantity: str) -> AfterValidator:
    """Check of a field of a parameter table, for ``Annotated[float, checked_as("track length")]``."""
    known = QUANTITIES[quantity]

    def check(value: float) -> float:
        if not known.holds(value):
            raise PydanticCustomError(IMPLAUSIBLE, "{line}", {"line": implausible(quantity, value)})
        return value

    return AfterValidator(check)


def both_checked_as(quantity: str) -> AfterValidator:
    """Check of a field with two values, the ends of a range."""
    check = checked_as(quantity).func

    def check_both(ends: tuple[float, float]) -> tuple[float, float]:
        for end in ends:
            check(end)  # type: ignore[call-arg]
        return ends

    return AfterValidator(check_both)
