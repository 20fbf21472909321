"""Equilibrium of the magnetisation: rest, descent of the energy, and whether a state at rest is a minimum."""

from barkhausen.micromagnetics.equilibrium.minimize import minimize
from barkhausen.micromagnetics.equilibrium.relax import relax
from barkhausen.micromagnetics.equilibrium.rest import NotConvergedError, largest_torque
from barkhausen.micromagnetics.equilibrium.stability import Stability, stability

__all__ = [
    "NotConvergedError",
    "Stability",
    "largest_torque",
    "minimize",
    "relax",
    "stability",
]
