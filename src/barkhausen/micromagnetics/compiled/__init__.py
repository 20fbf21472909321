"""The micromagnetic ensemble in compiled code, for CPUs."""

from barkhausen.micromagnetics.compiled.kernel import (
    LANES,
    LaneEnsemble,
    LaneProblem,
    Outcome,
    available,
    unavailable_reason,
    variant,
)

__all__ = ["LANES", "LaneEnsemble", "LaneProblem", "Outcome", "available", "unavailable_reason", "variant"]
