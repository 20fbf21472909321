"""The oxide gate: voltage-controlled magnetic anisotropy (VCMA) at the interface of the film with an oxide."""

from __future__ import annotations

from typing import Annotated, Literal

from barkhausen.core.config import Positive, Real
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.gates.base import GATES, VACUUM_PERMITTIVITY, TrackGate
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import VoltageControlledAnisotropy

OHMS_OF_ONE_NANOMETRE, DECADE, UNUSUAL = 10e-12, 0.29e-9, 30.0
"""RA in ohm m² of CoFeB/MgO junctions with 1 nm of MgO, and the thickness in m that makes it ten times as large (from
memory; both differ between laboratories), with the factor beyond which a resistance is told."""


class OxideGate(TrackGate):
    """Voltage across an oxide on the film, which changes the anisotropy of their interface: dKu = xi V/(t_ox t).

    The sign of V is that of xi: with xi > 0 a positive voltage raises Ku.

    Defaults (assumptions): 1.8 nm of MgO with a relative permittivity of 9.7 that stands 1 V/nm (MgO junctions break
    down between 1 and 2 V/nm, a range that is not verified against a source), −100 fJ/(V m), the upper end of CoFeB/MgO
    (30 to 100), and the barrier of the junction as the dielectric.
    """

    kind: Literal["vcma"] = "vcma"
    coefficient: Annotated[Real, checked_as("VCMA coefficient")] = -100e-15
    """VCMA coefficient xi of the interface in J/(V m)."""
    oxide_thickness: Annotated[Positive, checked_as("film thickness")] = 1.8e-9
    """Thickness t_ox of the oxide in m."""
    permittivity: Annotated[Positive, checked_as("relative permittivity")] = 9.7
    """Relative permittivity of the oxide (MgO: 7 to 10)."""
    breakdown_field: Annotated[Positive, checked_as("breakdown field")] = 1e9
    """Field in V/m at which the oxide breaks down; gate voltages beyond it are refused."""
    dielectric: Literal["junction", "insulator"] = "junction"
    """``junction``: the barrier of the tunnel junction, which leaks through its resistance-area product while the gate
    is on; ``insulator``: an oxide of its own that does not leak."""

    def on(self, track: Racetrack) -> VoltageControlledAnisotropy:
        """The gate for micromagnetic simulations of a track."""
        return VoltageControlledAnisotropy(
            coefficient=self.coefficient, oxide_thickness=self.oxide_thickness, film_thickness=track.thickness
        )

    def capacitance(self, track: Racetrack) -> float:
        """Capacitance in F, C = eps0 eps_r L w / t."""
        return VACUUM_PERMITTIVITY * self.permittivity * track.area / self.oxide_thickness

    def largest_voltage(self, track: Racetrack) -> float:
        """Voltage in V at which the oxide breaks down."""
        return self.breakdown_field * self.oxide_thickness

    def sourced(self) -> dict[str, float]:
        """The VCMA coefficient of the interface."""
        return {"vcma_coefficient": abs(self.coefficient)}

    def doubts(self, junction: TunnelJunction) -> list[str]:
        """A barrier whose resistance is not that of its thickness, if it is the dielectric."""
        if self.dielectric != "junction":
            return []
        usual = OHMS_OF_ONE_NANOMETRE * 10 ** ((self.oxide_thickness - 1e-9) / DECADE)
        if max(usual / junction.resistance_area, junction.resistance_area / usual) <= UNUSUAL:
            return []
        return [
            f"RA = {1e12 * junction.resistance_area:.3g} ohm um2 for {1e9 * self.oxide_thickness:g} nm of oxide, the "
            f"dielectric of the gate: CoFeB/MgO has about {1e12 * usual:.1g} ohm um2 at this thickness"
        ]

    def leakage(self, track: Racetrack, junction: TunnelJunction) -> float:
        """Conductance in S of the barrier, taken as that of the parallel junction at all voltages; 0 for an insulator.

        The wall is somewhere on the track while the gate is on, so this is the largest conductance at low voltage. The
        current of a barrier grows faster than its voltage (Simmons, J. Appl. Phys. 34, 1793 (1963)); this is left out.
        """
        return junction.parallel_conductance(track.area) if self.dielectric == "junction" else 0.0

    def assumed(self, given: bool) -> list[str]:
        """Assumptions about what the gate costs."""
        electrical = ("oxide_thickness", "permittivity", "breakdown_field", "dielectric")
        lines = [
            f"gate.{name} = {getattr(self, name):{'' if name == 'dielectric' else 'g'}} (default)"
            for name in electrical
            if not (given and name in self.model_fields_set)
        ]
        if self.dielectric == "junction":
            lines.append(
                "gate: its dielectric is the barrier of the junction, which leaks V^2 L w/RA (RA of the parallel state)"
            )
        else:
            lines.append("gate: an insulator of its own, without leakage")
        return lines

    def described(self, track: Racetrack) -> str:
        """How the gate acts on the film."""
        return (
            f"VCMA: {1e15 * self.coefficient:g} fJ/(V m) over {1e9 * self.oxide_thickness:g} nm of oxide, at most "
            f"{self.largest_voltage(track):g} V"
        )


GATES.register("vcma", OxideGate)
