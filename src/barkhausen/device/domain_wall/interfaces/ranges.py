"""Reported ranges of the constants of a stack, and what a device has of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Shown(NamedTuple):
    """How a quantity is written."""

    symbol: str
    factor: float
    """From the SI unit to the one shown."""
    unit: str


QUANTITIES = {
    "saturation_magnetisation": Shown("Ms", 1e-6, "MA/m"),
    "exchange_stiffness": Shown("A", 1e12, "pJ/m"),
    "damping": Shown("alpha", 1.0, ""),
    "interfacial_anisotropy": Shown("K_i", 1e3, "mJ/m2"),
    "bulk_anisotropy": Shown("K_v", 1e-6, "MJ/m3"),
    "interfacial_dmi": Shown("|D_i|", 1e12, "pJ/m"),
    "spin_hall_angle": Shown("|theta_SH|", 1.0, ""),
    "resistivity": Shown("rho", 1e8, "uohm cm"),
    "spin_hall_conductivity": Shown("|theta_SH|/rho", 1e-6, "MS/m"),
    "thickness": Shown("t", 1e9, "nm"),
    "vcma_coefficient": Shown("|xi|", 1e15, "fJ/(V m)"),
}
"""Quantities that have ranges. theta_SH is the damping-like efficiency of the bilayer, as ``spin_hall_angle`` is."""


class Range(NamedTuple):
    """Range that is reported, in SI units, with its source."""

    low: float
    high: float
    source: str
    """References. ``(m)``: quoted from memory, not looked up."""


@dataclass(frozen=True)
class Stack:
    """Stack of layers, with the ranges of its constants at 300 K.

    Args:
        label: Layers from the lowest to the highest.
        ranges: Ranges by the names of :data:`QUANTITIES`. What is missing is not checked.
    """

    label: str
    ranges: Mapping[str, Range]

    def outside(self, values: Mapping[str, float]) -> list[str]:
        """Sentences about values that lie outside their range.

        Args:
            values: Values in SI units by the names of :data:`QUANTITIES`; others are left out.
        """
        lines = []
        for name, value in values.items():
            known = self.ranges.get(name)
            # A value on the edge of a range is inside, whatever the rounding of a product.
            if known is None or known.low * (1 - 1e-9) <= value <= known.high * (1 + 1e-9):
                continue
            symbol, factor, unit = QUANTITIES[name]
            shown = f"{factor * value:.4g} {unit}".strip()
            source = "from memory" if known.source == "(m)" else known.source
            reported = f"{factor * known.low:.4g} to {factor * known.high:.4g} {unit}".strip()
            lines.append(f"{symbol} = {shown} is outside the {reported} reported for {self.label} ({source})")
        return lines
