"""Integration of the magnetisation in time, and relaxation to an equilibrium."""

from barkhausen.micromagnetics.integrators.base import Stepper
from barkhausen.micromagnetics.integrators.compiled_heun import CompiledHeun
from barkhausen.micromagnetics.integrators.dormand_prince import DormandPrince
from barkhausen.micromagnetics.integrators.guard import NORM_LIMIT, IntegrationError
from barkhausen.micromagnetics.integrators.heun import Heun
from barkhausen.micromagnetics.integrators.relax import NotConvergedError, largest_torque, minimize, relax
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, advise_step

__all__ = [
    "NORM_LIMIT",
    "CompiledHeun",
    "DormandPrince",
    "Heun",
    "IntegrationError",
    "NotConvergedError",
    "StepAdvice",
    "Stepper",
    "advise_step",
    "largest_torque",
    "minimize",
    "relax",
]
