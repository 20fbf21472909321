"""Time step of the stochastic Heun method for a cell size and a material."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.terms.spin_orbit_torque import SpinOrbitTorque
from barkhausen.micromagnetics.terms.thermal import thermal_amplitude

HEATING = 0.1
"""Largest relative excess of the temperature of the stiffest mode at the recommended step. The excess grows with the
cube of the frequency, so that the mean over all modes of a square lattice held by exchange is 14/64 of it."""


ROTATION = 0.2
"""Largest typical rotation (rad) of the least filled cell by thermal noise in a recommended step. A turn of 1.2 rad,
which would stop the run, is then one in 10^15."""


@dataclass(frozen=True)
class StepAdvice:
    """Limits of the time step, and the verdict on the step in use. Times in s, fields in T.

    In the linear regime a mode of angular frequency omega is multiplied in one Heun step by R(z) = 1 + z + z²/2,
    z = (i − alpha) omega dt. |R| < 1 needs (omega dt)³ < 8 alpha to leading order: without damping the method has no
    stable step. Below that, a mode's thermal variance comes out too large by 1/(1 − (omega dt)³/(8 alpha)).
    """

    dt: float
    stiffest_field: float
    """Field that the stiffest mode (a checkerboard, held by exchange, anisotropy and demagnetisation) precesses in."""
    drive_field: float
    """Largest field of the drive."""
    damping: float
    thermal_rotation: float
    """Typical rotation (rad) of the least filled cell by the thermal field in one step; 0 at zero temperature."""

    @property
    def frequency(self) -> float:
        """Angular frequency of the stiffest mode in rad/s."""
        return GYROMAGNETIC_RATIO * (self.stiffest_field + self.drive_field) / (1 + self.damping**2)

    @property
    def stable(self) -> float:
        """Longest stable step: the largest dt with |R(z)| <= 1."""
        low, high = 0.0, 4.0 / (self.damping + 1e-3)
        for _ in range(80):
            middle = 0.5 * (low + high)
            if self._growth(middle) <= 1.0:
                low = middle
            else:
                high = middle
        return low / self.frequency

    def _growth(self, phase: float) -> float:
        z = complex(-self.damping * phase, phase)
        return float(abs(1 + z + z * z / 2))

    @property
    def recommended(self) -> float:
        """Longest step that keeps to :data:`HEATING` and :data:`ROTATION`, two digits, rounded down."""
        longest = (8 * self.damping * HEATING / (1 + HEATING)) ** (1 / 3) / self.frequency
        longest = min(longest, 0.5 * self.stable)
        if self.thermal_rotation > 0:
            # The rotation grows with the root of the step.
            longest = min(longest, self.dt * (ROTATION / self.thermal_rotation) ** 2)
        if not (math.isfinite(longest) and longest > 1e-30):
            raise InputError(
                f"film and drive: precession at {self.frequency / (2 * math.pi):.1g} Hz has no possible time step; "
                "are all units SI?"
            )
        digit = 10.0 ** (math.floor(math.log10(longest)) - 1)
        return float(f"{math.floor(longest / digit) * digit:.1e}")

    @property
    def heating(self) -> float:
        """Relative excess of the temperature of the stiffest mode at this step; infinite if it is unstable."""
        share = (self.frequency * self.dt) ** 3 / (8 * self.damping)
        return share / (1 - share) if share < 1 else math.inf

    @property
    def verdict(self) -> str:
        """One line: fine, too hot, or unstable, and what to do."""
        if self.dt > self.stable:
            return f"dt = {self.dt:g} s is unstable (limit {self.stable:.3g} s): use {self.recommended:g} s"
        if self.dt > self.recommended * (1 + 1e-9):
            too_hot = f"makes the stiffest mode {100 * self.heating:.0f} % too hot"
            if self.heating <= HEATING * (1 + 1e-9):
                too_hot = f"lets noise turn the least filled cell by {self.thermal_rotation:.2g} rad a step"
            return (
                f"dt = {self.dt:g} s is stable (limit {self.stable:.3g} s) but {too_hot}: "
                f"{self.recommended:g} s is recommended"
            )
        return f"dt = {self.dt:g} s is fine (stable to {self.stable:.3g} s, recommended {self.recommended:g} s)"

    def likely_cause(self) -> str:
        """Likely cause of a breakdown with this step."""
        if self.dt > self.stable:
            return f"the step is too long for this cell and material; {self.verdict}"
        if GYROMAGNETIC_RATIO * self.drive_field * self.dt > 0.3:
            return f"the drive reaches {self.drive_field:.3g} T, too much for dt = {self.dt:g} s"
        if self.thermal_rotation > 0.3:
            return (
                f"thermal noise turns a cell by {self.thermal_rotation:.2g} rad a step; reduce dt = {self.dt:g} s or "
                "enlarge the cells"
            )
        return f"unknown, since dt = {self.dt:g} s should do; try half of it, and float64"


def advise_step(
    film: Film, drive: Drive | None = None, *, temperature: float = 0.0, dt: float | None = None
) -> StepAdvice:
    """Advice on the time step for a film.

    Args:
        film: Grid, material and family of devices.
        drive: Drive of the film.
        temperature: Temperature in K.
        dt: Step to judge in s. Default: the recommended one.

    Raises:
        InputError: A step that is not positive.
    """
    if dt is not None and not (math.isfinite(dt) and dt > 0):
        raise InputError(f"dt = {dt}: must be a positive time in s")
    material, grid = film.material, film.grid
    exchange = sum(1 / step**2 for cells, step in ((grid.nx, grid.dx), (grid.ny, grid.dy)) if cells > 1)
    field = 8 * material.exchange_stiffness / material.saturation_magnetisation * exchange
    # Anisotropy holds a film magnetised out of the plane, demagnetisation one in the plane, never both; the DMI, odd in
    # the wave vector, does not act on a checkerboard.
    field += max(float(film.anisotropy_field.abs().max()), VACUUM_PERMEABILITY * material.saturation_magnetisation)
    driven = 0.0
    if drive is not None:
        largest = {name: float(wave.values.abs().max()) for name, wave in drive.waveforms.items()}
        driven += math.hypot(*(largest[f"field_{axis}"] for axis in "xyz"))
        torque = SpinOrbitTorque.field_per_current(film) * largest["current_density"]
        driven += abs(torque) * (1 + abs(material.field_like_ratio))
        if drive.gate is not None:
            peak = 1.0 if drive.gate_profile is None else float(drive.gate_profile.abs().max())
            change = abs(drive.gate.anisotropy_per_volt) * largest["gate_voltage"] * peak
            driven += 2 * change / material.saturation_magnetisation
    smallest = 1.0 if film.fill is None else float(film.fill[film.fill > 0].min())

    def judged(step: float) -> StepAdvice:
        rotation = 0.0
        if temperature > 0:
            sigma = thermal_amplitude(film, temperature, step) / math.sqrt(smallest)
            rotation = GYROMAGNETIC_RATIO * sigma * step * math.sqrt(2.0)
        return StepAdvice(step, field, driven, material.damping, rotation)

    return judged(judged(1e-15).recommended if dt is None else dt)


def whole_steps(start: float, stop: float, dt: float) -> int:
    """Number of steps of ``dt`` from ``start`` to ``stop``.

    Raises:
        ValueError: The number is not whole.
    """
    steps = round((stop - start) / dt)
    if abs((stop - start) / dt - steps) > 1e-6 * max(1, steps) or steps < 0:
        raise ValueError(f"from {start:g} s to {stop:g} s is not a whole number of steps of {dt:g} s")
    return steps


def step_times(start: float, first: int, count: int, dt: float) -> torch.Tensor:
    """Times of ``count`` successive instants, the first after ``first`` steps; no error accumulates."""
    return start + torch.arange(first, first + count, dtype=torch.float64) * dt
