"""Integration of the magnetisation in time."""

import importlib
from typing import Any

from barkhausen.core.renamed import deprecated
from barkhausen.micromagnetics.integrators.base import Stepper
from barkhausen.micromagnetics.integrators.compiled_heun import CompiledHeun
from barkhausen.micromagnetics.integrators.compiled_splitting import CompiledSplitting
from barkhausen.micromagnetics.integrators.dormand_prince import DormandPrince
from barkhausen.micromagnetics.integrators.guard import NORM_LIMIT, IntegrationError
from barkhausen.micromagnetics.integrators.heun import Heun
from barkhausen.micromagnetics.integrators.splitting import Splitting
from barkhausen.micromagnetics.integrators.splitting_step import SplittingAdvice, advise_splitting_step
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, advise_step

MOVED = ("NotConvergedError", "largest_torque", "minimize", "relax")
"""Names that were here before :mod:`barkhausen.micromagnetics.equilibrium`."""

__all__ = [
    "NORM_LIMIT",
    "CompiledHeun",
    "CompiledSplitting",
    "DormandPrince",
    "Heun",
    "IntegrationError",
    "Splitting",
    "SplittingAdvice",
    "StepAdvice",
    "Stepper",
    "advise_splitting_step",
    "advise_step",
]


def __getattr__(name: str) -> Any:
    if name not in MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "barkhausen.micromagnetics.equilibrium"
    deprecated(f"{__name__}.{name}", f"{home}.{name}")
    return getattr(importlib.import_module(home), name)
