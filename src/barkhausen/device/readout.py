"""Reading the wall: a magnetic tunnel junction (MTJ) over the whole track."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from barkhausen.device.racetrack import Positive


class TunnelJunction(BaseModel):
    """The junction that turns a wall position into a conductance, and what one read costs; SI units.

    Defaults are our assumptions: TMR 150 %, RA 10 ohm um², one read at 0.1 V for 1 ns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tunnel_magnetoresistance: Positive = 1.5
    """(R_AP − R_P) / R_P, as a fraction (1.5 is 150 %)."""
    resistance_area: Positive = 10e-12
    """Resistance-area product of the parallel state in ohm m² (10e-12 is 10 ohm um²)."""
    read_voltage: Positive = 0.1
    """Voltage of a verify read in V."""
    read_time: Positive = 1e-9
    """Duration of a verify read in s."""

    def parallel_conductance(self, area: float) -> float:
        """Conductance in S with the wall at the far end (the whole junction parallel): area / RA."""
        return area / self.resistance_area

    def antiparallel_conductance(self, area: float) -> float:
        """Conductance in S with the wall at the near end (the whole junction antiparallel)."""
        return self.parallel_conductance(area) / (1.0 + self.tunnel_magnetoresistance)

    def read_energy(self, conductance: float) -> float:
        """Energy in J of one read of a device of that conductance (S): V² G tau."""
        return self.read_voltage * self.read_voltage * conductance * self.read_time
