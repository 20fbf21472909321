"""Time step of the stochastic Heun method for a cell size and a material."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real

import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.stiffness import stiffest_fields
from barkhausen.micromagnetics.terms import Term, terms_of
from barkhausen.micromagnetics.terms.thermal import thermal_amplitude

HEATING = 0.1
"""Largest relative excess of the temperature of the stiffest mode at the recommended step. The excess grows with the
cube of the frequency, so that the mean over all modes of a square lattice held by exchange is 14/64 of it."""


SMALLEST_FIELD = 1e-3
"""Field in T below which a film counts as held by it: nothing is asked of the step where nothing precesses."""

ROTATION = 0.2
"""Largest typical rotation (rad) of the least filled cell by thermal noise in a recommended step. A turn of 1.2 rad,
which would stop the run, is then one in 10^15."""


NO_DAMPING = (
    "damping = 0: explicit Heun has no stable step without damping; "
    "take integrator = 'splitting' or 'dormand-prince' at temperature = 0"
)
"""Message for a film without damping."""


@dataclass(frozen=True)
class StepAdvice:
    """Limits of the time step, and the verdict on the step in use. Times in s, fields in T.

    In the linear regime a mode of angular frequency omega is multiplied in one Heun step by R(z) = 1 + z + z²/2,
    z = (i − alpha) omega dt. |R| < 1 needs (omega dt)³ < 8 alpha to leading order: without damping the method has no
    stable step. Below that, a mode's thermal variance comes out too large by 1/(1 − (omega dt)³/(8 alpha)).
    """

    dt: float
    stiffest_field: float
    """Field that the stiffest mode (for exchange a checkerboard) precesses in, of all terms in use."""
    drive_field: float
    """Largest field of the drive."""
    damping: float
    thermal_rotation: float
    """Typical rotation (rad) of the least filled cell by the thermal field in one step; 0 at zero temperature."""

    @property
    def frequency(self) -> float:
        """Angular frequency of the stiffest mode in rad/s."""
        field = max(self.stiffest_field + self.drive_field, SMALLEST_FIELD)
        return GYROMAGNETIC_RATIO * field / (1 + self.damping**2)

    @property
    def stable(self) -> float:
        """Longest stable step: the largest dt with |R(z)| <= 1; 0 without damping."""
        if self.damping == 0:
            return 0.0
        return _longest_phase(self.damping) / self.frequency

    @property
    def recommended(self) -> float:
        """Longest step that keeps to :data:`HEATING` and :data:`ROTATION`, two digits, rounded down.

        Raises:
            InputError: There is none: no damping, or a precession beyond all bounds.
        """
        if self.damping == 0:
            raise InputError(NO_DAMPING)
        longest = (8 * self.damping * HEATING / (1 + HEATING)) ** (1 / 3) / self.frequency
        longest = min(longest, 0.5 * self.stable)
        return self._rounded(longest, ROTATION)

    def _rounded(self, longest: float, rotation: float) -> float:
        """Step in s of at most that length and that typical thermal rotation (rad), two digits, rounded down."""
        if self.thermal_rotation > 0:
            # The rotation grows with the root of the step.
            longest = min(longest, self.dt * (rotation / self.thermal_rotation) ** 2)
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
        if self.damping == 0:
            return math.inf
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


@cache
def _longest_phase(damping: float) -> float:
    """Largest omega dt with |R(z)| <= 1."""
    low, high = 0.0, 4.0 / (damping + 1e-3)
    for _ in range(80):
        middle = 0.5 * (low + high)
        z = complex(-damping * middle, middle)
        if abs(1 + z + z * z / 2) <= 1.0:
            low = middle
        else:
            high = middle
    return low


def advise_step(
    film: Film,
    drive: Drive | None = None,
    *,
    temperature: float = 0.0,
    dt: float | None = None,
    terms: Sequence[Term] | None = None,
) -> StepAdvice:
    """Advice on the time step for a film and the terms in use.

    Every term says what field its stiffest mode precesses in (:meth:`Term.stiffest_field`, :meth:`Term.driven_field`);
    for one that does not, it is estimated by power iterations.

    Args:
        film: Grid, material and family of devices.
        drive: Drive of the film.
        temperature: Temperature in K.
        dt: Step to judge in s. Default: the recommended one.
        terms: Terms of the effective field. Default: all terms that the material has constants for.

    Raises:
        InputError: A step that is not positive, or a film without damping, for which Heun's method has no stable step.
    """
    if dt is not None and not (math.isfinite(dt) and dt > 0):
        raise InputError(f"dt = {dt}: must be a positive time in s")
    terms = terms_of(film) if terms is None else terms
    field, driven = stiffest_fields(film, drive, terms)
    damping = film.damping if isinstance(film.damping, float) else float(film.damping.min())
    factor = 1.0 if film.thermal_factor is None else float(film.thermal_factor.max())

    def judged(step: float) -> StepAdvice:
        rotation = 0.0
        if temperature > 0:
            sigma = thermal_amplitude(film, temperature, step) * factor
            rotation = GYROMAGNETIC_RATIO * sigma * step * math.sqrt(2.0)
        return StepAdvice(step, field, driven, damping, rotation)

    return judged(judged(1e-15).recommended if dt is None else dt)


def check_span(start: float, stop: float) -> None:
    """Raise :class:`InputError` if two times in s are no numbers, not finite, or the second before the first."""
    if not (isinstance(start, Real) and isinstance(stop, Real) and -math.inf < start <= stop < math.inf):
        raise InputError(f"from {start!r} s to {stop!r} s: must be two times in s, the later one second")


def whole_steps(start: float, stop: float, dt: float) -> int:
    """Number of steps of ``dt`` from ``start`` to ``stop``.

    Raises:
        InputError: The number is not whole.
    """
    check_span(start, stop)
    steps = round((stop - start) / dt)
    if abs((stop - start) / dt - steps) > 1e-6 * max(1, steps):
        raise InputError(f"from {start:g} s to {stop:g} s is not a whole number of steps of {dt:g} s")
    return steps


def step_times(start: float, first: int, count: int, dt: float) -> torch.Tensor:
    """Times of ``count`` successive instants, the first after ``first`` steps; no error accumulates."""
    return start + torch.arange(first, first + count, dtype=torch.float64) * dt
