"""Gates: change of the perpendicular anisotropy by a voltage."""

from __future__ import annotations

import abc
from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as

NotZero = Annotated[float, Field(allow_inf_nan=False)]


class Gate(Parameters, abc.ABC):
    """Gate whose voltage changes Ku in proportion."""

    @property
    @abc.abstractmethod
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt."""

    @property
    def largest_voltage(self) -> float | None:
        """Voltage in V beyond any breakdown of the gate, above which a value is refused; None if nothing is known."""
        return None

    def scaled(self, factor: float) -> LinearGate:
        """A gate whose change of Ku is ``factor`` times this one's, as the cells of a mesh need it
        (:mod:`barkhausen.micromagnetics.temperature`)."""
        return LinearGate(per_volt=factor * self.anisotropy_per_volt, breakdown=self.largest_voltage)


class LinearGate(Gate):
    """Gate of a given change of Ku for one volt."""

    per_volt: Annotated[float, Field(allow_inf_nan=False)]
    """Change of Ku in J/m³ for one volt."""
    breakdown: Positive | None = None
    """Voltage in V above which a value is refused."""

    @property
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt."""
        return self.per_volt

    @property
    def largest_voltage(self) -> float | None:
        """Voltage in V above which a value is refused; None if nothing is known."""
        return self.breakdown


class StrainGate(Gate):
    """Piezoelectric layer below the film: strain eps = d31 V/t_PZ, and delta Ku = (3/2) lambda_s Y eps.

    The defaults are assumptions: Co-Fe of 260 ppm, 200 GPa, on 100 nm of PZT with d31 = −190 pm/V. Strain is taken
    to reach the film undiminished (``transfer`` 1) and at once.
    """

    magnetostriction: Annotated[NotZero, checked_as("magnetostriction")] = 260e-6
    """lambda_s."""
    youngs_modulus: Annotated[Positive, checked_as("Young's modulus")] = 200e9
    """Y in Pa."""
    piezoelectric_coefficient: Annotated[NotZero, checked_as("piezoelectric coefficient")] = -190e-12
    """d31 in m/V."""
    piezoelectric_thickness: Annotated[Positive, checked_as("gate thickness")] = 100e-9
    """t_PZ in m."""
    transfer: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Fraction of the strain that reaches the film."""

    @property
    def largest_voltage(self) -> float:
        """Voltage in V of 0.5 V/nm; films of PZT break down between 0.1 and 0.2 V/nm."""
        return 5e8 * self.piezoelectric_thickness

    @property
    def strain_per_volt(self) -> float:
        """In-plane strain for one volt."""
        return self.transfer * self.piezoelectric_coefficient / self.piezoelectric_thickness

    @property
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt."""
        return 1.5 * self.magnetostriction * self.youngs_modulus * self.strain_per_volt


class VoltageControlledAnisotropy(Gate):
    """VCMA through an oxide: delta Ku = xi V/(t_ox t_FM)."""

    coefficient: Annotated[NotZero, checked_as("VCMA coefficient")]
    """xi in J/(V m), for example 100e-15."""
    oxide_thickness: Annotated[Positive, checked_as("film thickness")]
    """t_ox in m."""
    film_thickness: Annotated[Positive, checked_as("film thickness")]
    """t_FM in m."""

    @property
    def anisotropy_per_volt(self) -> float:
        """Change of Ku in J/m³ for one volt."""
        return self.coefficient / (self.oxide_thickness * self.film_thickness)

    @property
    def largest_voltage(self) -> float:
        """Voltage in V of 5 V/nm; MgO breaks down between 1 and 2 V/nm."""
        return 5e9 * self.oxide_thickness
