"""Parameters of a skyrmion memory, read from a TOML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from barkhausen.core.config import Parameters, Positive, Real
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.gates.base import VACUUM_PERMITTIVITY
from barkhausen.device.domain_wall.gates.vcma import DECADE, OHMS_OF_ONE_NANOMETRE
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.micromagnetics import Film, Material, disc, grains, shape_film
from barkhausen.micromagnetics.excitation.gate import LinearGate
from barkhausen.micromagnetics.temperature.averages import film_of_averages
from barkhausen.micromagnetics.temperature.bare import bare_constants, bare_film

NAME = "skyrmion"
"""Name of the technology."""

MEASURED_AT = 300.0
"""Temperature in K at which the constants of the material are averages, where the file does not say."""


class Disc(Parameters):
    """The free layer of the junction."""

    diameter: Annotated[Positive, checked_as("track length")] = 100e-9
    """Diameter in m."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 1e-9
    """Thickness of the film in m."""

    @property
    def area(self) -> float:
        """Area in m²."""
        return math.pi / 4 * self.diameter**2


class Oxide(Parameters):
    """The oxide on the disc, whose voltage changes Ku by xi V/(t_ox t)."""

    coefficient: Annotated[Real, checked_as("VCMA coefficient")] = 100e-15
    """VCMA coefficient xi in J/(V m), at ``constants_at`` of the material: a positive voltage raises Ku."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 1e-9
    """Thickness t_ox in m."""
    permittivity: Annotated[Positive, checked_as("relative permittivity")] = 7.0
    """Relative permittivity."""
    breakdown_field: Annotated[Positive, checked_as("breakdown field")] = 2e9
    """Field in V/m beyond which voltages are refused. That MgO junctions break down between 1 and 2 V/nm is not
    verified against a source."""
    leaks: bool = False
    """Whether the pulses leak through the resistance-area product of the junction."""

    @property
    def largest_voltage(self) -> float:
        """Voltage in V of the breakdown field."""
        return self.breakdown_field * self.thickness

    def capacitance(self, area: float) -> float:
        """Capacitance in F, eps0 eps_r area/t_ox."""
        return VACUUM_PERMITTIVITY * self.permittivity * area / self.thickness

    @property
    def usual_resistance_area(self) -> float:
        """RA in ohm m² of a CoFeB/MgO barrier of this thickness: 10 ohm um² at 1 nm, and ten times as much for each
        0.29 nm more (from memory; laboratories differ)."""
        return OHMS_OF_ONE_NANOMETRE * 10 ** ((self.thickness - 1e-9) / DECADE)


class WritePulse(Parameters):
    """One voltage pulse."""

    voltage: Annotated[float, Field(allow_inf_nan=False), checked_as("gate voltage")]
    """Voltage of the plateau in V."""
    width: Annotated[Positive, checked_as("pulse duration")]
    """Duration of the plateau in s, without the edges."""


class Writing(Parameters):
    """The two pulses that all transitions are made of."""

    nucleate: WritePulse = WritePulse(voltage=-1.43, width=0.3e-9)
    """Lowers Ku: turns up or down into a skyrmion whose core keeps the old direction."""
    collapse: WritePulse = WritePulse(voltage=1.4, width=1.5e-9)
    """Raises Ku: shrinks the core of a skyrmion until it is gone; the disc keeps the direction of its edge."""
    edge: Annotated[Positive, checked_as("pulse duration")] = 0.1e-9
    """Duration of the rise and of the fall in s."""
    rest: Annotated[Positive, checked_as("pulse duration")] = 2e-9
    """Time at 0 V after each pulse in s."""


class SkyrmionEnsemble(Parameters):
    """Settings of a characterisation."""

    replicas: Annotated[int, Field(ge=8, le=100_000)] = 1000
    """Thermal replicas of each sequence of pulses and of each hold."""
    chunk: Annotated[int, Field(ge=8, le=10_000)] = 64
    """Replicas computed at once; finished chunks are kept."""
    hold: Annotated[Positive, checked_as("pulse duration")] = 3e-9
    """Time in s of a hold without pulses; m_z is averaged over it."""
    cell: Annotated[Positive, checked_as("cell size")] = 4e-9
    """Edge of the square cells in m."""
    temperature: Annotated[float, Field(gt=0, le=2000)] = 300.0
    """Temperature in K."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the noise and of grains."""
    grain: Annotated[Positive, checked_as("cell size")] = 10e-9
    """Mean diameter of a grain in m, where Ku has a spread."""
    anisotropy_spread: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Relative standard deviation of Ku between grains."""
    diameter_factor: Annotated[float, Field(gt=0.2, lt=5)] = 1.0
    """Diameter relative to that of the disc that the pulses were made for."""


def default_material() -> Material:
    """The material of our device; the paper's is not known."""
    return Material(
        saturation_magnetisation=1.23e6,
        exchange_stiffness=15.6e-12,
        damping=0.1,
        anisotropy=1.024e6,
        dmi=1.75e-3,
        constants_at=MEASURED_AT,
        source="chosen for three stable states and fast transitions (after arXiv:2305.09950, whose values are unknown)",
    )


class Study(Parameters):
    """What a characterisation computes beside the transitions; no replicas: nothing."""

    replicas: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Thermal replicas of each point of a map, multiples of 8."""
    anisotropies: tuple[float, ...] = (0.97e6, 1.0e6, 1.024e6, 1.05e6, 1.08e6)
    """Ku in J/m³ of the map of stable states."""
    dmis: tuple[float, ...] = (1.0e-3, 1.25e-3, 1.5e-3, 1.75e-3, 2.0e-3, 2.25e-3, 2.5e-3)
    """D in J/m² of the map of stable states."""
    nucleate_voltages: tuple[float, ...] = (-1.23, -1.33, -1.43, -1.53, -1.63)
    nucleate_widths: tuple[float, ...] = (0.2e-9, 0.25e-9, 0.3e-9, 0.35e-9, 0.4e-9)
    collapse_voltages: tuple[float, ...] = (1.0, 1.2, 1.4, 1.6)
    collapse_widths: tuple[float, ...] = (0.5e-9, 1e-9, 1.5e-9)
    """Voltages in V and widths in s of the maps of pulses."""
    spreads: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = (0.02, 0.05, 0.1)
    """Relative standard deviations of Ku between grains."""
    diameters: tuple[Annotated[float, Field(ge=0.5, le=2)], ...] = (0.95, 1.05)
    """Relative diameters."""
    variants: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Replicas for each spread and each diameter, on 32 discs with grains of their own; 0: none."""
    fine: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Replicas on cells of half the size; 0: none."""


class SkyrmionParameters(Parameters):
    """Disc, material, oxide, pulses and junction of one skyrmion memory."""

    disc: Disc = Disc()
    material: Material = default_material()
    oxide: Oxide = Oxide()
    writing: Writing = Writing()
    junction: TunnelJunction = TunnelJunction(resistance_area=1e-7, read_voltage=0.2, read_time=50e-9)
    read: Literal["sensed", "analogue"] = "sensed"
    """``sensed``: a comparator turns m_z into −1, 0 or 1; ``analogue``: the weight is linear in m_z itself."""
    characterisation: SkyrmionEnsemble = SkyrmionEnsemble()
    study: Study = Study()

    @field_validator("material", mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        """The material: keys that the table leaves out are those of the default."""
        return default_material().model_dump() | value if isinstance(value, dict) else value

    @property
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt, at ``constants_at``."""
        return self.oxide.coefficient / (self.oxide.thickness * self.disc.thickness)

    def measured_film(
        self, *, devices: int = 1, cell: float | None = None, sizes: Sequence[float] | None = None
    ) -> Film:
        """Film with the constants of the material as they are given.

        Args:
            devices: Number of discs with grains of their own, where Ku has a spread.
            cell: Edge of the cells in m. Default: that of ``characterisation``.
            sizes: Relative diameter of each disc. Default: ``characterisation.diameter_factor`` of all.
        """
        how = self.characterisation
        factors = [how.diameter_factor] * devices if sizes is None else list(sizes)
        shape, edge = disc(self.disc.diameter), how.cell if cell is None else cell
        film = shape_film(
            shape,
            self.material,
            thickness=self.disc.thickness,
            cell=edge,
            devices=len(factors),
            sizes=None if set(factors) == {1.0} else factors,
        )
        if how.anisotropy_spread == 0:
            return film
        ku = grains(
            film.grid,
            self.material.anisotropy,
            size=how.grain,
            spread=how.anisotropy_spread,
            devices=len(factors),
            seed=how.seed,
        )
        return replace(film, anisotropy=ku)

    def film(self, **how: Any) -> Film:
        """Film for a simulation: bare constants in every cell, whose averages are those of the material.

        Args:
            how: Arguments of :meth:`measured_film`.
        """
        return bare_film(self.measured_film(**how), self.characterisation.temperature)

    def film_of_averages(self, **how: Any) -> Film:
        """Film whose energies at T = 0 are free energies at the temperature, for barriers.

        Args:
            how: Arguments of :meth:`measured_film`.
        """
        return film_of_averages(self.measured_film(**how), self.characterisation.temperature)

    def gate(self, cell: float | None = None) -> LinearGate:
        """Gate for a simulation on :meth:`film`: its change of Ku is scaled to the bare one of the cells.

        Args:
            cell: Edge of the cells in m. Default: that of ``characterisation``.
        """
        how, factor = self.characterisation, 1.0
        if self.material.constants_at > 0:
            edge = how.cell if cell is None else cell
            factor = bare_constants(self.material, edge, self.disc.thickness, how.temperature).anisotropy_factor
        return LinearGate(per_volt=factor * self.anisotropy_per_volt, breakdown=self.oxide.largest_voltage)

    def pulse_energy(self, pulse: WritePulse) -> dict[str, float]:
        """Energy in J of one pulse by cause: C V², which one charging and discharging costs, and what leaks."""
        charge = self.oxide.capacitance(self.disc.area) * pulse.voltage**2
        return {"gate": charge, "leakage": self.leakage(pulse)} if self.oxide.leaks else {"gate": charge}

    def leakage(self, pulse: WritePulse, resistance_area: float | None = None) -> float:
        """Energy in J that one pulse leaks through the junction.

        Args:
            pulse: Pulse.
            resistance_area: RA in ohm m². Default: that of the junction.
        """
        ohms = self.junction.resistance_area if resistance_area is None else resistance_area
        return self.disc.area / ohms * pulse.voltage**2 * (pulse.width + 2 * self.writing.edge / 3)

    def conductance(self, mz: float) -> float:
        """Conductance in S of the junction at a mean m_z."""
        area, junction = self.disc.area, self.junction
        low, high = junction.antiparallel_conductance(area), junction.parallel_conductance(area)
        return low + (high - low) * (1 + mz) / 2

    def read_noise(self, mz: float) -> float:
        """Standard deviation of m_z by shot and thermal noise of the current averaged over one read.

        See :meth:`.TunnelJunction.noise_of`.
        """
        junction, kelvin = self.junction, self.characterisation.temperature
        noise = junction.noise_of(junction.read_voltage * self.conductance(mz), kelvin)
        slope = junction.read_voltage * (self.conductance(1.0) - self.conductance(-1.0)) / 2
        return float(noise) / slope

    def assumed(self) -> list[str]:
        """Assumptions, a line each."""
        oxide, how = self.oxide, self.characterisation
        lines = [
            f"disc: {1e9 * self.disc.diameter:g} nm x {1e9 * self.disc.thickness:g} nm",
            f"material: {self.material.source or 'as given'}; Ms {self.material.saturation_magnetisation:g} A/m, "
            f"A {self.material.exchange_stiffness:g} J/m, Ku {self.material.anisotropy:g} J/m3, "
            f"D {self.material.dmi:g} J/m2, alpha {self.material.damping:g}",
            f"constants: averages at {self.material.constants_at:g} K; cells of {1e9 * how.cell:g} nm"
            if self.material.constants_at > 0
            else "constants: those of the cells, whose thermal fluctuations soften them (constants_at = 0)",
            f"gate: {1e15 * oxide.coefficient:g} fJ/(V m) over {1e9 * oxide.thickness:g} nm of oxide of relative "
            f"permittivity {oxide.permittivity:g}; pulses reach {self.field / 1e9:.2f} V/nm",
            "gate: leaks through the RA of the junction; each pulse costs C V2, nothing is recovered"
            if oxide.leaks
            else "gate: an oxide that does not leak; each pulse costs C V2, nothing is recovered",
            "every disc is the same: no spread between devices in the transitions",
            "read: a comparator tells -1, 0 and 1 apart"
            if self.read == "sensed"
            else "read: the weight is linear in the mean m_z over one read",
        ]
        junction = self.junction
        return lines + [f"junction.{name} = {value:g}" for name, value in junction.model_dump().items()]

    @property
    def field(self) -> float:
        """Largest field in the oxide in V/m."""
        pulses = (self.writing.nucleate, self.writing.collapse)
        return max(abs(pulse.voltage) for pulse in pulses) / self.oxide.thickness

    def size(self) -> str:
        """Size of the disc in words."""
        return f"{1e9 * self.disc.diameter:.0f} nm disc"
