"""Shapes and maps in simulations: both backends, gradients of temperature with grains, walls that are injected."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    Material,
    ParameterMaps,
    PerpendicularAnisotropy,
    PerpendicularMap,
    Simulation,
    WallPosition,
    compiled,
    disc,
    domain_wall,
    frozen_ends,
    grain_structure,
    material,
    parameter_map,
    shape_film,
    simulate,
    skyrmion,
    uniform,
    with_ends,
)

COBALT = Material(saturation_magnetisation=5.8e5, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.8e6, dmi=3.2e-3)
BOLTZMANN = 1.380649e-23


@pytest.mark.skipif(not compiled.available(), reason="no compiled kernel")
def test_the_backends_agree_on_a_family_of_discs() -> None:
    film = shape_film(disc(60e-9), COBALT, devices=3, size_spread=0.05, seed=3, cell=3e-9, subcell=1e-9)
    start = skyrmion(film, radius=10e-9)
    found = [
        simulate(film, duration=2e-12, every=2e-12, dt=2e-14, replicas=3, initial=start, backend=backend, dtype=dtype,
                 observe=[PerpendicularMap()])["mz"].values[-1]
        for backend, dtype in (("compiled", torch.float32), ("torch", torch.float64))
    ]  # fmt: skip
    assert float(np.nanmax(np.abs(found[0] - found[1]))) < 1e-5
    assert not np.array_equal(np.isnan(found[0][0]), np.isnan(found[0][1]))


def test_each_grain_has_the_temperature_of_its_place() -> None:
    grid = Grid(24, 8, 8e-9, 8e-9, 2e-9)
    own = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.5, anisotropy=8e5)
    grains = grain_structure(grid, size=20e-9, seed=5)
    ku = grains.values(8e5, 0.05)
    heat = parameter_map(grid, 0.2, gradient=1.6 / grid.length)
    film = Film(grid, own, anisotropy=ku, maps=ParameterMaps(temperature=heat, **grains.bonds(0.5)))
    run = Simulation(
        film, replicas=100, temperature=300.0, seed=1, dt=2e-13, initial=uniform(film, (0, 0, 1)),
        terms=(PerpendicularAnisotropy(),), backend="torch",
    )  # fmt: skip
    # Four times what the slowest spin takes, (1 + alpha²)/(gamma alpha 2 Ku/Ms) = 9 ps.
    run.advance(4e-11)
    m = run.m.to(torch.float64)
    energy = ku[0] * grid.cell_volume * (m[:, 0] ** 2 + m[:, 1] ** 2)
    # Two quadratic terms of a spin near its axis: <Ku V (m_x² + m_y²)> = kT (1 + kT/(2 Ku V)) to second order.
    ratio = energy.mean(0) / (BOLTZMANN * 300.0 * heat)
    thirds = [float(ratio[8 * k : 8 * (k + 1)].mean()) for k in range(3)]
    error = 1 / math.sqrt(100 * 64)
    small = BOLTZMANN * 300.0 / (2 * 8e5 * grid.cell_volume)
    for k, found in enumerate(thirds):
        assert found == pytest.approx(1 + small * float(heat[8 * k : 8 * (k + 1)].mean()), abs=4 * error + 0.02)


def test_a_current_injects_a_wall_from_a_frozen_end() -> None:
    grid = Grid(48, 1, 4e-9, 8e-9, 1e-9)
    own = material("cofeb-tantalum", damping=0.3)
    film = Film(grid, own, maps=ParameterMaps(frozen=frozen_ends(grid, length=16e-9, ends="left")))
    start = domain_wall(film, 24e-9, left=-1)
    start = with_ends(start, grid, length=16e-9, left=(0, 0, -1))
    places = {}
    for current in (-4e11, 4e11):
        result = simulate(
            film, Drive(current_density=current), duration=0.2e-9, every=0.1e-9, initial=start, backend="torch",
            integrator="dormand-prince", tolerance=1e-4, observe=[WallPosition(), PerpendicularMap()],
        )  # fmt: skip
        assert (result["mz"].values[:, 0, :4] == -1).all()
        places[current] = result["wall_position"].values[-1, 0]
    # Pressed against the frozen cells, or on its way.
    assert 12e-9 < places[-4e11] < 36e-9
    assert 50e-9 < places[4e11] < 180e-9
