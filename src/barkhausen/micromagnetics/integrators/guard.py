"""Check of the norm of the magnetisation, which stops a run whose integration breaks down."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import OutcomeError
from barkhausen.micromagnetics.integrators.step_size import StepAdvice

NORM_LIMIT = 0.5
"""Largest change of |m|² in one step, before m is normalised again. A turn by theta changes it by some theta⁴/4: this
is 1.2 rad in one step, which no longer follows the precession, and which noise does not do at a recommended step."""


class IntegrationError(OutcomeError):
    """Breakdown of the integration; the message names the replica, the time and the likely cause."""

    def __init__(self, replica: int, time: float, deviation: float, advice: StepAdvice | None) -> None:
        self.replica, self.time = replica, time
        what = (
            "the magnetisation is not a number"
            if math.isnan(deviation)
            else f"|m|² changed by {deviation:.2g} in one step (limit {NORM_LIMIT:g})"
        )
        cause = "reduce the step" if advice is None else advice.likely_cause()
        super().__init__(f"replica {replica} at t = {time:.6g} s: {what}; likely cause: {cause}")


def check_norm(
    deviation: Float[Tensor, " replica"],
    replicas: Int[Tensor, " replica"],
    time: float,
    advice: StepAdvice | None,
) -> None:
    """Raise :class:`IntegrationError` for the first replica whose norm deviates too far or is NaN.

    Args:
        deviation: Largest | |m|² − 1 | of each replica since the last check.
        replicas: Numbers of the replicas in the ensemble.
        time: Time in s.
        advice: Advice on the step in use, for the likely cause.
    """
    bad = ~(deviation <= NORM_LIMIT)
    if bool(bad.any()):
        first = int(torch.nonzero(bad)[0])
        raise IntegrationError(int(replicas[first]), time, float(deviation[first]), advice)
