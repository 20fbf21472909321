"""The micromagnetic ensemble in compiled code, for CPUs."""

from barkhausen.micromagnetics.compiled.kernel import (
    DRIVES,
    LANES,
    MAPPED_DRIVES,
    LaneEnsemble,
    LaneMaps,
    LaneProblem,
    Outcome,
    available,
    unavailable_reason,
    variant,
)

__all__ = [
    "DRIVES",
    "LANES",
    "MAPPED_DRIVES",
    "LaneEnsemble",
    "LaneMaps",
    "LaneProblem",
    "Outcome",
    "available",
    "unavailable_reason",
    "variant",
]
