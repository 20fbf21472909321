"""Adaptive embedded Runge-Kutta method for zero temperature: Dormand and Prince, order 5(4)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.integrators.base import Stepper, check_stepper_state, check_stepping
from barkhausen.micromagnetics.integrators.guard import IntegrationError
from barkhausen.micromagnetics.integrators.step_size import check_span
from barkhausen.micromagnetics.system import System

NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
"""Fifth- minus fourth-order weights (Dormand and Prince, J. Comput. Appl. Math. 6, 19 (1980))."""

SMALLEST_STEP = 1e-22
"""Below this (s) the error control has failed."""


class DormandPrince(Stepper):
    """One step size for the batch, chosen so that no cell of any replica errs by more than ``tolerance`` a step.

    Args:
        system: Film, terms and drive of the batch.
        m: Initial magnetisation, ``[replica, 3, nx, ny]``.
        tolerance: Largest local error of m in one step (mumax3's ``MaxErr``).
        step: First step to try, in s.
        replicas: Numbers of the replicas in the ensemble, for messages.

    Raises:
        InputError: The tolerance is not between 0 and 1, or another argument is wrong.
    """

    @checks_arguments("System")
    def __init__(
        self,
        system: System,
        m: Float[Tensor, "replica 3 nx ny"],
        *,
        tolerance: float = 1e-5,
        step: float = 1e-14,
        replicas: Int[Tensor, " replica"] | None = None,
    ) -> None:
        if not 0 < tolerance < 1:
            raise InputError(f"tolerance = {tolerance}: must lie between 0 and 1")
        check_stepping(system, step, replicas=replicas, name="step")
        self.system, self.tolerance = system, tolerance
        self._m = system.start(m)
        self._step = step
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        self._empty = None if system.film.fill is None else (system.film.fill == 0).to(system.dtype)
        self.evaluations = 0

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Current magnetisation."""
        return self._m

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, landing on ``stop`` exactly."""
        check_span(start, stop)
        time = start
        slopes: list[Tensor] = []
        while stop - time > 1e-9 * self._step:
            step = min(self._step, stop - time)
            if not slopes:
                slopes = [self._slope(self._m, time)]
            proposal, error = self._attempt(time, step, slopes)
            ratio = error / self.tolerance
            if math.isnan(ratio) or step < SMALLEST_STEP:
                self._give_up(time, step)
            if ratio <= 1.0:
                time = stop if step == stop - time else time + step
                self._m = proposal
                slopes = []
            else:
                slopes = slopes[:1]
            factor = min(3.0, max(0.2, 0.9 * ratio**-0.2)) if ratio > 0 else 3.0
            # A step cut short to land on ``stop`` says nothing against a longer one.
            if ratio > 1.0 or step == self._step or factor * step > self._step:
                self._step = factor * step

    def _attempt(self, time: float, step: float, slopes: list[Tensor]) -> tuple[Tensor, float]:
        at = self._m
        for node, weights in zip(NODES[1:], STAGES[1:], strict=True):
            at = self._m.clone()
            for weight, slope in zip(weights, slopes, strict=True):
                if weight:
                    at.add_(slope, alpha=step * weight)
            slopes.append(self._slope(at, time + node * step))
        # The last stage was taken at the fifth-order solution.
        square = torch.linalg.vecdot(at, at, dim=1)
        if self._empty is not None:
            square = square + self._empty
        proposal = at * square.rsqrt()[:, None]
        error = torch.zeros_like(at)
        for weight, slope in zip(ERROR, slopes, strict=True):
            if weight:
                error.add_(slope, alpha=step * weight)
        return proposal, float(torch.linalg.vector_norm(error, dim=1).max())

    def _slope(self, m: Tensor, time: float) -> Tensor:
        self.evaluations += 1
        return self.system.rate(m, self.system.field(m, time))

    def _give_up(self, time: float, step: float) -> None:
        finite = torch.isfinite(self._slope(self._m, time)).flatten(1).all(1)
        row = int(torch.nonzero(~finite)[0]) if not bool(finite.all()) else 0
        replica = int(self.replicas[row // self.system.film.layer_count])
        raise IntegrationError(replica, time, math.nan if step >= SMALLEST_STEP else math.inf, None)

    def take_film(self) -> bool:
        """Nothing is kept of what may change."""
        return True

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation and the step to try next."""
        return {"m": self._m.cpu(), "step": torch.tensor([self._step], dtype=torch.float64)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        check_stepper_state(state, {"m": tuple(self._m.shape), "step": None})
        self._m = state["m"].to(self.system.device, self.system.dtype, copy=True)
        self._step = float(state["step"])
