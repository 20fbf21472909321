"""Skyrmions in one layer and in two coupled ones: Hall angle of Thiele's equation, and a straight way without it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Film,
    Grid,
    InterlayerExchange,
    Layer,
    Material,
    Simulation,
    SkyrmionPosition,
    SpinOrbitTorque,
    Stack,
    System,
    Term,
    minimize,
    skyrmion,
    topological_charge,
)

if TYPE_CHECKING:
    from tests.conftest import Report

CONSTANTS = Material(
    saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=8e5, dmi=3.5e-3,
    spin_hall_angle=0.1,
)  # fmt: skip


def single() -> Film:
    return Film(Grid(32, 32, 2e-9, 2e-9, 2e-9, (True, True)), CONSTANTS)


def coupled(*currents: float) -> Stack:
    layers = [Layer(single(), current=current) for current in currents]
    return Stack(layers, [2e-9], [InterlayerExchange(0, 1, bilinear=-2e-3)], demag=False)


def plain(film: Film) -> tuple[Term, ...]:
    return tuple(term for term in System(film).terms if not isinstance(term, Demag))


def at_rest(film: Film) -> Tensor:
    m = skyrmion(single(), radius=8e-9)
    m = film.join([m, -m]) if isinstance(film, Stack) else m
    return minimize(System(film, terms=plain(film)), m, torque=1e-4, on_maximum="ignore")


def slopes(m: Tensor) -> tuple[Tensor, Tensor]:
    along_x, along_y = (0.5 * (m.roll(-1, dim) - m.roll(1, dim)) / 2e-9 for dim in (2, 3))
    return along_x, along_y


def velocity(film: Film, m: Tensor, current: float, duration: float) -> np.ndarray:
    """Velocity of the skyrmion of the first layer in m/s over the second half of the time."""
    simulation = Simulation(film, Drive(current_density=current), initial=m, terms=plain(film), dtype=torch.float64)
    places = []
    for _ in range(2):
        simulation.advance(duration / 2)
        places.append(simulation.read(SkyrmionPosition())[0].numpy())
    return np.asarray((places[1] - places[0]) / (duration / 2))


@pytest.mark.slow
def test_hall_angle_of_one_layer_and_of_two(report: Report) -> None:
    """Thiele: 4 pi Q v_y = F_x + alpha D v_x and −4 pi Q v_x = alpha D v_y, F_x from the relaxed skyrmion.

    The skyrmion of the coupled layers moves at −F_x/(alpha D). 3 % for the discrete slopes (cells of 2 nm, walls of 4
    nm) and for what the current deforms.
    """
    film = single()
    m = at_rest(film)
    dx, dy = slopes(m)
    dissipation = 0.5 * float((dx.square() + dy.square()).sum()) * 4e-18
    gyration = 4 * math.pi * float(topological_charge(m, film)[0])
    drag = CONSTANTS.damping * dissipation
    current, duration = 2e11, 0.2e-9
    v = velocity(film, m, current, duration)
    angle = math.degrees(math.atan2(v[1], v[0]))
    report("skyrmion Hall angle of one layer, degrees", angle, math.degrees(math.atan(-gyration / drag)), 1.5)
    spin_orbit = System(film, Drive(current_density=current), (SpinOrbitTorque(),)).field(m)
    force = 1.7595e11 * float((spin_orbit * dx).sum()) * 4e-18
    speed = abs(force) / math.hypot(gyration, drag)
    report("skyrmion speed of one layer, m/s", float(np.hypot(*v)), speed, 0.03 * speed)
    stack = coupled(1.0, 1.0)
    pair = velocity(stack, at_rest(stack), current, duration)
    straight = math.degrees(math.atan2(pair[1], pair[0]))
    report("skyrmion Hall angle of coupled layers, degrees", straight, 0.0, 0.1)
    report("skyrmion speed of coupled layers, m/s", float(pair[0]), -force / drag, 0.03 * abs(force) / drag)


def test_skyrmions_of_coupled_layers_are_opposite() -> None:
    stack = coupled(1.0, 1.0)
    m = at_rest(stack)
    charges = topological_charge(m, stack)
    assert charges.tolist() == pytest.approx([-1.0, 1.0], abs=1e-6)
    assert torch.allclose(m[0], -m[1], atol=1e-3)
