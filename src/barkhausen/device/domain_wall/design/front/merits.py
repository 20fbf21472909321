"""Merits of a design: what its states are told apart by, how long they are kept, and what writing them costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from jaxtyping import Float
from pydantic import Field

from barkhausen.core.config import Fraction, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.domain_wall.design.front.voltages import shares
from barkhausen.device.domain_wall.design.score import incomplete_resets
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.heat import event_heating
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.retention_summary import WORST

LONGEST = 1e30
"""Retention time in s that stands for all longer ones."""


@dataclass(frozen=True)
class Merits:
    """Merits of a design at one set of gate voltages."""

    energy: float
    """Energy in J of a programming event (both current pulses and the gate; mean over states)."""
    retention: float
    """Retention time in s of the 10 % worst device in the worst state."""
    barrier: float
    """Energy barrier in kB T of the 10 % worst device in the worst state."""
    overlap: float
    """Largest overlap coefficient of neighbouring states, whose walls rest at one place or another: sum over places of
    the smaller share of both."""
    misplaced: float
    """Largest share over states of walls that rest elsewhere than at the place of their state."""
    displaced: float
    """Share of walls that rest elsewhere than at the place of their state, mean over states."""
    bits: float
    """Mutual information of a state and the place nearest to its wall, for equally frequent states."""
    failures: float
    """Share of programming events that leave no wall or several."""
    not_home: float
    """Share of incomplete resets."""
    current_density: float
    """Greater current density of both pulses in A/m²."""
    temperature_rise: float
    """Greatest rise in K of the temperature of the track in an event; 0 for a device without ``heat``."""

    @property
    def lost(self) -> float:
        """Share of events that fail or do not begin at the reset position."""
        return max(self.failures, self.not_home)


MERITS = tuple(Merits.__dataclass_fields__)
"""Names of the merits."""

Objective = Literal["energy", "retention", "barrier", "overlap", "bits", "current_density", "temperature_rise"]

RISES: Mapping[Objective, bool] = {
    "energy": False,
    "retention": True,
    "barrier": True,
    "overlap": False,
    "bits": True,
    "current_density": False,
    "temperature_rise": False,
}
"""Objectives, and whether more is better."""


def goal(merits: Merits, objective: Objective, enough: float = math.inf) -> float:
    """The number that a search minimises: energies and times by their logarithm, gains with a minus sign.

    Args:
        merits: Merits of a design.
        objective: Which of them.
        enough: Retention in s beyond which more is no gain.
    """
    value = float(getattr(merits, objective))
    if objective == "retention":
        value = min(value, enough)
    if objective in ("retention", "energy"):
        value = math.log10(max(value, 1e-30))
    return -value if RISES[objective] else value


class Limits(Parameters):
    """Constraints of a search; a design that breaks one is worse than any that keeps them."""

    overlap: Fraction = 0.05
    """Largest overlap of any two neighbours."""
    misplaced: Fraction = 0.05
    """Largest share of walls at the place of another state."""
    lost: Fraction = 0.02
    """Largest share of failed events and of incomplete resets."""
    retention: Annotated[Positive, Field(le=LONGEST)] | None = None
    """Least retention in s of the 10 % worst device in the worst state."""
    energy: Annotated[Positive, checked_as("write energy")] | None = None
    """Largest energy in J of a programming event."""
    current_density: Annotated[Positive, checked_as("current density")] | None = None
    """Largest current density in A/m²."""
    temperature_rise: Annotated[Positive, Field(le=2000)] | None = None
    """Largest rise of the temperature in K, of a device with ``heat``."""
    bits: Annotated[float, Field(ge=0, le=6)] | None = None
    """Least number of bits."""

    def violations(self, merits: Merits) -> dict[str, float]:
        """How far each limit is broken, at most 0 if it is kept; others than shares relatively or by logarithm."""
        found = {name: float(getattr(merits, name)) - getattr(self, name) for name in ("overlap", "misplaced", "lost")}
        if found["misplaced"] > 0:
            # The worst state says little about the others, which a search has to improve too.
            found["misplaced"] += merits.displaced
        if self.retention is not None:
            # A decade counts as much as a tenth of the walls in the wrong place.
            found["retention"] = 0.1 * (math.log10(self.retention) - math.log10(max(merits.retention, 1e-30)))
        for name in ("energy", "current_density", "temperature_rise"):
            if (limit := getattr(self, name)) is not None:
                found[name] = float(getattr(merits, name)) / limit - 1
        if self.bits is not None:
            found["bits"] = self.bits - merits.bits
        return found

    def kept_by(self, merits: Merits) -> bool:
        """Whether a design keeps all limits."""
        return all(violation <= 0 for violation in self.violations(merits).values())


def merits_of(
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device cycle"],
    after_reset: Float[np.ndarray, " *event"],
    held: xr.Dataset | None,
) -> Merits:
    """Merits of a device with one notch for each state.

    Args:
        parameters: Parameters of the device, with one gate voltage for each state.
        positions: Resting positions in m; NaN unless there is a single wall.
        after_reset: Positions in m after resets; NaN unless there is a single wall.
        held: Barriers and retention times of the states (:func:`.retention`), rows in the order of the states. Without
            them (no temperature), a state is kept for ever.
    """
    places = [notch.position for notch in parameters.shape.notches]
    protocol, track = parameters.protocol, parameters.track
    event = ProgrammingEvent(protocol, protocol.gate_voltages or ())
    energy = event.sot_energy(track) + event.gate_energy(track, parameters.gate, parameters.junction)
    heating = event_heating(parameters, protocol.gate_voltages or ())
    rests = _rests(positions, places)
    pairs = list(pairwise(rests))
    own = np.diagonal(shares(positions, places))
    retention, barrier = (LONGEST, math.inf) if held is None else _kept(held)
    return Merits(
        energy=float(np.mean(energy)),
        retention=retention,
        barrier=barrier,
        overlap=max(float(np.minimum(low, high).sum()) if low.sum() and high.sum() else 1.0 for low, high in pairs),
        misplaced=float(1 - own.min()),
        displaced=float(1 - own.mean()),
        bits=_bits(rests),
        failures=float(1 - np.isfinite(positions).mean()),
        not_home=incomplete_resets(after_reset, places),
        current_density=max(abs(p.current_density) for p in (protocol.reset, protocol.program)),
        temperature_rise=0.0 if heating is None else heating.greatest,
    )


def _kept(held: xr.Dataset) -> tuple[float, float]:
    """Retention in s and barrier in kB T of the worst state, as nine tenths of the devices exceed them.

    A device without a wall in a state keeps nothing.
    """
    heat = BOLTZMANN * float(held.attrs["temperature"])
    time, barrier = (of_worst(held[name].values) for name in ("retention_time", "barrier"))
    return min(time, LONGEST), barrier / heat


def of_worst(values: Float[np.ndarray, "state device"]) -> float:
    """Value of the 10 % worst device in the worst state: of that state, nine tenths of the devices have more.

    Args:
        values: Retention times or barriers; NaN, where a device has no wall, counts as 0.
    """
    return float(np.quantile(np.nan_to_num(values, nan=0.0), WORST, axis=1, method="lower").min())


def _rests(
    positions: Float[np.ndarray, "state device cycle"], places: Sequence[float]
) -> Float[np.ndarray, "state place"]:
    """Share of the walls of each state that are nearest to each place; zeros for a state without any wall."""
    borders = 0.5 * (np.asarray(places)[1:] + np.asarray(places)[:-1])
    found = np.zeros((len(positions), len(places)))
    for state, rows in enumerate(positions):
        pool = rows[np.isfinite(rows)]
        if len(pool):
            found[state] = np.bincount(np.searchsorted(borders, pool), minlength=len(places)) / len(pool)
    return found


def _bits(rests: Float[np.ndarray, "state place"]) -> float:
    """Mutual information in bits of a state and the place nearest to its wall."""
    joint = rests / len(rests)
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    known = joint > 0
    return float((joint[known] * np.log2(joint[known] / outer[known])).sum())
