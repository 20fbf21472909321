"""Figures of a neuron: velocities beside Thiele's equation, pulses to fire, energy of an operation, read signal."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from barkhausen.device.antiferromagnet.energy import operation
from barkhausen.device.antiferromagnet.law import Counted, inputs_of, threshold_place
from barkhausen.device.antiferromagnet.nanotrack import junction_of, nanotrack
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.device.antiferromagnet.thiele import (
    drive_velocity,
    empty_integrals,
    large_skyrmion_velocity,
    leak_velocity,
    torque_field,
)

SETTLED = 0.2e-9
"""Time in s before which the profile that the simulation starts from still relaxes."""


def with_estimates(parameters: AntiferromagnetParameters, still: xr.Dataset) -> xr.Dataset:
    """Trajectories at 0 K with ``velocity`` (m/s, between records) and ``thiele``, the estimate from the texture."""
    empty = empty_integrals(parameters, nanotrack(parameters)).numpy()
    integrals = torch.from_numpy(still["integrals"].transpose("time", "replica", "integral").values - empty)
    current = torch.from_numpy(still["current"].transpose("time", "replica").values)
    leak = leak_velocity(parameters, integrals)
    unit = drive_velocity(parameters, integrals, 1.0)
    places, time = still["x"].transpose("time", "replica").values, still["time"].values
    velocity = np.full_like(places, np.nan)
    velocity[1:] = np.diff(places, axis=0) / np.diff(time)[:, None]
    estimate = (leak + unit * current).numpy()
    both = estimate.copy()
    both[1:] = 0.5 * (estimate[1:] + estimate[:-1])
    both[0] = np.nan
    # Between two records the current is that of the later one, the texture that of both.
    both[1:] = (0.5 * (leak[1:] + leak[:-1]) + 0.5 * (unit[1:] + unit[:-1]) * current[1:]).numpy()
    units = {"units": "m/s"}
    return still.assign(
        velocity=(("time", "replica"), velocity, units),
        thiele=(("time", "replica"), both, units),
        large=(
            ("time", "replica"),
            np.vectorize(lambda x: large_skyrmion_velocity(parameters, float(x)))(places),
            units,
        ),
    )


def _between(parameters: AntiferromagnetParameters, still: xr.Dataset, replica: int) -> Float[np.ndarray, " time"]:
    """Records of a replica well within the track, with a settled profile, that followed one of the same current."""
    places, current = still["x"].values[:, replica], still["current"].values[:, replica]
    steady = np.r_[False, np.diff(current) == 0]
    # Nearer to its left end the track pushes the skyrmion back.
    low, high = parameters.track.rest + parameters.reset.tolerance, threshold_place(parameters)
    return np.asarray(steady & (still["time"].values > SETTLED) & (places > low) & (places < high))


def _interval(values: Float[np.ndarray, " sample"]) -> tuple[float, float]:
    """Mean and the half of its 95 % interval (normal)."""
    if not len(values):
        return math.nan, math.nan
    half = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(np.mean(values)), half


def figures(
    parameters: AntiferromagnetParameters, still: xr.Dataset, thermal: Sequence[xr.Dataset], counted: Counted
) -> dict[str, Any]:
    """Figures by name; ``nan`` where one cannot be had.

    Args:
        parameters: Parameters of the device.
        still: Trajectories at 0 K with estimates: one of each input, and one that leaks.
        thermal: Trains at a temperature; none where there are none.
        counted: Cycles of the trains.
    """
    leaking = int(np.flatnonzero(still["input"].values == 0)[0])
    driven = int(np.flatnonzero(still["input"].values == max(parameters.train.inputs))[0])
    found: dict[str, Any] = {}
    for name, replica in (("leak", leaking), ("driven", driven)):
        chosen = _between(parameters, still, replica)
        if name == "driven":
            chosen &= still["current"].values[:, replica] > 0
        velocity, estimate = (still[key].values[chosen, replica] for key in ("velocity", "thiele"))
        found[f"{name}_velocity"] = float(np.mean(velocity)) if chosen.any() else math.nan
        found[f"{name}_thiele"] = float(np.mean(estimate)) if chosen.any() else math.nan
        if name == "leak":
            found["leak_large"] = float(np.mean(still["large"].values[chosen, replica])) if chosen.any() else math.nan
            found["radius"] = float(np.mean(still["radius"].values[chosen, replica])) if chosen.any() else math.nan
    x, y = still["x"].values[:, driven], still["y"].values[:, driven]
    settled = np.isfinite(x) & (still["time"].values > SETTLED)
    # The largest distance along the track that the skyrmion has gone, and how far it has left its line there.
    if settled.any():
        far, sideways = x[settled].max() - x[settled][0], np.abs(y[settled] - parameters.track.width / 2).max()
        found |= {"distance": float(far), "sideways": float(sideways)}
    pulses = [counted.pulses(number) for number in range(len(inputs_of(parameters)))]
    for number, value in enumerate(inputs_of(parameters)[1:], 1):
        mean, half = _interval(pulses[number].astype(float))
        found[f"pulses_{value:g}"], found[f"pulses_{value:g}_interval"] = mean, half
    full = [number for number in range(1, len(pulses)) if len(pulses[number])]
    nearest = min(full, key=lambda number: abs(inputs_of(parameters)[number] - 1.0), default=None)
    if nearest is not None:
        one = operation(parameters, float(inputs_of(parameters)[nearest]), float(pulses[nearest].mean()))
        found["operation"] = dataclasses.asdict(one) | {
            name: getattr(one, name) for name in ("integrating", "resetting", "reading", "writing", "total")
        }
    junction = junction_of(parameters, nanotrack(parameters))
    found |= {
        "tmr_change": junction.relative_change,
        "torque_field": torque_field(parameters, parameters.train.current_density),
    }
    if thermal:
        mean, half = _interval(_leak_velocities(parameters, thermal))
        found |= {"thermal_leak_velocity": mean, "thermal_leak_interval": half}
    return found


def _leak_velocities(
    parameters: AntiferromagnetParameters, trains: Sequence[xr.Dataset]
) -> Float[np.ndarray, " replica"]:
    """Mean velocity in m/s of each leaking replica from its first period to the last well within the track."""
    found, low = [], parameters.track.rest
    for train in trains:
        after = train["after"].transpose("period", "replica").values
        for replica in np.flatnonzero(train["input"].values == 0):
            places = after[:, replica]
            inside = np.isfinite(places) & (places > low + parameters.reset.tolerance)
            steps = int(np.argmin(inside)) if not inside.all() else len(inside)
            if steps > 2:
                found.append((places[steps - 1] - places[0]) / ((steps - 1) * parameters.train.period))
    return np.array(found)
