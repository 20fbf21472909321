"""The piezoelectric gate of a racetrack; the track gives its thickness."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import StrainGate

NotZero = Annotated[float, Field(allow_inf_nan=False)]


class Piezoelectric(Parameters):
    """Strain of the film by a voltage across the piezoelectric, and the change of anisotropy by this strain.

    Defaults (assumptions): Co-Fe with 260 ppm and 200 GPa on PZT with d31 = −190 pm/V, with complete transfer of strain
    to the film.
    """

    magnetostriction: Annotated[NotZero, checked_as("magnetostriction")] = 260e-6
    """Saturation magnetostriction lambda_s."""
    youngs_modulus: Annotated[Positive, checked_as("Young's modulus")] = 200e9
    """Young's modulus Y in Pa."""
    piezoelectric_coefficient: Annotated[NotZero, checked_as("piezoelectric coefficient")] = -190e-12
    """Piezoelectric coefficient d31 in m/V."""
    transfer: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Fraction of the strain that reaches the film."""

    def on(self, track: Racetrack) -> StrainGate:
        """The gate for micromagnetic simulations of a track."""
        return StrainGate(piezoelectric_thickness=track.piezoelectric_thickness, **self.model_dump())
