"""The magnetic tunnel junction (MTJ) over the whole track, and energy, resolution and disturbance of a read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.core.units import BOLTZMANN, ELEMENTARY_CHARGE, REDUCED_PLANCK
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Material


@dataclass(frozen=True)
class ReadDisturb:
    """Disturbance of a wall by one read."""

    field: float
    """Strength of the spin-transfer torque in T."""
    margin: float
    """Ratio of the pinning field to this strength."""
    probability: float
    """Probability that the wall has moved to another place after the read."""


class TunnelJunction(Parameters):
    """The tunnel junction that converts a wall position to a conductance; SI units.

    Defaults are our assumptions: TMR 150 %, RA 10 ohm um², one read at 0.1 V for 1 ns.
    """

    tunnel_magnetoresistance: Annotated[Positive, checked_as("tunnel magnetoresistance")] = 1.5
    """(R_AP − R_P) / R_P, as a fraction (1.5 is 150 %)."""
    resistance_area: Annotated[Positive, checked_as("resistance-area product")] = 10e-12
    """Resistance-area product of the parallel state in ohm m² (10e-12 is 10 ohm um²)."""
    read_voltage: Annotated[Positive, checked_as("read voltage")] = 0.1
    """Voltage of a verify read in V."""
    read_time: Annotated[Positive, checked_as("read time")] = 1e-9
    """Duration of a verify read in s."""

    def parallel_conductance(self, area: float) -> float:
        """Conductance in S with the wall at the far end (the whole junction parallel): area / RA."""
        return area / self.resistance_area

    def antiparallel_conductance(self, area: float) -> float:
        """Conductance in S with the wall at the near end (the whole junction antiparallel)."""
        return self.parallel_conductance(area) / (1.0 + self.tunnel_magnetoresistance)

    def read_energy(self, conductance: float) -> float:
        """Energy in J of one read of a device with a conductance in S: V² G tau."""
        return self.read_voltage * self.read_voltage * conductance * self.read_time

    def conductance(self, position: float | Float[np.ndarray, " *any"], track: Racetrack) -> Float[np.ndarray, " *any"]:
        """Conductance in S with the wall at ``position`` (m): two junctions side by side, G_AP + (G_P − G_AP) x/L.

        The region of the wall itself, neither parallel nor antiparallel, contributes equally to both.
        """
        share = np.asarray(position, dtype=np.float64) / track.length
        low, high = self.antiparallel_conductance(track.area), self.parallel_conductance(track.area)
        return np.asarray(low + (high - low) * share)

    def read_current(
        self, position: float | Float[np.ndarray, " *any"], track: Racetrack
    ) -> Float[np.ndarray, " *any"]:
        """Current in A through the junction during a read: V G."""
        return np.asarray(self.read_voltage * self.conductance(position, track))

    # ---- resolution of a read -------------------------------------------------------------------------------------

    def current_noise(
        self, position: float | Float[np.ndarray, " *any"], track: Racetrack, temperature: float
    ) -> Float[np.ndarray, " *any"]:
        """Standard deviation in A of the current averaged over one read, with a wall at a position."""
        return self.noise_of(self.read_current(position, track), temperature)

    def noise_of(self, current: float | Float[np.ndarray, " *any"], temperature: float) -> Float[np.ndarray, " *any"]:
        """Standard deviation in A of a current (A) averaged over one read.

        Thermal and shot noise of a tunnel junction combine to the one-sided density 2 e I coth(e V/2 kB T), which is
        Johnson's 4 kB T G at zero voltage and 2 e I at high voltage (Rogovin and Scalapino, Ann. Phys. 86, 1 (1974);
        measured by Spietz et al., Science 300, 1929 (2003)). An average over tau has a bandwidth of 1/(2 tau). Noise of
        the read-out circuit and 1/f noise are not included.
        """
        energy = ELEMENTARY_CHARGE * self.read_voltage
        ratio = energy / (2 * BOLTZMANN * temperature) if temperature > 0 else math.inf
        density = 2 * ELEMENTARY_CHARGE * current / math.tanh(ratio)
        return np.asarray(np.sqrt(density / (2 * self.read_time)))

    def position_noise(
        self, position: float | Float[np.ndarray, " *any"], track: Racetrack, temperature: float
    ) -> Float[np.ndarray, " *any"]:
        """Standard deviation in m of the position found by one read: :meth:`current_noise` divided by V dG/dx."""
        low, high = self.antiparallel_conductance(track.area), self.parallel_conductance(track.area)
        slope = self.read_voltage * (high - low) / track.length
        return np.asarray(self.current_noise(position, track, temperature) / slope)

    def read_error_probability(self, first: float, second: float, track: Racetrack, temperature: float) -> float:
        """Probability that one read mistakes a wall at one of two places (in m) for a wall at the other.

        The noise is normal and the threshold is equally many standard deviations from both places, so the probability
        is erfc(z/sqrt 2)/2, where z is the distance of the places divided by the sum of the standard deviations.
        """
        spread = self.position_noise(np.array([first, second]), track, temperature).sum()
        return 0.5 * math.erfc(abs(second - first) / (float(spread) * math.sqrt(2)))

    # ---- disturbance by a read -------------------------------------------------------------------------------------

    @property
    def polarisation(self) -> float:
        """Spin polarisation P of both electrodes, from Julliere's TMR = 2 P²/(1 − P²), Phys. Lett. A 54, 225 (1975)."""
        return math.sqrt(self.tunnel_magnetoresistance / (2 + self.tunnel_magnetoresistance))

    def spin_transfer_field(self, track: Racetrack, material: Material) -> float:
        """Strength b in T of the spin-transfer torque b m × p of a read on the wall, with p = ±z of the fixed layer.

        For two identical electrodes, b = ħ/(2 e Ms t) P/(1 + P²) V/RA (Slonczewski, Phys. Rev. B 71, 024411 (2005); in
            the
        form (ħ/4 e) 2 P/(1 + P²) dI/dV of the parallel junction Sankey et al., Nature Phys. 4, 67 (2008)). It does not
        depend on the angle, since the current is proportional to 1 + P² cos.
        """
        p = self.polarisation
        moment = material.saturation_magnetisation * track.thickness
        density = self.read_voltage / self.resistance_area
        return REDUCED_PLANCK / (2 * ELEMENTARY_CHARGE * moment) * p / (1 + p * p) * density

    def read_disturb(
        self,
        track: Racetrack,
        material: Material,
        *,
        pinning_field: float,
        barrier: float,
        attempt_frequency: float,
        temperature: float,
    ) -> ReadDisturb:
        """Disturbance of a pinned wall by one read (see :func:`~barkhausen.device.domain_wall.retention.retention`).

        The torque is treated as a field of strength b along z, which overestimates the disturbance. A damping-like
        torque polarised along the domains turns the angle of the wall against the DMI and does not displace it; only at
        the start of the read does the wall oscillate, by sqrt(k/K)/2 of the displacement under a field (with k and K
        the stiffnesses of position and angle), which is a quarter at a weak notch in micromagnetics. The field-like
        part of the torque is a fraction of it. The barrier is reduced to barrier (1 − b/b_p)^(3/2) (Kurkijärvi, Phys.
        Rev. B 6, 832 (1972)) at an unchanged attempt frequency, so the probability is 1 − exp(−f tau exp(−barrier/kB
        T)).

        Args:
            track, material: Geometry and material of the free layer.
            pinning_field: Field in T at which the barrier vanishes.
            barrier: Barrier in J without the read.
            attempt_frequency: Attempt frequency in Hz.
            temperature: Temperature in K.
        """
        field = self.spin_transfer_field(track, material)
        margin = pinning_field / field
        if not margin > 1 or not attempt_frequency >= 0:
            return ReadDisturb(field, margin, 1.0)
        lowered = barrier * (1 - 1 / margin) ** 1.5
        exponent = lowered / (BOLTZMANN * temperature) if temperature > 0 else math.inf
        return ReadDisturb(field, margin, -math.expm1(-attempt_frequency * self.read_time * math.exp(-exponent)))
