"""Law of a neuron from the events of its trains: steps by input and place, integrate-fire-reset cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from barkhausen.device.antiferromagnet.nanotrack import free_skyrmion
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.device.antiferromagnet.trains import INTEGRATES, LOST, RESETS
from barkhausen.device.neuron.device import Cycles
from barkhausen.device.neuron.steps import StepTables, step_tables

NODES = 7
"""Places of the law, from rest to the threshold."""


@dataclass(frozen=True)
class Counted:
    """Cycles of all replicas.

    Attributes:
        cycles: Counts. Cycles whose reset was still under way at the end are in none of them.
        fired_at: Number of the pulse at which a cycle fired, 0 for none, [drive, track, cycle].
    """

    cycles: Cycles
    fired_at: Int[np.ndarray, "drive track cycle"]

    def pulses(self, drive: int) -> Int[np.ndarray, " fired"]:
        """Pulses to fire of all cycles at one drive that fired."""
        found = self.fired_at[drive]
        return np.asarray(found[found > 0])


def inputs_of(parameters: AntiferromagnetParameters) -> Float[np.ndarray, " drive"]:
    """Inputs of the law, rising from 0, which is the leak."""
    return np.array([0.0, *sorted(parameters.train.inputs)])


def threshold_place(parameters: AntiferromagnetParameters) -> float:
    """Place in m at which the junction finds its threshold: where the middle of the skyrmion enters the window.

    Half of a skyrmion changes the conductance half as much, so this holds for a ``level`` of one half; other levels
    shift it by the part of the diameter that is inside.
    """

    edge = parameters.detector.position - parameters.detector.length / 2
    radius, _ = free_skyrmion(parameters, edge)
    return edge + 2 * radius * (parameters.detector.level - 0.5)


def tables_of(parameters: AntiferromagnetParameters, trains: Sequence[xr.Dataset]) -> StepTables:
    """Mean step in a period and its spread at each input and place, from steps before the neuron fires.

    Steps without current are leak steps, those after firing included where the reset applies no current.
    """
    inputs = inputs_of(parameters)
    start = parameters.track.rest
    nodes = np.linspace(0.0, threshold_place(parameters) - start, NODES)
    before = np.concatenate([train["before"].values.ravel() for train in trains])
    after = np.concatenate([train["after"].values.ravel() for train in trains])
    mode = np.concatenate([train["mode"].values.ravel() for train in trains])
    given = np.concatenate([np.broadcast_to(train["input"].values, train["mode"].shape).ravel() for train in trains])
    leaks = (mode == RESETS) & (parameters.reset.current_density == 0)
    effective = np.where(leaks, 0.0, given)
    known = (mode == INTEGRATES) | leaks
    place = np.full((len(before), len(inputs)), np.nan)
    step = place.copy()
    for number, value in enumerate(inputs):
        chosen = known & np.isclose(effective, value)
        place[chosen, number], step[chosen, number] = before[chosen] - start, (after - before)[chosen]
    return step_tables(place, step, nodes)


@dataclass
class _Tally:
    """Counts of cycles under way."""

    tried: int = 0
    fired: int = 0
    failed: int = 0
    lost: int = 0

    def of_replica(self, train: xr.Dataset, replica: int) -> list[int]:
        """Count the cycles of one replica. Gives the pulse at which each fired, 0 for none."""
        names = ("mode", "fired", "came_back", "after")
        columns = (train[name].transpose("period", "replica").values[:, replica] for name in names)
        own: list[int] = []
        pulses = waiting = 0
        for mode, fired, came_back, after in zip(*columns, strict=True):
            gone = bool(np.isnan(after))
            if mode == LOST:
                return own
            if mode == INTEGRATES:
                pulses += 1
                if fired:
                    waiting, pulses = pulses, 0
                elif gone:
                    self.tried, self.lost = self.tried + 1, self.lost + 1
                    return [*own, 0]
            if (fired and gone) or (mode == RESETS and (gone or came_back >= 0)):
                self.tried, self.fired = self.tried + 1, self.fired + 1
                self.failed += int(gone or came_back == 0)
                own.append(waiting)
        if pulses:
            self.tried += 1
            own.append(0)
        return own


def cycles_of(parameters: AntiferromagnetParameters, trains: Sequence[xr.Dataset]) -> Counted:
    """Cycles of all replicas that got inputs."""
    inputs, tally = inputs_of(parameters), _Tally()
    found: list[list[list[int]]] = [[] for _ in inputs]
    for train in trains:
        for replica, value in enumerate(train["input"].values):
            if value != 0:
                found[int(np.argmin(np.abs(inputs - value)))].append(tally.of_replica(train, replica))
    tracks = max(1, *(len(each) for each in found))
    longest = max([1, *(len(own) for each in found for own in each)])
    fired_at = np.zeros((len(inputs), tracks, longest), np.int64)
    for drive, each in enumerate(found):
        for track, own in enumerate(each):
            fired_at[drive, track, : len(own)] = own
    return Counted(Cycles(tally.tried, tally.fired, tally.failed, tally.lost), fired_at)
