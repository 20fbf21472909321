"""Two-sublattice antiferromagnets against closed forms: wall width and speed, resonance, dispersion, spin flop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    Material,
    NeelVector,
    OfNeelVector,
    Simulation,
    SpinOrbitTorque,
    Stack,
    SublatticeExchange,
    System,
    WallPosition,
    advise_step,
    antiferromagnet,
    domain_wall,
    minimize,
    relax,
    simulate,
    uniform,
)
from linear_modes import frequencies

if TYPE_CHECKING:
    from tests.conftest import Report

LATTICE = 0.35e-9

WALL = Material(
    saturation_magnetisation=4e5, exchange_stiffness=10e-12, damping=0.1, anisotropy=64e3, spin_hall_angle=0.044
)


def chain(
    constants: Material, cells: int, cell: float, exchange: SublatticeExchange, *, periodic: bool = False
) -> Stack:
    return antiferromagnet(Film(Grid(cells, 1, cell, cell, 2e-9, (periodic, False)), constants), exchange)


def wall_in(stack: Stack, width: float) -> Tensor:
    """A wall of the Néel vector in the middle."""
    wall = domain_wall(stack.layers[0].film, width=width)
    return stack.join([wall, -wall])


def along_z(stack: Stack) -> Tensor:
    up = uniform(stack.layers[0].film, (0.0, 0.0, 1.0))
    return stack.join([up, -up])


# ---- walls ----------------------------------------------------------------------------------------------------------


def test_wall_width(report: Report) -> None:
    """sqrt((2 A − A12)/(2 K)), short of it by the grid's (dx/Delta)²/6 = 0.34 %."""
    exchange = SublatticeExchange(-25e-12, LATTICE, inhomogeneous=-5e-12)
    stack = chain(WALL, 96, 2e-9, exchange)
    delta = math.sqrt((2 * 10e-12 + 5e-12) / (2 * 64e3))
    m = minimize(System(stack), wall_in(stack, delta), torque=1e-5)
    n = stack.split(m)[0, :, 2, :, 0]
    n = 0.5 * (n[0] - n[1])
    near = n.abs() < 0.9
    slope = np.polyfit(stack.grid.x[near].numpy(), torch.atanh(-n[near]).numpy(), 1)[0]
    report("antiferromagnet: wall width, nm, 2 nm cells", 1e9 / slope, 1e9 * delta, 0.005 * 1e9 * delta)


@pytest.mark.slow
def test_wall_speed(report: Report) -> None:
    """v = pi Delta H_SH/(2 alpha Ms/gamma), H_SH = hbar theta J/(2 e t), averaged over whole cells."""
    exchange = SublatticeExchange(-15e-12, LATTICE, inhomogeneous=-5e-12)
    stack = chain(WALL, 96, 2e-9, exchange)
    delta = math.sqrt((2 * 10e-12 + 5e-12) / (2 * 64e3))
    field = SpinOrbitTorque.field_per_current(stack.layers[0].film) * 1e12
    speed = 0.5 * math.pi * GYROMAGNETIC_RATIO * delta * field / 0.1
    start = minimize(System(stack), wall_in(stack, delta), torque=1e-4)
    cells = 2e-9 / speed
    every = cells / 8
    result = simulate(
        stack, Drive(current_density=1e12), duration=48 * every, every=every, initial=start, backend="torch",
        dtype=torch.float64, observe=[OfNeelVector(WallPosition())],
    )  # fmt: skip
    place = result["neel_wall_position"].values[:, 0]
    ours = abs(place[-1] - place[-17]) / (16 * every)
    report("antiferromagnet: wall speed, m/s, J = 1e12 A/m2", ours, speed, 0.005 * speed)


# ---- small motions --------------------------------------------------------------------------------------------------

STIFF = Material(saturation_magnetisation=2e5, exchange_stiffness=10e-12, damping=1e-6, anisotropy=1e3)


def spin(direction: str, row: int, stack: Stack, shape: Tensor) -> Tensor:
    pattern = torch.zeros(2, 3, *stack.grid.shape, dtype=torch.float64)
    pattern[row, "xy".index(direction)] = shape[:, None]
    return pattern


@pytest.mark.parametrize("applied", [0.0, 2.0])
def test_resonance(report: Report, applied: float) -> None:
    """f = gamma (sqrt(2 He Ha + Ha²) ± H)/2 pi, with He = 4 |A0|/(a² Ms), Ha = 2 K/Ms: 506 GHz without a field."""
    stack = chain(STIFF, 1, 2e-9, SublatticeExchange(-100e-12, LATTICE, inhomogeneous=-15e-12))
    system = System(stack, Drive(field_z=applied))
    ones = torch.ones(1, dtype=torch.float64)
    patterns = [spin(axis, row, stack, ones) for axis in "xy" for row in (0, 1)]
    ours = frequencies(system, along_z(stack), patterns)
    exchange, anisotropy = 4 * 100e-12 / (LATTICE**2 * 2e5), 2 * 1e3 / 2e5
    middle = math.sqrt(2 * exchange * anisotropy + anisotropy**2)
    model = torch.tensor([middle - applied, middle + applied]) * GYROMAGNETIC_RATIO / (2 * math.pi)
    for name, f, reference in zip(("lower", "upper"), ours.tolist(), model.tolist(), strict=True):
        label = f"antiferromagnet: {name} resonance, GHz, B = {applied:g} T"
        report(label, f / 1e9, reference / 1e9, 1e-3 * reference / 1e9)
    if not applied:
        report("antiferromagnet: resonance of the example, GHz", float(ours[0]) / 1e9, 506.0, 0.5)


@pytest.mark.parametrize("wave", [1, 4, 10])
def test_dispersion(report: Report, wave: int) -> None:
    """f = (gamma/2 pi) sqrt((2 He + Ha + h' k²)(Ha + h k²)) + gamma B/2 pi, h = (2 A − A12)/Ms, a = cell = 1 nm.

    h' = (2 A + A12)/Ms; mumax+ has h in its place, which for He of thousands of tesla is the same to some 1e-3. On the
    grid k² is (2 − 2 cos(k dx))/dx².
    """
    cells, cell, applied = 40, 1e-9, 1.5
    constants = WALL.model_copy(update={"damping": 1e-6, "spin_hall_angle": 0.0})
    stack = chain(constants, cells, cell, SublatticeExchange(-400e-12, cell, inhomogeneous=-5e-12), periodic=True)
    system = System(stack, Drive(field_z=applied))
    phase = 2 * math.pi * wave * torch.arange(cells, dtype=torch.float64) / cells
    patterns = [spin(axis, row, stack, torch.cos(phase)) for axis in "xy" for row in (0, 1)]
    ours = float(frequencies(system, along_z(stack), patterns)[-1])
    square = (2 - 2 * math.cos(2 * math.pi * wave / cells)) / cell**2
    exchange, anisotropy = 4 * 400e-12 / cell**2 / 4e5, 2 * 64e3 / 4e5
    stiff, soft = ((2 * 10e-12 + sign * 5e-12) / 4e5 * square for sign in (-1, 1))
    to_hertz = GYROMAGNETIC_RATIO / (2 * math.pi)
    model = to_hertz * (math.sqrt((2 * exchange + anisotropy + stiff) * (anisotropy + soft)) + applied)
    published = to_hertz * (math.sqrt((2 * exchange + anisotropy + soft) * (anisotropy + soft)) + applied)
    for name, reference, tolerance in (("dispersion", model, 1e-4), ("mumax+'s dispersion", published, 6e-3)):
        label = f"antiferromagnet: {name}, THz, wave of {cells // wave} nm"
        report(label, ours / 1e12, reference / 1e12, tolerance * reference / 1e12)


def test_resonance_in_time(report: Report) -> None:
    """Both frequencies of a macrospin of weak exchange in a field, from its motion with thousands of steps."""
    constants = STIFF.model_copy(update={"damping": 1e-3, "anisotropy": 2e4})
    stack = chain(constants, 1, 2e-9, SublatticeExchange(-0.1e-12, LATTICE))
    exchange, anisotropy = 4 * 0.1e-12 / (LATTICE**2 * 2e5), 2 * 2e4 / 2e5
    middle = math.sqrt(2 * exchange * anisotropy + anisotropy**2)
    start = along_z(stack)
    start[0, 0] = 0.02
    every = 1e-12
    result = simulate(
        stack, Drive(field_z=0.5), duration=512 * every, every=every, initial=start, observe=[NeelVector()],
        integrator="dormand-prince", tolerance=1e-6, backend="torch", dtype=torch.float64,
    )  # fmt: skip
    n = result["neel_vector"].values[:, 0]
    signal = (n[:, 0] + 1j * n[:, 1]) * np.hanning(len(n))
    power = np.abs(np.fft.fft(signal, 32 * len(signal)))
    axis = np.fft.fftfreq(32 * len(signal), every)
    ours = [abs(axis[side][power[side].argmax()]) for side in (axis > 0, axis < 0)]
    model = np.array([middle - 0.5, middle + 0.5]) * GYROMAGNETIC_RATIO / (2 * math.pi)
    report("antiferromagnet: resonances in time, GHz", np.sort(ours) / 1e9, model / 1e9, 0.2)


# ---- fields and steps -----------------------------------------------------------------------------------------------


def test_canting_in_a_field_across(report: Report) -> None:
    """Across the easy axis the sublattices cant by sin(angle) = B/(2 He + Ha)."""
    constants = STIFF.model_copy(update={"anisotropy": 2e4})
    stack = chain(constants, 1, 2e-9, SublatticeExchange(-1e-12, LATTICE))
    exchange, anisotropy = 4e-12 / (LATTICE**2 * 2e5), 0.2
    m = minimize(System(stack, Drive(field_x=20.0)), along_z(stack), torque=1e-7)
    model = 20.0 / (2 * exchange + anisotropy)
    report("antiferromagnet: canting in 20 T", float(m[0, 0]), model, 1e-6)


def test_spin_flop() -> None:
    """Along the easy axis the Néel vector flops at sqrt(2 He Ha − Ha²) if it may choose."""
    stack = chain(STIFF.model_copy(update={"anisotropy": 2e4}), 1, 2e-9, SublatticeExchange(-0.1e-12, LATTICE))
    exchange, anisotropy = 0.4e-12 / (LATTICE**2 * 2e5), 0.2
    flop = math.sqrt(2 * exchange * anisotropy - anisotropy**2)
    flopped = stack.join([uniform(stack.layers[0].film, (x, 0.0, 0.3)) for x in (1.0, -1.0)])
    energies = []
    for factor in (0.98, 1.02):
        system = System(stack, Drive(field_z=factor * flop))
        upright = system.energy(along_z(stack))
        rest = minimize(system, flopped, torque=1e-6, on_maximum="ignore")
        energies.append(float(system.energy(rest) - upright))
    assert energies[0] > 0 > energies[1]


def test_steps_follow_from_the_exchange_of_the_sublattices() -> None:
    """800 T of exchange field and more: a step of the order of a femtosecond, at which the motion is stable."""
    stack = chain(WALL, 8, 2e-9, SublatticeExchange(-25e-12, LATTICE, inhomogeneous=-5e-12))
    advice = advise_step(stack)
    assert 2 * 4 * 25e-12 / (LATTICE**2 * 4e5) < advice.stiffest_field < 4500
    assert 1e-16 < advice.recommended < 1e-15
    simulation = Simulation(stack, temperature=10.0, initial=along_z(stack), dtype=torch.float64)
    simulation.advance(200 * simulation.dt)
    norms = torch.linalg.vector_norm(simulation.m, dim=1)
    assert torch.allclose(norms, torch.ones_like(norms))
    n = simulation.read(NeelVector())
    assert float(n[0, 2]) > 0.9


def test_relax_turns_two_parallel_sublattices_against_each_other() -> None:
    stack = chain(WALL, 6, 2e-9, SublatticeExchange(-1e-12, LATTICE))
    tilted = [uniform(stack.layers[0].film, (0.3, 0.1, z)) for z in (1.0, 0.9)]
    m = stack.split(relax(System(stack), stack.join(tilted)))
    assert torch.allclose(m[:, 0], -m[:, 1], atol=1e-5)


def test_inputs_are_checked() -> None:
    film = Film(Grid(4, 1, 2e-9, 2e-9, 1e-9), WALL)
    exchange = SublatticeExchange(-1e-12, LATTICE)
    with pytest.raises(InputError, match="lattice_constant"):
        SublatticeExchange(-1e-12, 0.35)
    with pytest.raises(InputError, match="homogeneous"):
        SublatticeExchange(math.nan, LATTICE)
    with pytest.raises(InputError, match="2 sublattices"):
        antiferromagnet([film] * 3, exchange)
    with pytest.raises(InputError, match="same cells"):
        antiferromagnet([film, Film(Grid(4, 1, 2e-9, 2e-9, 2e-9), WALL)], exchange)
    with pytest.raises(InputError, match=r"film\.fill"):
        antiferromagnet([film, Film(film.grid, WALL, torch.full((4, 1), 0.5))], exchange)
    with pytest.raises(InputError, match="single film"):
        simulate(film, duration=1e-13, every=1e-13, observe=[NeelVector()])
