"""Stochastic Heun method in the compiled kernel: CPU, float32, replicas as lanes of the vector unit."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError, warn
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.base import Stepper
from barkhausen.micromagnetics.integrators.guard import NORM_LIMIT, IntegrationError
from barkhausen.micromagnetics.integrators.lane_maps import lane_maps, needs_maps, of_lanes
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, step_times, whole_steps
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import (
    COMPILED,
    Demag,
    Exchange,
    InterfacialDMI,
    SpinOrbitTorque,
    Term,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
    thermal_amplitude,
)

LEAST_DAMPING = 1e-4
"""Damping below which rounding shows in the kernel: at 1e-13 s in 0.1 T it is 0.3 % off at 1e-4 and 19 % at 1e-5."""

TABLE_STEPS = 512
"""Steps for which the drive is tabulated, and after which Ctrl-C is heard."""


def why_not(
    terms: tuple[Term, ...], dtype: torch.dtype, device: torch.device | str, film: Film | None = None
) -> str | None:
    """Why the compiled kernel cannot compute this, or ``None`` if it can."""
    if not compiled.available():
        return compiled.unavailable_reason()
    if torch.device(device).type != "cpu":
        return f"it runs on the CPU, not on {device}"
    if dtype != torch.float32:
        return f"it computes in float32, not in {str(dtype).removeprefix('torch.')}"
    for term in terms:
        if type(term) not in COMPILED:
            return f"it does not know the term {type(term).__name__}"
    kinds = [type(term) for term in terms]
    if len(set(kinds)) < len(kinds):
        return "it takes each term once"
    return None if film is None else _why_not_film(film)


def _why_not_film(film: Film) -> str | None:
    """Why the compiled kernel cannot compute this film, or ``None`` if it can."""
    if film.layer_count > 1:
        return "it computes single films, not stacks"
    return "it computes films with free edges, not periodic ones" if any(film.grid.periodic) else None


class CompiledHeun(Stepper):
    """As :class:`~barkhausen.micromagnetics.integrators.heun.Heun`, to rounding, with noise of its own.

    Each replica has its own random stream, seeded from the ensemble's seed and its number, so that it moves to the
    same last bit whatever it shares a vector, a thread or a chunk with.

    Args:
        system: Film, terms and drive of the batch; float32 on the CPU.
        m: Initial magnetisation, ``[replica, 3, nx, ny]``.
        dt: Time step in s.
        temperature: Temperature in K, one for all replicas or one for each.
        seed: Seed of the ensemble.
        replicas: Numbers of these replicas in the ensemble; default 0, 1, …
        advice: Advice on the step, for error messages.
        threads: Number of threads.

    Raises:
        InputError: The kernel is missing or cannot compute these terms.
    """

    def __init__(
        self,
        system: System,
        m: Float[Tensor, "replica 3 nx ny"],
        *,
        dt: float,
        temperature: float | Float[Tensor, " replica"] = 0.0,
        seed: int = 0,
        replicas: Int[Tensor, " replica"] | None = None,
        advice: StepAdvice | None = None,
        threads: int | None = None,
    ) -> None:
        reason = why_not(system.terms, system.dtype, system.device, system.film)
        if reason is not None:
            raise InputError(f"the compiled kernel cannot be used: {reason}")
        damping = float(torch.as_tensor(system.film.damping).min())
        if damping < LEAST_DAMPING:
            warn(
                f"damping = {damping:g}: the compiled kernel rounds to float32, which changes "
                f"damping by some 1e-6; take backend = 'torch', which makes up for it"
            )
        self.system, self.dt, self.advice = system, dt, advice
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        self._lanes = compiled.LaneEnsemble(
            lane_problem(system), system.replicas, torch.get_num_threads() if threads is None else threads
        )
        self._lanes.set_magnetisation(m.expand(system.replicas, -1, -1, -1).numpy())
        self._lanes.seed(seed, self.replicas.numpy())
        self._constant: tuple[Tensor, np.ndarray] | None = None
        self.set_temperature(temperature)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        if isinstance(temperature, Tensor):
            amplitude = thermal_amplitude(self.system.film, 1.0, self.dt) * temperature.sqrt()
            self._thermal = np.broadcast_to(amplitude.numpy(), (self.system.replicas,))
        else:
            self._thermal = np.full(self.system.replicas, thermal_amplitude(self.system.film, temperature, self.dt))

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Copy of the current magnetisation."""
        return torch.from_numpy(self._lanes.magnetisation())

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, a whole number of steps apart."""
        steps = whole_steps(start, stop, self.dt)
        for first in range(0, steps, TABLE_STEPS):
            count = min(TABLE_STEPS, steps - first)
            drive = self._lane_drive(start, first, count + 1)
            outcome = self._lanes.advance(self.dt, self._thermal, drive, norm_limit=NORM_LIMIT)
            failed = np.flatnonzero(outcome.failed_step >= 0)
            if len(failed):
                worst = failed[np.argmin(outcome.failed_step[failed])]
                time = start + (first + int(outcome.failed_step[worst])) * self.dt
                deviation = float(outcome.deviation[worst])
                raise IntegrationError(
                    int(self.replicas[worst]), time, deviation if math.isfinite(deviation) else math.nan, self.advice
                )

    def take_film(self) -> bool:
        """Write the film's anisotropy to where the kernel reads it, if it fits there."""
        if self.system.film.easy_axis is not None:
            return False
        return self._lanes.set_anisotropy(*lane_anisotropy(self.system))

    def _lane_drive(self, start: float, first: int, count: int) -> np.ndarray:
        """The drive at these steps; that of a constant drive is kept for as long as it acts."""
        constant = self.system.drive.constant
        if constant is None:
            return lane_drive(self.system, step_times(start, first, count, self.dt))
        if self._constant is None or self._constant[0] is not constant:
            self._constant = constant, lane_drive(self.system, step_times(start, first, 1, self.dt))
        return np.broadcast_to(self._constant[1], (count, *self._constant[1].shape[1:]))

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation and random state."""
        return {"m": self.m, "random": torch.from_numpy(self._lanes.rng_state().astype(np.int64))}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        self._lanes.set_magnetisation(state["m"].numpy())
        self._lanes.set_rng_state(state["random"].numpy().astype(np.uint32))


def lane_problem(system: System) -> compiled.LaneProblem:
    """The constants of a system as the kernel takes them."""
    film, terms = system.film, {type(term): term for term in system.terms}
    grid, material = film.grid, film.material
    per_moment = 1.0 / material.saturation_magnetisation
    exchange = 2 * material.exchange_stiffness * per_moment if Exchange in terms else 0.0
    dmi = material.dmi * per_moment if InterfacialDMI in terms else 0.0
    anisotropy, anisotropy_x = lane_anisotropy(system)
    torque, maps = terms.get(SpinOrbitTorque), lane_maps(system)
    sigma = torque.polarisation if isinstance(torque, SpinOrbitTorque) else (0.0, -1.0, 0.0)
    return compiled.LaneProblem(
        nx=grid.nx,
        ny=grid.ny,
        exchange=(exchange / grid.dx**2, exchange / grid.dy**2),
        dmi=(dmi / grid.dx, dmi / grid.dy),
        anisotropy=anisotropy,
        gate_profile=None if system.gate_profile is None else system.gate_profile.to(torch.float64).numpy(),
        fill=None if film.fill is None else of_lanes(film.fill),
        demag=film.demag_kernel.numpy() if Demag in terms else None,
        damping=material.damping,
        # With maps, the current of each cell has its direction.
        polarisation=sigma if maps is not None else _turned(sigma, system.drive.current_direction),
        non_adiabaticity=material.non_adiabaticity,
        cell_x=grid.dx,
        anisotropy_x=anisotropy_x,
        maps=maps,
        transfers=ZhangLi in terms,
    )


def _turned(sigma: tuple[float, float, float], current: tuple[float, float]) -> tuple[float, float, float]:
    """Polarisation for a current in another direction of the film than x."""
    (px, py, pz), (x, y) = sigma, current
    return (x * px - y * py, y * px + x * py, pz) if current != (1.0, 0.0) else sigma


def lane_anisotropy(system: System) -> tuple[np.ndarray, np.ndarray | None]:
    """Anisotropy fields along z and along x of a system as the kernel takes them, shapes of cut cells included.

    With an easy axis other than z the first is along it, and :func:`.lane_maps` adds the shape's part along z.
    """
    film, kinds = system.film, {type(term) for term in system.terms}
    anisotropy = film.anisotropy_field if UniaxialAnisotropy in kinds else film.full(0.0, 1, 1, 1)
    if film.edge_field is None or Demag not in kinds:
        return of_lanes(anisotropy), None
    along_z = anisotropy if film.easy_axis is not None else anisotropy + film.edge_field[1]
    return of_lanes(along_z), of_lanes(film.edge_field[0])


def lane_drive(system: System, times: Float[Tensor, " time"]) -> np.ndarray:
    """The drive at these times as the kernel takes it, ``[time, 7, replica]``, or 9 with maps or a local field.

    Columns: B_DL, B_FL, change of 2 Ku/Ms, B_x, B_y, B_z (all T), drift velocity u (m/s); strength of the local field,
    factor of the thermal field.
    """
    kinds, material = {type(term) for term in system.terms}, system.film.material
    rows = len(times)
    # A constant drive is one row.
    table = system.drive.table(times if system.drive.constant is None else times[:1], system.replicas)
    columns = compiled.MAPPED_DRIVES if needs_maps(system) else compiled.DRIVES
    out = torch.zeros(len(table), columns, system.replicas, dtype=torch.float64)
    if SpinOrbitTorque in kinds:
        out[:, 0] = SpinOrbitTorque.field_per_current(system.film) * table[:, 0]
        out[:, 1] = material.field_like_ratio * out[:, 0]
    if UniaxialAnisotropy in kinds:
        out[:, 2] = 2.0 / material.saturation_magnetisation * table[:, 5]
    if Zeeman in kinds:
        out[:, 3:6] = table[:, 2:5]
    if ZhangLi in kinds:
        out[:, 6] = ZhangLi.drift_per_current(material) * table[:, 1]
    if columns > compiled.DRIVES:
        out[:, 8] = 1.0
        if system.field_profile is not None:
            out[:, 7] = table[:, 6]
    return np.broadcast_to(out.to(torch.float32).numpy(), (rows, columns, system.replicas))
