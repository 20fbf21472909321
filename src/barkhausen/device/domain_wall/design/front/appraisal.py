"""Appraisal of many candidates on the compact model: their gate voltages chosen from a scan, and their merits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.domain_wall.barriers.tilted import tilted_landscapes
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design.front.merits import Merits, merits_of
from barkhausen.device.domain_wall.design.front.voltages import chosen, shares
from barkhausen.device.domain_wall.design.trial import Trial, film_of, trials
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.retention import resting_places, retention_on
from barkhausen.micromagnetics.temperature.averages import film_of_averages

BATCH = 32
"""Number of candidates in one run of the compact model; with 14 voltages and 8 devices it needs half a gigabyte."""


@dataclass(frozen=True)
class Conditions:
    """Conditions under which candidates are appraised.

    Attributes:
        devices, cycles: Numbers of devices and of events of each at each voltage.
        seed: Seed of edges, grains and noise.
        temperature: Temperature in K of the events.
        kept_at: Temperature in K at which states are to be kept.
        compact: Parameters of the compact model for the motion of walls.
        barrier_factor: Factor on the barriers of walls that may tilt (:func:`.tilted_landscapes`).
    """

    devices: int
    cycles: int
    seed: int
    temperature: float
    kept_at: float
    compact: CompactParameters
    barrier_factor: float


@dataclass(frozen=True)
class Appraisal:
    """A device with the gate voltages chosen for it, and its merits."""

    parameters: DeviceParameters
    merits: Merits


def appraise(candidates: Sequence[DeviceParameters], conditions: Conditions) -> list[Appraisal | None]:
    """Appraise candidates; None for one whose walls do not come to rest or whose shape or material is impossible.

    The result depends on the candidates and their order, as those of one track share one stream of thermal noise.

    Args:
        candidates: Devices with one notch for each state, and with gate voltages from which those of the states are
            chosen; with as many voltages as notches they are taken as they are.
        conditions: Numbers of events, temperature and compact model.
    """
    found: list[Appraisal | None] = [None] * len(candidates)
    order = sorted(range(len(candidates)), key=lambda k: repr(_alike(candidates[k])))
    for _, group in groupby(order, key=lambda k: repr(_alike(candidates[k]))):
        members = list(group)
        for start in range(0, len(members), BATCH):
            batch = members[start : start + BATCH]
            for k, appraisal in zip(batch, _of_one_track([candidates[k] for k in batch], conditions), strict=True):
                found[k] = appraisal
    return found


def _alike(device: DeviceParameters) -> tuple[Hashable, ...]:
    """What devices of one run of the compact model have in common."""
    shape = device.shape.model_copy(update={"notches": (), "anisotropy_gradient": 0.0})
    material = device.material.model_copy(update={"anisotropy": 0.0, "source": ""})
    track = (device.track.length, device.track.width, device.track.thickness, device.track.piezoelectric_thickness)
    return (*track, shape, material, device.gate)


def _of_one_track(candidates: Sequence[DeviceParameters], how: Conditions) -> list[Appraisal | None]:
    try:
        run = trials(
            candidates,
            devices=how.devices,
            cycles=how.cycles,
            seed=how.seed,
            temperature=how.temperature,
            compact=how.compact,
        )
    except InputError:
        # Of several candidates one may be impossible.
        if len(candidates) == 1:
            return [None]
        return [_of_one_track([candidate], how)[0] for candidate in candidates]
    found: list[Appraisal | None] = []
    for candidate, trial, landscapes in zip(candidates, run, landscapes_of(candidates, how), strict=True):
        impossible = landscapes is None and how.kept_at > 0
        found.append(None if impossible else _appraised(candidate, trial, landscapes, how))
    return found


def landscapes_of(candidates: Sequence[DeviceParameters], how: Conditions) -> list[xr.Dataset | None]:
    """Landscapes of the devices of each candidate, found for all at once; None for one that holds no wall.

    Args:
        candidates: Devices of one track.
        how: Numbers of devices, their seed, and the temperature at which states are to be kept.
    """
    if how.kept_at == 0:
        return [None] * len(candidates)
    try:
        film = film_of_averages(film_of(candidates, how.devices, how.seed), how.kept_at)
        found = tilted_landscapes(film, CompactParameters())
    except (InputError, OutcomeError):
        if len(candidates) == 1:
            return [None]
        return [landscapes_of([candidate], how)[0] for candidate in candidates]
    each = [slice(k * how.devices, (k + 1) * how.devices) for k in range(len(candidates))]
    return [found.isel(device=rows) for rows in each]


def _appraised(
    candidate: DeviceParameters, trial: Trial, landscapes: xr.Dataset | None, how: Conditions
) -> Appraisal | None:
    voltages = candidate.protocol.gate_voltages or ()
    places = [notch.position for notch in candidate.shape.notches]
    numbers = list(range(len(voltages)))
    if len(voltages) > len(places):
        numbers = chosen(shares(trial.positions, places))
    protocol = candidate.protocol.model_copy(update={"gate_voltages": tuple(voltages[k] for k in numbers)})
    device = candidate.model_copy(update={"protocol": protocol})
    positions = trial.positions[numbers]
    try:
        held = None if landscapes is None else kept(device, positions, landscapes, how)
    except (InputError, OutcomeError):
        return None
    return Appraisal(device, merits_of(device, positions, trial.after_reset, held))


def kept(
    device: DeviceParameters,
    positions: Float[np.ndarray, "state device cycle"],
    landscapes: xr.Dataset,
    how: Conditions,
) -> xr.Dataset:
    """Barriers, corrected by the factor of the conditions, and retention times of walls.

    Args:
        device: Parameters of the device.
        positions: Resting positions in m; a device's position in a state is the median of its cycles.
        landscapes: Energy of a wall along each device (:func:`.tilted_landscapes`).
        how: Conditions, of which the numbers of devices and their seed are those of the positions.

    Raises:
        InputError: The film has no order or no perpendicular anisotropy at the temperature.
        OutcomeError: Its DMI does not hold the walls.
    """
    places = resting_places(positions)
    film = film_of_averages(film_of([device], how.devices, how.seed), how.kept_at)
    held = retention_on(
        film, places, CompactParameters(), temperature=how.kept_at, landscapes=landscapes, pinning=False
    )
    return corrected(held, how.barrier_factor)


def corrected(held: xr.Dataset, factor: float) -> xr.Dataset:
    """The same walls with barriers times a factor and the retention times that follow; attempt frequencies stay.

    Args:
        held: Result of :func:`.retention`.
        factor: Ratio of the barriers.
    """
    if factor == 1:
        return held
    barrier = held["barrier"] * factor
    heat = BOLTZMANN * float(held.attrs["temperature"])
    exponent = np.minimum(barrier / heat - np.log(held["attempt_frequency"]), 700.0)
    # A wall without an attempt frequency has no barrier to speak of; a missing wall has no barrier.
    time = xr.where(np.isfinite(held["attempt_frequency"]), np.exp(exponent), held["retention_time"])
    return held.assign(barrier=barrier, retention_time=time)
