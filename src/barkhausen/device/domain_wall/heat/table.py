"""The table ``[heat]`` of a device: what the track lies on, and how much heat it holds."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import field_validator

from barkhausen.core.config import NotNegative, Parameters, Positive
from barkhausen.core.errors import did_you_mean
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.heat.strip import HeatedStrip, Layer
from barkhausen.device.domain_wall.track import Racetrack


class Substrate(NamedTuple):
    """Thermal constants of a substrate at 300 K."""

    conductivity: float
    """Thermal conductivity in W/(m K)."""
    heat_capacity: float
    """Heat capacity per volume in J/(m³ K)."""


SUBSTRATES = {
    "silicon": Substrate(148.0, 1.65e6),
    "sapphire": Substrate(35.0, 3.07e6),
    "magnesia": Substrate(50.0, 3.36e6),
    "glass": Substrate(1.38, 1.65e6),
    "diamond": Substrate(2000.0, 1.79e6),
}
"""Substrates by name, with textbook constants of pure crystals and of fused silica. Diamond is the limit of any."""

Capacity = Annotated[Positive, checked_as("heat capacity")]
Conductivity = Annotated[Positive, checked_as("thermal conductivity")]
Thickness = Annotated[NotNegative, checked_as("gate thickness")]


class Heat(Parameters):
    """Substrate of a track, the layers between, and the heat capacities of the track; constants at 300 K.

    From the track downwards: the interface below the heavy metal, the gate if it lies there, an oxide, the substrate.
    All defaults are assumptions: bulk values, and an interface within the 3e-9 to 2e-8 m² K/W of metals on dielectrics
    (Cahill et al., J. Appl. Phys. 93, 793 (2003)).
    """

    substrate: str = "silicon"
    """Name of the substrate, one of :data:`SUBSTRATES`."""
    substrate_conductivity: Conductivity | None = None
    """Thermal conductivity of the substrate in W/(m K). Default: by its name."""
    substrate_heat_capacity: Capacity | None = None
    """Heat capacity of the substrate in J/(m³ K). Default: by its name."""
    oxide_thickness: Thickness = 20e-9
    """Thickness in m of the oxide (SiO2) on the substrate; 0: none."""
    oxide_conductivity: Conductivity = 1.38
    """Thermal conductivity of the oxide in W/(m K)."""
    oxide_heat_capacity: Capacity = 1.65e6
    """Heat capacity of the oxide in J/(m³ K)."""
    gate_conductivity: Conductivity = 1.4
    """Thermal conductivity in W/(m K) of a gate that lies between track and substrate (PZT)."""
    gate_heat_capacity: Capacity = 2.7e6
    """Heat capacity in J/(m³ K) of a gate that lies between track and substrate (PZT)."""
    interface_resistance: Annotated[NotNegative, checked_as("thermal resistance")] = 1e-8
    """Thermal resistance in m² K/W of the interface below the heavy metal."""
    heavy_metal_heat_capacity: Capacity = 2.55e6
    """Heat capacity of the heavy metal in J/(m³ K) (tungsten)."""
    film_heat_capacity: Capacity = 3.5e6
    """Heat capacity of the ferromagnet in J/(m³ K)."""
    cap_thickness: Thickness = 5e-9
    """Thickness in m of the layers on the ferromagnet that are heated with it."""
    cap_heat_capacity: Capacity = 3.0e6
    """Heat capacity of these layers in J/(m³ K)."""
    simulated_above: NotNegative = 20.0
    """Rise in K above which the events of a characterisation are simulated at the temperature of their pulses."""

    @field_validator("substrate")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in SUBSTRATES:
            raise ValueError(f"{name!r}: no such substrate{did_you_mean(name, SUBSTRATES)}")
        return name

    @property
    def base(self) -> Substrate:
        """Constants of the substrate."""
        known = SUBSTRATES[self.substrate]
        return Substrate(
            self.substrate_conductivity or known.conductivity, self.substrate_heat_capacity or known.heat_capacity
        )

    def layers(self, gate_thickness: float) -> tuple[Layer, ...]:
        """Layers below the track.

        Args:
            gate_thickness: Thickness in m of the part of the gate between the track and the oxide.
        """
        stack = [
            (gate_thickness, self.gate_conductivity, self.gate_heat_capacity),
            (self.oxide_thickness, self.oxide_conductivity, self.oxide_heat_capacity),
            (math.inf, *self.base),
        ]
        present = [values for values in stack if values[0] > 0]
        first = Layer(*present[0], resistance=self.interface_resistance)
        return (first, *(Layer(*values) for values in present[1:]))

    def strip(self, track: Racetrack, gate_thickness: float) -> HeatedStrip:
        """The track as a strip on its layers; of equal arguments, the same object with what it has computed.

        Args:
            track: Geometry of the track. Its notches are left out.
            gate_thickness: As in :meth:`layers`.
        """
        areal = (
            track.heavy_metal_thickness * self.heavy_metal_heat_capacity
            + track.thickness * self.film_heat_capacity
            + self.cap_thickness * self.cap_heat_capacity
        )
        return _strip(track.length, track.width, areal, self.layers(gate_thickness))

    def described(self, gate_thickness: float) -> str:
        """The path of the heat, as a line of the assumptions of a simulation."""
        names = []
        if gate_thickness > 0:
            names.append(f"{1e9 * gate_thickness:g} nm of gate ({self.gate_conductivity:g} W/(m K))")
        if self.oxide_thickness > 0:
            names.append(f"{1e9 * self.oxide_thickness:g} nm of oxide ({self.oxide_conductivity:g} W/(m K))")
        base = self.base
        names.append(f"{self.substrate} ({base.conductivity:g} W/(m K), {1e-6 * base.heat_capacity:g} MJ/(m3 K))")
        return (
            f"heat: from the whole track through {self.interface_resistance:g} m2 K/W into {' on '.join(names)}; none "
            "leaves by contacts or from the top"
        )


@lru_cache(maxsize=16)
def _strip(length: float, width: float, areal: float, layers: tuple[Layer, ...]) -> HeatedStrip:
    return HeatedStrip(length, width, areal, layers)
