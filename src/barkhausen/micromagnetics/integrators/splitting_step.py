"""Time step of the splitting for a cell size and a material."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.step_size import SMALLEST_FIELD, StepAdvice, advise_step
from barkhausen.micromagnetics.integrators.stiffness import estimated_field
from barkhausen.micromagnetics.terms import Exchange, InterfacialDMI, Term, terms_of

EXCHANGE_PHASE = 1.4
"""Largest phase in rad of a checkerboard, held by exchange, in a recommended step. Exchange and DMI keep the energy at
any step; what is limited is what they do together with the other fields, whose error goes with the square of this."""

OTHER_PHASE = 0.25
"""Largest phase in rad in a recommended step in all other fields of the terms and in the drive."""

DAMPED_PHASE = 0.4
"""Largest product of the damping and the phase of the stiffest mode in a recommended step: relaxation and noise take
turns, which changes the temperature of a mode by a sixth of the square of a quarter of this."""

KICK = 0.3
"""Largest typical turn in rad of the least filled cell by thermal noise in a recommended step."""


@dataclass(frozen=True)
class SplittingAdvice(StepAdvice):
    """Limits of the time step of the splitting, and the verdict on the step in use. Times in s, fields in T.

    A mode of exchange alone is turned by exactly its phase omega dt, at any step: nothing grows. Beyond pi the phase
    is followed no more. With the other fields the error is of second order, without the factor 1/alpha that limits
    Heun's method.
    """

    exchange_field: float = 0.0
    """Part of the stiffest field that exchange and DMI hold."""

    @property
    def other_field(self) -> float:
        """All other fields and the drive."""
        return max(self.stiffest_field - self.exchange_field + self.drive_field, SMALLEST_FIELD)

    @property
    def stable(self) -> float:
        """Longest step that follows a checkerboard at all: a phase of pi."""
        return math.pi / self.frequency

    @property
    def recommended(self) -> float:
        """Longest step that keeps to the phases above and to :data:`KICK`, two digits, rounded down.

        Raises:
            InputError: A precession beyond all bounds.
        """
        rate = GYROMAGNETIC_RATIO / (1 + self.damping**2)
        longest = OTHER_PHASE / (rate * self.other_field)
        if self.exchange_field > 0:
            longest = min(longest, EXCHANGE_PHASE / (rate * self.exchange_field))
        if self.damping > 0:
            longest = min(longest, DAMPED_PHASE / (self.damping * self.frequency))
        longest = min(longest, 0.8 * self.stable)
        return self._rounded(longest, KICK)

    @property
    def heating(self) -> float:
        """0: no mode is heated by the splitting itself, as far as it is stable."""
        return 0.0 if self.dt <= self.stable else math.inf

    @property
    def verdict(self) -> str:
        """One line: fine, too long to be accurate, or too long altogether, and what to do."""
        if self.dt > self.stable:
            return (
                f"dt = {self.dt:g} s does not follow the film (limit {self.stable:.3g} s): use {self.recommended:g} s"
            )
        if self.dt > self.recommended * (1 + 1e-9):
            return (
                f"dt = {self.dt:g} s is stable (limit {self.stable:.3g} s) but not accurate: "
                f"{self.recommended:g} s is recommended"
            )
        return f"dt = {self.dt:g} s is fine (stable to {self.stable:.3g} s, recommended {self.recommended:g} s)"


def advise_splitting_step(
    film: Film,
    drive: Drive | None = None,
    *,
    temperature: float = 0.0,
    dt: float | None = None,
    terms: Sequence[Term] | None = None,
) -> SplittingAdvice:
    """Advice on the time step of the splitting for a film and the terms in use; arguments as of :func:`advise_step`.

    Raises:
        InputError: A step that is not positive.
    """
    terms = terms_of(film) if terms is None else terms
    # Any step: the advice for Heun's method may not exist (no damping).
    general = advise_step(film, drive, temperature=temperature, dt=1e-15 if dt is None else dt, terms=terms)
    exchange = 0.0
    for kind in (Exchange, InterfacialDMI):
        held = 0.0
        for term in terms:
            if type(term) is kind:
                field = term.stiffest_field(film)
                held += estimated_field(film, Drive() if drive is None else drive, term) if field is None else field
        exchange = max(exchange, held)

    def judged(advice: StepAdvice) -> SplittingAdvice:
        return SplittingAdvice(
            advice.dt, advice.stiffest_field, advice.drive_field, advice.damping, advice.thermal_rotation, exchange
        )

    advice = judged(general)
    if dt is None:
        step = advice.recommended
        advice = judged(advise_step(film, drive, temperature=temperature, dt=step, terms=terms))
    return advice
