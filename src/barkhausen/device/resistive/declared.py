"""Resistive devices whose states are declared: lognormal resistances from a parameter file, neither measured nor
simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field

from barkhausen.core.config import Count, NotNegative, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.statistics.lognormal import lognormal_moments

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_SIGMA = 2.0
"""Largest standard deviation of the logarithm of a resistance; conductances then vary by e² and more."""
REACH = 8.0
"""Largest conductance of a declared device, in standard deviations of the logarithm above the median of its most
conducting state."""

Sigma = Annotated[float, Field(ge=0, le=LARGEST_SIGMA)]


class DeclaredState(Parameters):
    """A state of a device whose resistance is lognormal."""

    label: str = ""
    """Name of the state, such as ``LRS``."""
    resistance: Annotated[Positive, checked_as("resistance")]
    """Median resistance in ohm."""
    sigma_device: Sigma = 0.0
    """Standard deviation of ln R between devices."""
    sigma_cycle: Sigma = 0.0
    """Standard deviation of ln R between programmings of one device."""
    energy: Annotated[NotNegative, checked_as("write energy")] | None = None
    """Energy in J of one attempt to write this state. Default: ``write.energy``."""


class Sample(Parameters):
    """The sample of the declared distribution that the device file keeps, for pages and plots."""

    devices: Annotated[Count, Field(le=4096)] = 64
    cycles: Annotated[Count, Field(le=4096)] = 16
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


def in_order(states: Sequence[DeclaredState]) -> list[DeclaredState]:
    """The states by rising conductance."""
    return sorted(states, key=lambda state: -state.resistance)


def medians(states: Sequence[DeclaredState]) -> np.ndarray:
    """Median conductances in S."""
    return np.array([1 / state.resistance for state in states])


def sigmas(states: Sequence[DeclaredState], spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations of the logarithm between devices and between cycles."""
    both = np.array([[state.sigma_device, state.sigma_cycle] for state in states]) * spread
    return both[:, 0], both[:, 1]


def moments(states: Sequence[DeclaredState], spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation between devices and between cycles of the conductances in S."""
    return lognormal_moments(medians(states), *sigmas(states, spread))


def default_range(states: Sequence[DeclaredState], spread: float) -> tuple[float, float]:
    """Range of conductances in S that practically no draw leaves."""
    whole = np.hypot(*sigmas(states, spread))
    return 0.0, float((medians(states) * np.exp(REACH * np.maximum(whole, 0.1))).max())


def sample_of(
    states: Sequence[DeclaredState], spread: float, sample: Sample, limits: tuple[float, float]
) -> np.ndarray:
    """Conductances in S drawn from the declared distribution [state, device, cycle]."""
    random = np.random.default_rng(sample.seed)
    shape = (len(states), sample.devices, sample.cycles)
    between, within = (sigma[:, None, None] for sigma in sigmas(states, spread))
    device, cycle = random.standard_normal((*shape[:2], 1)), random.standard_normal(shape)
    drawn = medians(states)[:, None, None] * np.exp(between * device + within * cycle)
    return np.asarray(np.clip(drawn, *limits))


def logarithmic(states: Sequence[DeclaredState], spread: float) -> xr.Dataset:
    """What a device file holds of a lognormal distribution beside the moments."""
    between, within = sigmas(states, spread)
    words = "standard deviation of the logarithm of the resistance"
    return xr.Dataset(
        {
            "log_sigma_device": ("state", between, {"units": "1", "long_name": f"{words} between devices"}),
            "log_sigma_cycle": ("state", within, {"units": "1", "long_name": f"{words} between cycles"}),
        },
        attrs={"distribution": "lognormal"},
    )
