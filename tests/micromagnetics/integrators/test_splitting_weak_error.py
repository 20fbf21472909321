"""Weak error of the splitting at its default step: films, walls and switching against Heun's method at a fine step.

Statistical tolerances are four standard errors of the difference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    MeanMagnetisation,
    Observable,
    State,
    System,
    WallPosition,
    advise_splitting_step,
    advise_step,
    compiled,
    domain_wall,
    material,
    simulate,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or ""),
]

SIGMAS = 4.0
ROOM = 300.0


class Neighbours(Observable):
    """Mean scalar product of cells next to each other along x."""

    name = "neighbours"
    units = ""

    def __call__(self, system: System, state: State) -> torch.Tensor:
        """Mean over the film of each replica."""
        return (state.m[:, :, 1:] * state.m[:, :, :-1]).sum(1).double().mean((1, 2))


def test_a_film_at_room_temperature(report: Report) -> None:
    """<m_z>, the mean over bonds and the variance of m_z of 16 x 16 cells."""
    film, replicas, every = Film(Grid(16, 16, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum")), 96, 10e-12
    found = {}
    for integrator, share in (("heun", 0.25), ("splitting", 1.0)):
        advise = advise_splitting_step if integrator == "splitting" else advise_step
        dt = every / math.ceil(every / (share * advise(film, temperature=ROOM).recommended) * (1 - 1e-9))
        result = simulate(
            film, duration=2.6e-9, every=every, replicas=replicas, temperature=ROOM, dt=dt, integrator=integrator,
            initial=uniform(film, (0.0, 0.0, 1.0)), observe=(MeanMagnetisation(), Neighbours()), seed=7,
        )  # fmt: skip
        mz = result["m"].sel(component="z").values[60:].astype(float)
        found[integrator] = (mz.mean(0), result["neighbours"].values[60:].mean(0), mz.var(0))
    for name, fine, split in zip(("m_z", "bonds", "variance of m_z"), found["heun"], found["splitting"], strict=True):
        error = math.hypot(fine.std(), split.std()) / math.sqrt(replicas)
        report(f"film at 300 K, {name}: splitting, Heun", float(split.mean()), float(fine.mean()), SIGMAS * error)


@pytest.mark.parametrize("temperature", [0.0, ROOM])
def test_velocity_of_a_wall_under_a_current(temperature: float, report: Report) -> None:
    """Distance in 0.5 ns by spin-orbit torque."""
    film = Film(Grid(64, 8, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    replicas = 1 if temperature == 0 else 64
    moved = {}
    for integrator in ("heun", "splitting"):
        result = simulate(
            film, Drive(current_density=1.5e11), duration=0.5e-9, every=0.1e-9, replicas=replicas, seed=5,
            temperature=temperature, integrator=integrator, initial=domain_wall(film, 60e-9), observe=(WallPosition(),),
        )  # fmt: skip
        position = result["wall_position"].values
        moved[integrator] = position[-1] - position[1]
    error = math.hypot(*(float(np.std(values)) for values in moved.values())) / math.sqrt(replicas)
    fine = float(moved["heun"].mean())
    assert abs(fine) > 20e-9
    report(
        f"distance of a wall at {temperature:g} K in nm: splitting, Heun",
        1e9 * float(moved["splitting"].mean()), 1e9 * fine, 1e9 * (SIGMAS * error + 0.02 * abs(fine)),
    )  # fmt: skip
