"""Spin-orbit torque of a current in the heavy metal below the film."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import ELEMENTARY_CHARGE, REDUCED_PLANCK
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import Torque
from barkhausen.micromagnetics.terms.current import local_current, strongest_current

if TYPE_CHECKING:
    from barkhausen.micromagnetics.excitation.drive import Drive


@dataclass(frozen=True)
class SpinOrbitTorque(Torque):
    """Damping-like and field-like torque as fields: B = B_DL m × sigma + B_FL sigma.

    B_DL = hbar theta_SH J/(2 e Ms t), t the film's thickness, and B_FL = ratio × B_DL. sigma is the polarisation of
    the spins that arrive for a current along +x: −y, the convention in which theta_SH > 0 (Pt below the film) drives
    a Néel wall of D > 0 along +x, with the current; where the current flows in another direction
    (:attr:`ParameterMaps.current`) sigma turns with it. mumax3: ``FixedLayer = sigma``, ``J = vector(0, 0, J)``,
    ``Pol = theta_SH``, ``Lambda = 1``, ``EpsilonPrime = ratio × theta_SH/2``. (Khvalkovskiy et al., Phys. Rev. B 87,
    020402 (2013); Martinez et al., Appl. Phys. Lett. 103, 072406 (2013).)

    Raises:
        InputError: Sigma has no direction.
    """

    polarisation: tuple[float, float, float] = (0.0, -1.0, 0.0)

    def __post_init__(self) -> None:
        norm = math.sqrt(sum(s * s for s in self.polarisation))
        if not (math.isfinite(norm) and norm > 0):
            raise InputError(f"spin-orbit torque: polarisation = {self.polarisation}: needs a direction")
        object.__setattr__(self, "polarisation", tuple(s / norm for s in self.polarisation))

    @staticmethod
    def field_per_current(film: Film) -> float:
        """B_DL/J in T m²/A."""
        material = film.material
        return (REDUCED_PLANCK * material.spin_hall_angle) / (
            2 * ELEMENTARY_CHARGE * material.saturation_magnetisation * film.grid.dz
        )

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the spin-orbit fields in T to ``out``."""
        damping_like = self.field_per_current(state.film) * state.inputs.current_density[:, None, None]
        field_like = state.film.material.field_like_ratio * damping_like
        if state.film.relative_magnetisation is not None:
            damping_like = damping_like / state.film.relative_magnetisation
            field_like = field_like / state.film.relative_magnetisation
        x, y, z = state.m.unbind(1)
        current = local_current(state)
        if current is not None:
            self._add_turned(out, (x, y, z), damping_like, field_like, current)
            return
        sx, sy, sz = self.polarisation
        for component, terms in enumerate((((y, sz), (z, -sy)), ((z, sx), (x, -sz)), ((x, sy), (y, -sx)))):
            for source, factor in terms:
                if factor:
                    out[:, component].addcmul_(source, damping_like, value=factor)
            if self.polarisation[component] and state.film.material.field_like_ratio:
                out[:, component].add_(field_like, alpha=self.polarisation[component])

    def _add_turned(
        self,
        out: Tensor,
        m: tuple[Tensor, Tensor, Tensor],
        damping_like: Tensor,
        field_like: Tensor,
        current: tuple[Tensor, Tensor],
    ) -> None:
        """Add the fields of a current of any direction and strength in each cell."""
        (jx, jy), (px, py, pz) = current, self.polarisation
        x, y, z = m
        sx, sy, sz = jx * px - jy * py, jy * px + jx * py, torch.hypot(jx, jy) * pz
        out[:, 0] += damping_like * (y * sz - z * sy) + field_like * sx
        out[:, 1] += damping_like * (z * sx - x * sz) + field_like * sy
        out[:, 2] += damping_like * (x * sy - y * sx) + field_like * sz

    def stiffest_field(self, film: Film) -> float:
        """0: the torque is all of the drive."""
        return 0.0

    def driven_field(self, film: Film, drive: Drive) -> float:
        """Largest sum of the damping-like and the field-like field in T."""
        ratio = film.relative_magnetisation
        torque = self.field_per_current(film) * drive.waveform("current_density").peak * strongest_current(film)
        torque /= 1.0 if ratio is None else float(ratio.min())
        return abs(torque) * (1 + abs(film.material.field_like_ratio))
