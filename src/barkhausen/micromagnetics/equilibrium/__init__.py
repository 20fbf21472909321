"""Equilibrium of the magnetisation: rest, descent of the energy, and whether a state at rest is a minimum."""

from barkhausen.micromagnetics.equilibrium.hysteresis import hysteresis
from barkhausen.micromagnetics.equilibrium.minimize import minimize
from barkhausen.micromagnetics.equilibrium.minimum_energy_path import minimum_energy_path
from barkhausen.micromagnetics.equilibrium.relax import relax
from barkhausen.micromagnetics.equilibrium.rest import NotConvergedError, largest_torque
from barkhausen.micromagnetics.equilibrium.stability import Stability, stability

__all__ = [
    "NotConvergedError",
    "Stability",
    "hysteresis",
    "largest_torque",
    "minimize",
    "minimum_energy_path",
    "relax",
    "stability",
]
