"""Skyrmion memories as characterised devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.device.categories.device import CategoricalDevice, Categories, Pulses
from barkhausen.device.characterised import Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.skyrmion.parameters import NAME, SkyrmionParameters
from barkhausen.device.skyrmion.textures import CATEGORIES, STATES
from barkhausen.device.skyrmion.transitions import COUNTED, durations, energies, policy

CAUSES = {"gate": "gate pulses", "leakage": "leakage of the oxide", "read": "reads"}
SENSED = StateCoordinate("state", "1", "state found by a comparator: −1 down, 0 skyrmion, 1 up")
ANALOGUE = StateCoordinate("mean m_z", "1", "mean m_z of the disc")
NOMINAL = {2: 1.0, 1: 0.0, 0: -1.0}
"""Value that a comparator gives for each state."""


def skyrmion_device(
    counts: Int[np.ndarray, "sequence category category"],
    parameters: SkyrmionParameters,
    *,
    mz: Float[np.ndarray, " category"],
    mz_sigma: Float[np.ndarray, " category"],
    source: Source = "micromagnetics",
    assumed: Sequence[str] = (),
    extras: Sequence[xr.Dataset] = (),
    attributes: Mapping[str, Any] | None = None,
) -> CategoricalDevice:
    """Make a device from events of its sequences of pulses.

    Args:
        counts: Events by sequence (:data:`.COUNTED`), category before and category after.
        parameters: Parameters of the device.
        mz, mz_sigma: Mean m_z of each category over one hold, and its standard deviation by thermal fluctuations. The
            noise of the junction is added.
        source: Origin of the events.
        assumed: Assumptions, a line each.
        extras: Optional variables, such as barriers.
        attributes: Further metadata, stored as JSON.

    Raises:
        InputError: A value is impossible for a device.
    """
    sensed = parameters.read == "sensed"
    nominal = [NOMINAL.get(state, _sensed(value)) for state, value in zip(STATES, mz, strict=True)]
    area, junction = parameters.disc.area, parameters.junction
    low, high = junction.antiparallel_conductance(area), junction.parallel_conductance(area)
    middle = parameters.conductance(0.0)
    noise = [parameters.read_noise(value) for value in mz]
    spread = np.hypot(mz_sigma, noise)
    analogue = xr.Dataset({"analogue_value": ("category", mz), "analogue_sigma": ("category", spread)})
    return CategoricalDevice.from_transitions(
        Categories(CATEGORIES, STATES, nominal if sensed else mz.tolist(), None if sensed else spread.tolist()),
        Pulses(list(COUNTED), counts, policy(), energies(parameters), durations(parameters)),
        technology=NAME,
        source=source,
        coordinate=SENSED if sensed else ANALOGUE,
        state_range=(-1.0, 1.0),
        read_energy=junction.read_energy(middle),
        read_out=ReadOut(junction.read_voltage, junction.read_time, junction.resistance_area),
        conductances=(low, high),
        causes=CAUSES,
        parameters=parameters,
        assumed=assumed,
        extras=[analogue, *extras],
        attributes=attributes,
    )


def _sensed(mz: float) -> float:
    """What a comparator with thresholds halfway between the states finds."""
    return 0.0 if not math.isfinite(mz) or abs(mz) < 0.7 else math.copysign(1.0, mz)


def read_error(device: CategoricalDevice, threshold: float = 0.7) -> Float[np.ndarray, " category"]:
    """Probability that one read takes a category for another state: normal tails of m_z beyond the threshold.

    Args:
        device: Device with ``analogue_value`` and ``analogue_sigma``.
        threshold: |m_z| between a skyrmion and a uniform disc.
    """
    mean, sigma = device.data["analogue_value"].values, device.data["analogue_sigma"].values
    found = []
    for state, value, spread in zip(device.category_states, mean, sigma, strict=True):
        inside = (threshold - abs(value)) if state == 1 else (abs(value) - threshold)
        ok = math.isfinite(value) and spread > 0
        found.append(0.5 * math.erfc(inside / (spread * math.sqrt(2))) if ok else math.nan)
    return np.array(found)
