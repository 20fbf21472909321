"""Slope of the magnetisation that the Zhang-Li torque takes: its order, its edges, and the kernel's beside torch's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import CompiledHeun, Drive, Film, Grid, System, ZhangLi, compiled, material, random_state
from barkhausen.micromagnetics.integrators.lanes.problem import lane_drive
from barkhausen.micromagnetics.layout import cross

pytestmark = pytest.mark.usefixtures("one_thread")

CONSTANTS = material("cofeb-tantalum", spin_polarisation=0.6, non_adiabaticity=0.2)
CURRENT = 1e12


def slope(film: Film, m: Tensor) -> Tensor:
    """u dm/dx that the term took, from its field: m × B + xi B x m … = −(…): solved for what is perpendicular to m."""
    field = System(film, Drive(magnet_current_density=CURRENT), (ZhangLi(),), replicas=len(m)).field(m)
    xi = CONSTANTS.non_adiabaticity
    # B = −(m × g + xi g)/gamma with g perpendicular to m: m × B = (g − xi m × g)/gamma.
    turned = cross(m, field)
    g = GYROMAGNETIC_RATIO * (turned - xi * field) / (1 + xi * xi)
    return g / (ZhangLi.drift_per_current(CONSTANTS) * CURRENT)


def helix(cells: int, turn: float, periodic: bool = False, ny: int = 1) -> tuple[Film, Tensor]:
    """m turning by ``turn`` rad a cell; its slope along x is turn/dx z × m."""
    grid = Grid(cells, ny, 4e-9, 4e-9, 1e-9, periodic=(periodic, False))
    angle = turn * torch.arange(cells, dtype=torch.float64)
    m = torch.stack((torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)))[None, :, :, None]
    return Film(grid, CONSTANTS), m.expand(-1, -1, -1, ny).clone()


@pytest.mark.parametrize("turn", [0.1, 0.5, 1.0])
def test_slope_of_a_helix_is_of_the_fourth_order_inside_and_of_the_second_at_edges(turn: float) -> None:
    film, m = helix(12, turn)
    found = slope(film, m) * film.grid.dx
    along = torch.stack((-m[:, 1], m[:, 0], m[:, 2]), 1)
    rate = (found * along).sum(1)[0, :, 0]
    fourth = (8 * math.sin(turn) - math.sin(2 * turn)) / 6
    torch.testing.assert_close(rate[2:-2], torch.full((8,), fourth, dtype=torch.float64), rtol=0, atol=1e-12)
    assert fourth == pytest.approx(turn * (1 - turn**4 / 30), rel=0.3 * turn**4)
    second = torch.tensor([0.5 * math.sin(turn), math.sin(turn)], dtype=torch.float64)
    torch.testing.assert_close(rate[:2], second, rtol=0, atol=1e-12)
    torch.testing.assert_close(rate[-2:], second.flip(0), rtol=0, atol=1e-12)


def test_a_ring_has_no_edges() -> None:
    turn = 2 * math.pi / 12
    film, m = helix(12, turn, periodic=True)
    rate = (slope(film, m) * film.grid.dx * torch.stack((-m[:, 1], m[:, 0], m[:, 2]), 1)).sum(1)
    fourth = (8 * math.sin(turn) - math.sin(2 * turn)) / 6
    torch.testing.assert_close(rate, torch.full_like(rate, fourth), rtol=0, atol=1e-12)


def test_an_empty_cell_leaves_the_second_order_around_it() -> None:
    turn = 0.5
    film, m = helix(13, turn, ny=2)
    fill = torch.ones(1, 13, 2, dtype=torch.float64)
    fill[0, 6, 1] = 0.0
    film = Film(film.grid, CONSTANTS, fill)
    m = m * (fill > 0)[:, None]
    rate = (slope(film, m) * film.grid.dx * torch.stack((-m[:, 1], m[:, 0], m[:, 2]), 1)).sum(1)[0]
    fourth, second = (8 * math.sin(turn) - math.sin(2 * turn)) / 6, math.sin(turn)
    assert float(rate[6, 0]) == pytest.approx(fourth)
    expected = {3: fourth, 4: second, 5: second / 2, 6: 0.0, 7: second / 2, 8: second, 9: fourth}
    for x, value in expected.items():
        assert float(rate[x, 1]) == pytest.approx(value, abs=1e-12)


@pytest.mark.skipif(not compiled.available(), reason="the compiled kernel is not built")
@pytest.mark.parametrize("shape", [(11, 6), (5, 1), (4, 3), (2, 2), (1, 4), (1, 1), (7, 9)])
def test_the_kernel_takes_the_same_slope(shape: tuple[int, int]) -> None:
    """On films that differ in every cell, empty ones among them, for every number of rows."""
    generator = torch.Generator().manual_seed(shape[0])
    fill = torch.rand(8, *shape, dtype=torch.float64, generator=generator)
    fill = torch.where(fill < 0.2, 0.0, torch.where(fill > 0.5, 1.0, fill))
    fill[:, 0, 0] = 1.0
    film = Film(Grid(*shape, 4e-9, 4e-9, 1e-9), CONSTANTS, fill)
    drive = Drive(magnet_current_density=torch.linspace(-2e12, 2e12, 8, dtype=torch.float64))
    double = System(film, drive, (ZhangLi(),), replicas=8)
    single = System(film, drive, (ZhangLi(),), replicas=8, dtype=torch.float32)
    m = double.start(random_state(film, 8, generator))
    kernel = CompiledHeun(single, m.float(), dt=1e-14)
    row = lane_drive(single, torch.zeros(1, dtype=torch.float64))[0]
    found = torch.from_numpy(kernel._lanes.field(row)).double()
    difference = (found - double.field(m)) * (fill > 0)[:, None]
    assert float(difference.abs().max()) < 2e-6
