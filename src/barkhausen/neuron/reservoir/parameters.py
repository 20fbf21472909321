"""Parameters of the magnetic reservoirs, as the table ``[element]`` of a recipe has them."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator, model_validator

from barkhausen.core.config import Count, Parameters, Positive, Real
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.skyrmion.parameters import Disc, Oxide
from barkhausen.micromagnetics import Material

SOURCE = "assumed"


class Driven(Parameters):
    """What all magnetic reservoirs have in common: a film whose Ku follows the gate voltage V0 + V1 u.

    An input u beyond ``largest_input`` is clipped, as the voltage source would.
    """

    usual_material: ClassVar[dict[str, Any]] = {}

    material: Material
    """Material; keys that the table leaves out are those of the default."""
    oxide: Oxide = Oxide()
    junction: TunnelJunction = TunnelJunction(resistance_area=1e-11, read_voltage=0.1, read_time=50e-12)
    """Junction whose reads are the nodes."""
    hold: Annotated[Positive, checked_as("pulse duration")] = 1e-9
    """Time in s for which an input is held."""
    offset: Annotated[Real, checked_as("gate voltage")] = 0.0
    """V0 in V."""
    swing: Annotated[Real, checked_as("gate voltage")] = 0.5
    """V1 in V for an input of 1."""
    largest_input: Positive = 1.25
    """Largest magnitude of an input."""
    virtual_nodes: Annotated[int, Field(ge=1, le=500)] = 20
    """Times within a step at which m_z is read."""
    temperature: Annotated[float, Field(ge=0, le=2000)] = 0.0
    """Temperature in K."""
    copies: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Replicas with noise of their own whose m_z is averaged: so many elements side by side."""
    cell: Annotated[Positive, checked_as("cell size")] = 4e-9
    """Edge of the square cells in m."""
    field_x: Annotated[Real, checked_as("field")] = 0.0
    """Constant field along x in T."""
    settle: Annotated[Positive, checked_as("pulse duration")] = 2e-9
    """Time in s at u = 0 before the first input."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads of the compiled kernel; they do not change the states."""

    @model_validator(mode="before")
    @classmethod
    def _with_usual_material(cls, values: Any) -> Any:
        if isinstance(values, dict):
            given = values.get("material", {})
            if isinstance(given, dict):
                return values | {"material": {"source": SOURCE, **cls.usual_material, **given}}
        return values

    @model_validator(mode="after")
    def _within_the_oxide(self) -> Driven:
        peak = abs(self.offset) + abs(self.swing) * self.largest_input
        if peak > self.oxide.largest_voltage:
            raise ValueError(
                f"offset, swing: reach {peak:g} V, above the breakdown voltage {self.oxide.largest_voltage:g} V"
            )
        if self.temperature == 0 and self.copies != 1:
            raise ValueError(f"copies = {self.copies}: at 0 K all are alike; must be 1")
        return self

    @property
    def area(self) -> float:
        """Area in m² of the junction and its gate, all dots together."""
        raise NotImplementedError

    @property
    def junctions(self) -> int:
        """Junctions that are read at a time."""
        return 1

    @property
    def film_thickness(self) -> float:
        """Thickness of the film in m."""
        raise NotImplementedError

    @property
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt, at ``constants_at`` of the material."""
        return self.oxide.coefficient / (self.oxide.thickness * self.film_thickness)

    def assumed(self) -> list[str]:
        """Assumptions, a line each."""
        material = self.material
        return [
            f"material: Ms {material.saturation_magnetisation:g} A/m, A {material.exchange_stiffness:g} J/m, Ku "
            f"{material.anisotropy:g} J/m3, D {material.dmi:g} J/m2, alpha {material.damping:g}",
            f"gate: {1e15 * self.oxide.coefficient:g} fJ/(V m) over {1e9 * self.oxide.thickness:g} nm of oxide, "
            f"{self.offset:g} V + {self.swing:g} V times the input, held {1e9 * self.hold:g} ns",
            f"{self.temperature:g} K, cells of {1e9 * self.cell:g} nm, m_z averaged over {self.copies} element(s)",
        ]


class SkyrmionDisc(Driven):
    """A skyrmion in a disc that breathes with the gate voltage."""

    usual_material: ClassVar[dict[str, Any]] = {
        "saturation_magnetisation": 580e3,
        "exchange_stiffness": 15e-12,
        "anisotropy": 0.8e6,
        "dmi": 3.2e-3,
        "damping": 0.1,
        "constants_at": 300.0,
    }

    disc: Disc = Disc()
    offset: Annotated[Real, checked_as("gate voltage")] = -1.2
    swing: Annotated[Real, checked_as("gate voltage")] = 0.5

    @property
    def area(self) -> float:
        """Area of the disc in m²."""
        return self.disc.area

    @property
    def film_thickness(self) -> float:
        """Thickness of the disc in m."""
        return self.disc.thickness


class Macrospin(Driven):
    """One cell in a field in the plane, which tilts it; the gate voltage changes the tilt.

    A cheap stand-in for a disc: one spin, no texture.
    """

    usual_material: ClassVar[dict[str, Any]] = {
        "saturation_magnetisation": 1.0e6,
        "exchange_stiffness": 15e-12,
        "anisotropy": 0.7e6,
        "damping": 0.02,
    }

    cell: Annotated[Positive, checked_as("cell size")] = 40e-9
    """Edge of the cell in m: that of the element."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 1e-9
    """Thickness in m."""
    field_x: Annotated[Real, checked_as("field")] = 0.16
    offset: Annotated[Real, checked_as("gate voltage")] = 0.0
    swing: Annotated[Real, checked_as("gate voltage")] = 0.2

    @property
    def area(self) -> float:
        """Area of the cell in m²."""
        return self.cell**2

    @property
    def film_thickness(self) -> float:
        """Thickness of the cell in m."""
        return self.thickness


class CoupledDots(Driven):
    """A row of discs that see each other's stray field, each under a gate of another strength, each read by itself."""

    usual_material: ClassVar[dict[str, Any]] = Macrospin.usual_material

    dots: Annotated[int, Field(ge=2, le=16)] = 3
    """Number of discs."""
    diameter: Annotated[Positive, checked_as("track length")] = 40e-9
    """Diameter of a disc in m."""
    gap: Annotated[Positive, checked_as("track length")] = 10e-9
    """Distance between edges of neighbours in m."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 1e-9
    """Thickness in m."""
    strengths: tuple[Real, ...] = (1.0, -0.7, 0.4)
    """Strength of the gate on each disc, from 1 to −1; repeated where there are more discs."""
    cell: Annotated[Positive, checked_as("cell size")] = 5e-9
    field_x: Annotated[Real, checked_as("field")] = 0.16
    swing: Annotated[Real, checked_as("gate voltage")] = 0.2

    @field_validator("strengths")
    @classmethod
    def _in_range(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or any(abs(strength) > 1 for strength in value):
            raise ValueError("must be one or more numbers from −1 to 1")
        return value

    @property
    def area(self) -> float:
        """Area of all discs in m²."""
        return self.dots * math.pi / 4 * self.diameter**2

    @property
    def junctions(self) -> int:
        """One for each disc."""
        return self.dots

    @property
    def film_thickness(self) -> float:
        """Thickness of the discs in m."""
        return self.thickness


class EchoStateOptions(Parameters):
    """An echo-state network of leaky tanh units."""

    units: Count = 400
    """Number of units."""
    spectral_radius: Positive = 0.8
    """Largest magnitude of an eigenvalue of the recurrent matrix."""
    leak: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Leak rate."""
    input_scale: Positive = 1.0
    """Largest weight of the input."""
    bias_scale: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Largest bias."""
    connectivity: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of recurrent weights that are not zero."""
