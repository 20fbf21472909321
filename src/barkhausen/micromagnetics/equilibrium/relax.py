"""Rest by damped motion."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.equilibrium.damped_motion import DampedMotion
from barkhausen.micromagnetics.equilibrium.minimize import descend
from barkhausen.micromagnetics.equilibrium.rest import (
    TORQUE,
    Counted,
    ExhaustedError,
    NotConvergedError,
    OnMaximum,
    acting_torques,
    check_on_maximum,
    check_torque,
    largest_torque,
    settled,
)
from barkhausen.micromagnetics.system import System

NEAR_REST = 2e-2
"""Largest |m × B| in T at which damped motion has chosen its minimum."""

FIRST_INTERVAL, GROWTH = 1e-11, 1.5
"""Damped motion in s before the torque is looked at for the first time, and how much longer each next interval is."""

FIRST_TRY = 300
"""Iterations of the first descent; each that fails doubles those of the next."""


@checks_arguments("System")
def relax(
    system: System,
    m: Float[Tensor, "replica 3 nx ny"],
    *,
    torque: float = TORQUE,
    time: float = 0.0,
    longest: float = 1e-6,
    evaluations: int = 10_000,
    on_maximum: OnMaximum = "warn",
    seed: int = 0,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Let the magnetisation come to rest by damping alone (no precession), as mumax3's ``Relax()``.

    Damped motion decides which minimum it comes to. Once all torques are small and fall, a descent as :func:`minimize`
    makes covers the last, slow part of the way, if it leads down. One that fails is tried again, twice as long, when as
    many evaluations have been made as up to its end.

    Args:
        system: Film, terms and drive; the drive is held at its value at ``time``.
        m: Initial magnetisation.
        torque: Largest |m × B| in T at which a cell counts as at rest.
        time: Time of the drive in s.
        longest: Limit of the simulated time in s.
        evaluations: Limit of the number of field evaluations.
        on_maximum: What to do with a state at rest that is a maximum or saddle of the energy: ``warn``, ``perturb``
            or ``ignore``, as for :func:`minimize`.
        seed: Seed of the perturbation, which chooses its side.

    Raises:
        InputError: A torque acts that derives from no energy (a current at ``time``), an unknown ``on_maximum``, or no
            evaluations.
        NotConvergedError: The magnetisation is not at rest after ``longest`` or that many field evaluations.
    """
    check_on_maximum(on_maximum)
    check_torque(torque)
    if evaluations < 1:
        raise InputError(f"evaluations = {evaluations}: must be 1 or more")
    inputs = system.inputs(time)
    acting = acting_torques(system, inputs)
    if acting:
        raise InputError(
            f"relax: at t = {time:g} s a current acts through {' and '.join(acting)}, a torque that derives from no "
            "energy, so that there may be no rest; integrate in time (simulate), or relax while the current is off"
        )

    def to_rest(start: Tensor) -> Tensor:
        counted = Counted(system, inputs, evaluations)
        return _Way(counted, start, torque).to_rest(longest)

    return settled(to_rest, system, m, time=time, on_maximum=on_maximum, seed=seed, name="relax")


class _Way:
    """Way to the state at rest that damped motion leads to, of whatever curvature."""

    def __init__(self, system: Counted, m: Tensor, torque: float) -> None:
        self.system, self.torque = system, torque
        self.stepper = DampedMotion(system, m, tolerance=1e-4)
        self.elapsed, self.rest = 0.0, float("inf")
        self.tries, self.tried_at = FIRST_TRY, 0

    def to_rest(self, longest: float) -> Tensor:
        """The state at rest."""
        interval = FIRST_INTERVAL
        try:
            while self.elapsed < longest:
                self.stepper.advance(interval)
                self.elapsed += interval
                before, self.rest = self.rest, float(largest_torque(self.system, self.stepper.m).max())
                if self.rest < self.torque:
                    return self.stepper.m
                # A torque that still grows belongs to a state that leaves a maximum.
                waited = self.system.evaluations >= 2 * self.tried_at
                if self.rest < NEAR_REST and self.rest < before and waited:
                    polished = self._polished()
                    if polished is not None:
                        return polished
                # Where the error control alone limits the descent it dithers at its own tolerance.
                self.stepper.tolerance = max(1e-9, min(self.stepper.tolerance, 1e-2 * self.rest))
                interval *= GROWTH
        except ExhaustedError:
            pass
        raise NotConvergedError(
            f"relax: largest torque is {self.rest:.3g} T after {self.system.evaluations} field evaluations "
            f"({self.elapsed:.3g} s of damped motion), wanted {self.torque:g} T"
        )

    def _polished(self) -> Tensor | None:
        """The state at rest that a descent of limited length leads to, if it leads down."""
        m, system = self.stepper.m, self.system
        try:
            polished = descend(system, m, torque=self.torque, time=0.0, iterations=self.tries)
        except NotConvergedError:
            self.tries *= 2
            polished = None
        self.tried_at = system.evaluations
        return polished if polished is not None and bool((system.energy(polished) <= system.energy(m)).all()) else None
