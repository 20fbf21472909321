"""The piezoelectric gate: a layer below the track that strains it; the track gives its thickness and permittivity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from barkhausen.core.config import Positive, Real
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.gates.base import GATES, VACUUM_PERMITTIVITY, TrackGate
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import StrainGate


class Piezoelectric(TrackGate):
    """Strain of the film by a voltage across the piezoelectric, and the change of anisotropy by this strain.

    Defaults (assumptions): Co-Fe with 260 ppm and 200 GPa on PZT with d31 = −190 pm/V, with complete transfer of strain
    to the film.
    """

    kind: Literal["strain"] = "strain"
    magnetostriction: Annotated[Real, checked_as("magnetostriction")] = 260e-6
    """Saturation magnetostriction lambda_s."""
    youngs_modulus: Annotated[Positive, checked_as("Young's modulus")] = 200e9
    """Young's modulus Y in Pa."""
    piezoelectric_coefficient: Annotated[Real, checked_as("piezoelectric coefficient")] = -190e-12
    """Piezoelectric coefficient d31 in m/V."""
    transfer: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Fraction of the strain that reaches the film."""

    def on(self, track: Racetrack) -> StrainGate:
        """The gate for micromagnetic simulations of a track."""
        return StrainGate(piezoelectric_thickness=track.piezoelectric_thickness, **self.model_dump(exclude={"kind"}))

    def capacitance(self, track: Racetrack) -> float:
        """Capacitance in F, C = eps0 eps_r L w / t."""
        return VACUUM_PERMITTIVITY * track.piezoelectric_permittivity * track.area / track.piezoelectric_thickness

    @property
    def unused_of_track(self) -> tuple[str, ...]:
        """None: thickness and permittivity of the piezoelectric are the track's."""
        return ()

    def below(self, track: Racetrack) -> float:
        """Thickness in m of the piezoelectric, which lies between the track and the substrate."""
        return track.piezoelectric_thickness

    def described(self, track: Racetrack) -> str:
        """How the gate acts on the film."""
        return (
            f"strain: {1e6 * self.magnetostriction:g} ppm, {1e-9 * self.youngs_modulus:g} GPa, "
            f"d31 = {1e12 * self.piezoelectric_coefficient:g} pm/V over "
            f"{1e9 * track.piezoelectric_thickness:g} nm, transfer {self.transfer:g}"
        )


GATES.register("strain", Piezoelectric)
