"""Quantities recorded while an ensemble runs."""

from barkhausen.micromagnetics.observables.base import Observable, check_observables
from barkhausen.micromagnetics.observables.energy import Energies, Energy
from barkhausen.micromagnetics.observables.junction import JunctionConductance
from barkhausen.micromagnetics.observables.magnetisation import MeanMagnetisation, PerpendicularMap
from barkhausen.micromagnetics.observables.motion import mean_velocity, velocity
from barkhausen.micromagnetics.observables.skyrmion import SkyrmionCount, SkyrmionPosition, SkyrmionRadius
from barkhausen.micromagnetics.observables.spectrum import LineProfile, dispersion, peak_frequency, ridge, spectrum
from barkhausen.micromagnetics.observables.texture import TEXTURES, Texture, classify
from barkhausen.micromagnetics.observables.topology import (
    TopologicalCharge,
    TopologicalDensity,
    topological_charge,
    topological_density,
)
from barkhausen.micromagnetics.observables.wall import WallAngle, WallCount, WallPosition, WallTilt

__all__ = [
    "TEXTURES",
    "Energies",
    "Energy",
    "JunctionConductance",
    "LineProfile",
    "MeanMagnetisation",
    "Observable",
    "PerpendicularMap",
    "SkyrmionCount",
    "SkyrmionPosition",
    "SkyrmionRadius",
    "Texture",
    "TopologicalCharge",
    "TopologicalDensity",
    "WallAngle",
    "WallCount",
    "WallPosition",
    "WallTilt",
    "check_observables",
    "classify",
    "default_observables",
    "dispersion",
    "mean_velocity",
    "peak_frequency",
    "ridge",
    "spectrum",
    "topological_charge",
    "topological_density",
    "velocity",
]


def default_observables() -> tuple[Observable, ...]:
    """Observables of a wall in a track: wall position, number of walls, tilt, angle and mean magnetisation."""
    return (WallPosition(), WallCount(), WallTilt(), WallAngle(), MeanMagnetisation())
