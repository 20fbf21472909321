"""Check of the turns that a splitting makes, which stops a run whose step is too long for its fields."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import OutcomeError
from barkhausen.micromagnetics.integrators.guard import IntegrationError
from barkhausen.micromagnetics.integrators.step_size import StepAdvice

TURN_LIMIT = 2.0
"""Largest turn of a cell in rad in one step: half of a checkerboard's. At pi nothing would be followed any more."""


class TurnError(IntegrationError):
    """Breakdown of a splitting: a cell turned too far in one step, or the magnetisation is not a number."""

    def __init__(self, replica: int, time: float, turn: float, advice: StepAdvice | None) -> None:
        self.replica, self.time = replica, time
        what = (
            "the magnetisation is not a number"
            if math.isnan(turn)
            else f"a cell turned by {turn:.2g} rad in one step (limit {TURN_LIMIT:g})"
        )
        cause = "reduce the step" if advice is None else advice.likely_cause()
        OutcomeError.__init__(self, f"replica {replica} at t = {time:.6g} s: {what}; likely cause: {cause}")


def check_turn(
    square: Float[Tensor, " replica"], replicas: Int[Tensor, " replica"], time: float, advice: StepAdvice | None
) -> None:
    """Raise :class:`TurnError` for the first replica with a cell that turned too far or is NaN.

    Args:
        square: Square of the largest turn in rad of each replica since the last check.
        replicas: Numbers of the replicas in the ensemble.
        time: Time in s.
        advice: Advice on the step in use, for the likely cause.
    """
    bad = ~(square <= TURN_LIMIT**2)
    if bool(bad.any()):
        first = int(torch.nonzero(bad)[0])
        turn = math.sqrt(float(square[first])) if bool(square[first] >= 0) else math.nan
        raise TurnError(int(replicas[first]), time, turn, advice)
