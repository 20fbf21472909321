"""Quantities recorded while an ensemble runs."""

from barkhausen.micromagnetics.observables.base import Observable, check_observables
from barkhausen.micromagnetics.observables.energy import Energy
from barkhausen.micromagnetics.observables.magnetisation import MeanMagnetisation, PerpendicularMap
from barkhausen.micromagnetics.observables.wall import WallAngle, WallCount, WallPosition, WallTilt

__all__ = [
    "Energy",
    "MeanMagnetisation",
    "Observable",
    "PerpendicularMap",
    "WallAngle",
    "WallCount",
    "WallPosition",
    "WallTilt",
    "check_observables",
    "default_observables",
]


def default_observables() -> tuple[Observable, ...]:
    """Observables of a wall in a track: wall position, number of walls, tilt, angle and mean magnetisation."""
    return (WallPosition(), WallCount(), WallTilt(), WallAngle(), MeanMagnetisation())
