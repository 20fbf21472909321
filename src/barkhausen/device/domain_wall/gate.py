"""The gate of a racetrack: a piezoelectric whose thickness is the track's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Parameters, Positive
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import StrainGate

NotZero = Annotated[float, Field(allow_inf_nan=False)]


class Piezoelectric(Parameters):
    """How a voltage across the piezoelectric strains the film, and how strain changes its anisotropy.

    Assumed: Co-Fe of 260 ppm and 200 GPa on PZT with d31 = −190 pm/V, all of whose strain reaches the film.
    """

    magnetostriction: NotZero = 260e-6
    """lambda_s."""
    youngs_modulus: Positive = 200e9
    """Y in Pa."""
    piezoelectric_coefficient: NotZero = -190e-12
    """d31 in m/V."""
    transfer: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the strain that reaches the film."""

    def on(self, track: Racetrack) -> StrainGate:
        """The gate as micromagnetics knows it."""
        return StrainGate(piezoelectric_thickness=track.piezoelectric_thickness, **self.model_dump())
