"""The compact stochastic model of a wall with position q and angle psi, for the same film and drive as the simulation.

The wall is straight, of width Delta, with its middle at q, and its magnetisation makes the angle psi with the one the
DMI prefers. Its energy E(q, psi) is that of :mod:`.wall_energy`: notches, rough edges, tapers, gradients and stops
enter through the width of the track and Keff(x), smoothed over the wall. The equations of motion are Slonczewski's
(Thiaville et al., EPL 100, 57002 (2012); Martinez et al., Appl. Phys. Lett. 103, 072406 (2013)). With
W(q) the width under the wall, B = ±(pi/2) B_DL, + for D >= 0, and r the ratio of field-like to damping-like torque,

    alpha q'/Delta + psi' = gamma [ −(dE/dq)/(2 Ms t W) + B cos psi + b_q ]
    q'/Delta − alpha psi' = gamma [ (dE/dpsi)/(2 Ms Delta t W) − r B cos psi + b_psi ]

(the field-like torque has an energy, whose change along q is added to dE/dq). The wall has the moment of a volume
2 Delta W t, and the fluctuation-dissipation theorem asks for thermal fields of the variance alpha kB T/(gamma Ms Delta
W t dt), half of that of a macrospin of the volume Delta W t. The measure of this phase space is W dq dpsi, and
W exp(−E/kB T) is the stationary density if the noise, which goes with 1/sqrt(W), is read in Itô's sense: so it is here.
Fluctuations soften Ms, A, D and Ku, but not B_DL: the mean of the torque m × (m × sigma) falls as m does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.device.domain_wall.compact.wall_energy import SPACING, CompactParameters, WallEnergy
from barkhausen.micromagnetics import Drive, Film
from barkhausen.micromagnetics.terms import SpinOrbitTorque

__all__ = ["LEVELS", "STEP", "CompactModel", "CompactParameters"]

STEP = 2e-12
"""Default step in s. A wall held by a notch and the DMI precesses at some 1e10 rad/s, a fiftieth of 1/step."""

LEVELS = 9
"""Number of changes of Ku for which the energy is tabulated, with linear interpolation in between."""


@dataclass(frozen=True, eq=False)
class CompactModel:
    """The compact model of the devices of a film.

    Args:
        film: Film with grid, material, and the shape and anisotropy of each device.
        parameters: Parameters of a calibration (:mod:`barkhausen.device.domain_wall.compact.calibration`). Default:
            estimates.
    """

    film: Film
    parameters: CompactParameters = field(default_factory=CompactParameters)

    def simulate(
        self,
        drive: Drive,
        *,
        duration: float,
        replicas: int,
        position: float | Float[Tensor, " replica"],
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
        dt: float = STEP,
        every: float | None = None,
    ) -> xr.Dataset:
        """Integrate all replicas (Heun) and return ``wall_position`` (m) and ``wall_angle`` (rad), time × replica.

        A wall that runs off the track is NaN from then on.

        Args:
            drive: Drive with current density and gate voltage. Fields and Zhang-Li currents are refused.
            duration: Duration in s.
            replicas: Number of replicas; the film assigns a device to each (:meth:`Film.assign`).
            position: Initial wall positions in m.
            temperature: Temperature in K.
            generator: Random stream of the thermal noise.
            dt: Longest time step in s; it is adapted to ``every``.
            every: Time in s between records. Default: a hundredth of the duration.

        Raises:
            InputError: The drive is not supported by the model, or an argument is out of range.
        """
        for name in ("magnet_current_density", "field_x", "field_y", "field_z", "local_field"):
            if not drive.waveform(name).is_zero:
                raise InputError(f"drive.{name}: the compact model knows spin-orbit torque and gate voltage only")
        if drive.gate_profile is not None:
            raise InputError("drive.gate_profile: the compact model knows a uniform gate only")
        if drive.current_direction != (1.0, 0.0):
            raise InputError("drive.current_direction: the compact model knows a current along the track only")
        self.film.check_replicas(replicas)
        drive.check_replicas(replicas)
        start = torch.as_tensor(position, dtype=torch.float64)
        if start.shape not in ((), (1,), (replicas,)):
            raise InputError(f"position: shape {tuple(start.shape)} is not one place, or one for each of {replicas}")
        if not (math.isfinite(temperature) and temperature >= 0):
            raise InputError(f"temperature = {temperature}: must be zero or positive, in K")
        every = duration / 100 if every is None else every
        for name, value in (("duration", duration), ("every", every), ("dt", dt)):
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} = {value}: must be a positive time in s")
        records, inner = round(duration / every), max(1, math.ceil(every / dt - 1e-9))
        if records < 1 or abs(duration / every - records) > 1e-6 * records:
            raise InputError(f"every = {every:g}: the duration of {duration:g} s is not a whole number of records")
        dt = every / inner
        motion = _Motion(self, drive, replicas, temperature, dt)
        q = start.expand(replicas).clone()
        psi = torch.zeros_like(q)
        length = self.film.grid.length
        gone = ~((q > 0) & (q < length))
        q = q.nan_to_num(0.0).clamp(0.0, length)
        rows = [(torch.where(gone, torch.nan, q), torch.where(gone, torch.nan, psi))]
        for record in range(records):
            inputs = motion.inputs(record * every + dt * torch.arange(inner + 1, dtype=torch.float64))
            for step in range(inner):
                q, psi = motion.heun(q, psi, inputs[step], inputs[step + 1], generator)
                gone |= (q <= 0) | (q >= length)
                q = q.clamp(0.0, length)
            rows.append((torch.where(gone, torch.nan, q), torch.where(gone, torch.nan, psi)))
        times = torch.arange(records + 1, dtype=torch.float64) * every
        return xr.Dataset(
            {
                "wall_position": (("time", "replica"), torch.stack([r[0] for r in rows]).numpy(), {"units": "m"}),
                "wall_angle": (("time", "replica"), torch.stack([r[1] for r in rows]).numpy(), {"units": "rad"}),
            },
            coords={"time": ("time", times.numpy(), {"units": "s"})},
            attrs={"dt": dt, "temperature": temperature, **self.parameters.model_dump()},
        )

    def landscape(
        self, anisotropy_change: float | Float[Tensor, " level"] = 0.0
    ) -> tuple[Float[Tensor, " place"], Float[Tensor, "level device place"]]:
        """Places in m, and the energy in J that a wall at rest (psi = 0) there has for the equations of motion.

        Args:
            anisotropy_change: One or several changes of Ku by the gate in J/m³.
        """
        table = self.energy(anisotropy_change)
        return table.places, table.energy

    def energy(self, anisotropy_change: float | Float[Tensor, " level"] = 0.0) -> WallEnergy:
        """The landscape with all that it is made of, for each change of Ku (J/m³).

        Raises:
            InputError: A change leaves no perpendicular anisotropy.
        """
        change = torch.atleast_1d(torch.as_tensor(anisotropy_change, dtype=torch.float64))
        return WallEnergy.of(self.film, self.parameters, change)

    @property
    def damping(self) -> float:
        """Effective damping.

        Raises:
            InputError: The material has none.
        """
        if self.film.material.damping == 0:
            raise InputError("material.damping = 0: a wall that is to come to rest needs damping")
        return self.film.material.damping * self.parameters.damping_factor


class _Inputs(NamedTuple):
    """The drive at one instant, and what depends on it: one number for each replica."""

    row: Tensor
    """Of the table: its level and device."""
    share: Tensor
    """How far between that level and the next."""
    along: Tensor
    """B in T."""
    delta: Tensor
    neel: Tensor
    stiffness: Tensor
    """1/(2 Ms Delta) in T m²/J."""


class _Motion:
    """The equations of motion of all replicas, with what does not change computed once."""

    def __init__(self, model: CompactModel, drive: Drive, replicas: int, temperature: float, dt: float) -> None:
        film, p = model.film, model.parameters
        self.dt, self.drive, self.replicas = dt, drive, replicas
        self.per_volt = 0.0 if drive.gate is None else drive.gate.anisotropy_per_volt
        change = drive.waveform("gate_voltage").values * self.per_volt
        self.lowest, highest = float(change.min()), float(change.max())
        self.levels = LEVELS if highest > self.lowest else 2
        self.spacing = (highest - self.lowest) / (LEVELS - 1) if highest > self.lowest else 1e-6
        tables = model.energy(self.lowest + self.spacing * torch.arange(self.levels, dtype=torch.float64))
        self.thickness, self.alpha, self.dmi = film.grid.dz, model.damping, tables.dmi
        self.moment = 2 * tables.magnetisation
        self.prefactor = GYROMAGNETIC_RATIO / (1 + self.alpha**2)
        sign = -1.0 if film.material.dmi < 0 else 1.0
        self.field_per_current = sign * p.drive_factor * math.pi / 2 * SpinOrbitTorque.field_per_current(film)
        self.field_like = film.material.field_like_ratio
        heat = self.alpha * BOLTZMANN * temperature
        self.noise = math.sqrt(heat / (GYROMAGNETIC_RATIO * tables.magnetisation * self.thickness * dt))
        self.by_level = torch.stack((tables.wall_width, tables.neel), dim=-1)
        # U' and W' hold between two places, W is taken in the middle; one row for each level, device and interval, with
        # its right neighbour's values, so that a replica reads what it needs in one go.
        force, widening = torch.diff(tables.energy, dim=2) / self.thickness, torch.diff(tables.width, dim=2)
        middle = 0.5 * (tables.width[..., 1:] + tables.width[..., :-1])
        own = torch.stack((force / SPACING, widening / SPACING, middle), dim=-1)
        self.intervals = own.shape[2]
        self.table = torch.cat((own, torch.cat((own[:, :, 1:], own[:, :, -1:]), dim=2)), dim=-1).flatten(0, 2)
        devices = own.shape[1]
        which = torch.arange(replicas) if film.device_of_replica is None else film.device_of_replica
        self.device = which if devices > 1 else torch.zeros_like(which)
        self.track_width, self.twist = tables.track_width[self.device], tables.twist_factor
        self.row_of_level = devices * self.intervals
        self.row_of_replica = self.device * self.intervals

    def inputs(self, times: Float[Tensor, " time"]) -> list[_Inputs]:
        """The drive at these times."""
        current = self.drive.waveform("current_density")(times).expand(-1, self.replicas)
        change = self.drive.waveform("gate_voltage")(times).expand(-1, self.replicas) * self.per_volt
        level = (change - self.lowest) / self.spacing
        below = level.floor().clamp(0, self.levels - 2)
        share = level - below
        index = below.long()
        low, high = self.by_level[index, self.device], self.by_level[index + 1, self.device]
        delta, neel = torch.lerp(low, high, share[..., None]).unbind(-1)
        along = self.field_per_current * current
        row = index * self.row_of_level + self.row_of_replica
        return [
            _Inputs(*parts) for parts in zip(row, share, along, delta, neel, 1 / (self.moment * delta), strict=True)
        ]

    def local(self, q: Float[Tensor, " replica"], now: _Inputs) -> tuple[Tensor, Tensor, Tensor]:
        """U'/t in J/m², W' and W (m) at each replica's place."""
        place = (q / SPACING - 0.5).clamp(0.0, self.intervals - 1.0)
        left = place.floor()
        row = now.row + left.long()
        low, high = self.table.index_select(0, row), self.table.index_select(0, row + self.row_of_level)
        both = torch.lerp(low, high, now.share[:, None])
        here = torch.lerp(both[:, :3], both[:, 3:], (place - left)[:, None])
        return here[:, 0], here[:, 1], here[:, 2]

    def rates(
        self,
        here: tuple[Tensor, Tensor, Tensor],
        psi: Float[Tensor, " replica"],
        now: _Inputs,
        noise: Float[Tensor, "2 replica"] | None,
    ) -> tuple[Float[Tensor, " replica"], Float[Tensor, " replica"]]:
        """dq/dt in m/s and dpsi/dt in rad/s; ``here`` is from :meth:`local`, ``noise`` the thermal fields in T."""
        force, widening, width = here
        cosine, sine = torch.cos(psi), torch.sin(psi)
        twist = self.twist * (self.dmi * (1 - cosine) - now.neel * (sine * sine))
        along = now.along * cosine
        turning = (self.dmi - 2 * now.neel * cosine) * sine * now.stiffness
        if self.twist != 1:
            turning = turning * (self.twist + (1 - self.twist) * self.track_width / width)
        if self.field_like != 0:
            turning = turning - self.field_like * along
            twist = twist - self.field_like * now.along * sine / now.stiffness
        along = along - (force + twist * widening) / (self.moment * width)
        if noise is not None:
            along, turning = along + noise[0], turning + noise[1]
        return (
            self.prefactor * now.delta * torch.add(turning, along, alpha=self.alpha),
            self.prefactor * torch.sub(along, turning, alpha=self.alpha),
        )

    def heun(
        self,
        q: Float[Tensor, " replica"],
        psi: Float[Tensor, " replica"],
        before: _Inputs,
        after: _Inputs,
        generator: torch.Generator | None,
    ) -> tuple[Float[Tensor, " replica"], Float[Tensor, " replica"]]:
        """One step of Heun's method; both stages have the same thermal fields, as strong as where it begins (Itô)."""
        here = self.local(q, before)
        noise = None
        if self.noise > 0:
            noise = torch.randn((2, self.replicas), dtype=torch.float64, generator=generator)
            noise = noise * (self.noise / torch.sqrt(before.delta * here[2]))
        dq, dpsi = self.rates(here, psi, before, noise)
        then = self.local(q + self.dt * dq, after)
        dq2, dpsi2 = self.rates(then, psi + self.dt * dpsi, after, noise)
        return q + 0.5 * self.dt * (dq + dq2), psi + 0.5 * self.dt * (dpsi + dpsi2)
