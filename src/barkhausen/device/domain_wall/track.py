"""The racetrack: a magnetic strip on a heavy metal, with or without a piezoelectric below."""

from __future__ import annotations

from typing import Annotated

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as


class Racetrack(Parameters):
    """Geometry and electrical constants of one track; SI units.

    All defaults are our assumptions within the range found in the literature, not values of the paper: a 512 × 64 × 1
    nm strip, 5 nm of beta-tantalum (2.0e-6 ohm m) below, 100 nm of PZT
    (relative permittivity 1000) as the gate.
    """

    length: Annotated[Positive, checked_as("track length")] = 512e-9
    """Length of the track in m, along which the wall moves."""
    width: Annotated[Positive, checked_as("width")] = 64e-9
    """Width of the track in m."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 1e-9
    """Thickness of the ferromagnet in m."""
    heavy_metal_thickness: Annotated[Positive, checked_as("film thickness")] = 5e-9
    """Thickness of the heavy metal in m."""
    heavy_metal_resistivity: Annotated[Positive, checked_as("resistivity")] = 2.0e-6
    """Resistivity of the heavy metal in ohm m (beta-Ta 2.0e-6, W 1.2e-6)."""
    piezoelectric_thickness: Annotated[Positive, checked_as("gate thickness")] = 100e-9
    """Thickness in m of the piezoelectric of a gate of kind ``strain``."""
    piezoelectric_permittivity: Annotated[Positive, checked_as("relative permittivity")] = 1000.0
    """Relative permittivity of the piezoelectric (PZT: 1000 to 4753)."""

    @property
    def area(self) -> float:
        """Footprint of the track in m²."""
        return self.length * self.width

    def joule_heat(self, current_density: float, duration: float) -> float:
        """Joule heat in J of a current pulse in the heavy metal: J² rho L w t tau.

        Args:
            current_density: Current density in the heavy metal in A/m².
            duration: Duration of the pulse in s.
        """
        volume = self.area * self.heavy_metal_thickness
        # Unlike a power, a product that overflows is infinite, and is refused with the name of the energy.
        return current_density * current_density * self.heavy_metal_resistivity * volume * duration
