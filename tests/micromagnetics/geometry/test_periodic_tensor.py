"""The demagnetisation tensor of periodic films against exact results of magnetostatics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import Demag, Film, Grid, Material, ParameterMaps, System, random_state, uniform
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor
from barkhausen.micromagnetics.geometry.periodic_tensor import periodic_tensor

if TYPE_CHECKING:
    from tests.conftest import Report

MATERIAL = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.1)
FULL = VACUUM_PERMEABILITY * MATERIAL.saturation_magnetisation

TOLERANCE = 2e-9
"""Stated error of the tensor summed over all offsets, mostly that of the quadrature beyond the closed form."""


def field(film: Film, m: Tensor) -> Tensor:
    """Demagnetising field in units of mu0 Ms."""
    return System(film, terms=(Demag(),), replicas=len(m)).field(m) / FULL


@pytest.mark.validation
@pytest.mark.parametrize(
    "grid",
    [
        Grid(1, 1, 4e-9, 4e-9, 20e-9, (True, True)),
        Grid(8, 8, 4e-9, 4e-9, 4e-9, (True, True)),
        Grid(3, 5, 4e-9, 3e-9, 1e-9, (True, True)),
        Grid(48, 4, 4e-9, 4e-9, 1e-9, (True, True)),
    ],
    ids=str,
)
def test_uniform_film_demagnetises_itself_along_its_normal_alone(grid: Grid, report: Report) -> None:
    film = Film(grid, MATERIAL)
    for axis, factor in enumerate((0.0, 0.0, 1.0)):
        direction = [0.0, 0.0, 0.0]
        direction[axis] = 1.0
        ours = -field(film, uniform(film, tuple(direction)))[0, axis]
        worst = float(ours.flatten()[(ours - factor).abs().argmax()])
        check = f"N_{'xyz'[axis] * 2} of a periodic film, {grid.nx} x {grid.ny} cells, dz/dx = {grid.dz / grid.dx:g}"
        report(check, worst, factor, TOLERANCE)


@pytest.mark.validation
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 2.5])
def test_periodic_strip_is_an_infinite_bar(ratio: float, report: Report) -> None:
    """Mean N_yy and N_zz of an infinite bar of rectangular section (Aharoni, J. Appl. Phys. 83, 3432 (1998))."""
    cells, cell = 10, 2e-9
    grid = Grid(3, cells, cell, cell, ratio * cells * cell, (True, False))
    for flip in (False, True):
        turned = Grid(grid.ny, grid.nx, cell, cell, grid.dz, (False, True)) if flip else grid
        film = Film(turned, MATERIAL)
        zz = -field(film, uniform(film, (0.0, 0.0, 1.0)))[0, 2].mean()
        across = 0 if flip else 1
        yy = -field(film, uniform(film, (float(flip), float(not flip), 0.0)))[0, across].mean()
        along = -field(film, uniform(film, (float(not flip), float(flip), 0.0)))[0, 1 - across]
        p = ratio
        exact = ((1 - p * p) / (2 * p) * math.log1p(p * p) + p * math.log(p) + 2 * math.atan(1 / p)) / math.pi
        axis = "y" if flip else "x"
        report(f"N_zz of an infinite bar along {axis}, thickness/width = {p:g}", float(zz), exact, 1e-9)
        report(f"N across an infinite bar along {axis}, {p:g}", float(yy), 1 - exact, 1e-9)
        assert float(along.abs().max()) < 1e-9


@pytest.mark.validation
@pytest.mark.parametrize("thickness", [1e-9, 8e-9, 40e-9])
def test_stripes(thickness: float, report: Report) -> None:
    """Energy of stripe domains with sharp walls, as cells hold them exactly (Kooy and Enz 1960).

    <N_zz> = sum over odd n of 8/(pi n)² (1 − exp(−n k t))/(n k t), k = 2 pi/period.
    """
    film = Film(Grid(16, 2, 4e-9, 4e-9, thickness, (True, True)), MATERIAL)
    m = uniform(film, (0.0, 0.0, 1.0))
    m[:, 2, 8:] = -1.0
    ours = -float((field(film, m) * m).sum(1).mean())
    n = np.arange(1, 2_000_001, 2, dtype=float)
    phase = n * 2 * math.pi / film.grid.length * thickness
    exact = float((8 / (math.pi * n) ** 2 * -np.expm1(-phase) / phase).sum())
    report(f"demagnetising factor of stripes, thickness/period = {thickness / 64e-9:.3g}", ours, exact, 1e-9)


@pytest.mark.validation
@pytest.mark.parametrize(("across_x", "across_y"), [(1, 0), (0, 3), (2, 1)], ids=str)
def test_waves(across_x: int, across_y: int, report: Report) -> None:
    """N(k) of a wave: (1 − exp(−k t))/(k t) for m_z, the rest for m along k, summed over the harmonics of cells."""
    grid = Grid(12, 10, 4e-9, 3e-9, 2e-9, (True, True))
    film = Film(grid, MATERIAL)
    phase = 2 * math.pi * (across_x / grid.length * grid.x[:, None] + across_y / grid.width * grid.y)
    # Along an axis the harmonics of the other vanish, and many more of this are worth summing.
    most = [0 if wave == 0 else 300_000 if 0 in (across_x, across_y) else 400 for wave in (across_x, across_y)]
    kx = 2 * math.pi * (across_x / grid.length + np.arange(-most[0], most[0] + 1)[:, None] / grid.dx)
    ky = 2 * math.pi * (across_y / grid.width + np.arange(-most[1], most[1] + 1) / grid.dy)
    k = np.hypot(kx, ky)
    weight = (np.sinc(kx * grid.dx / 2 / math.pi) * np.sinc(ky * grid.dy / 2 / math.pi)) ** 2
    zz = -np.expm1(-k * grid.dz) / (k * grid.dz)
    plane = (1 - zz) / k**2
    exact = {(2, 2): zz, (0, 0): kx * kx * plane, (1, 1): ky * ky * plane, (0, 1): kx * ky * plane}
    # Harmonics left out, of which m_z has at most 1/(k t).
    left_out = 1 - float(weight.sum())
    shortest = 2 * math.pi * min(count / step for count, step in zip(most, (grid.dx, grid.dy), strict=True) if count)
    for (target, source), part in exact.items():
        m = torch.zeros(1, 3, *grid.shape, dtype=torch.float64)
        m[:, source] = phase.cos()
        ours = -2 * float((field(film, m)[:, target] * phase.cos()).mean())
        name = f"N_{'xyz'[target]}{'xyz'[source]}(k) of the wave ({across_x}, {across_y})"
        tolerance = 1e-9 + left_out / (shortest * grid.dz if source == 2 else 1)
        report(name, ours, float((weight * part).sum()), tolerance)


@pytest.mark.parametrize("periodic", [(True, False), (False, True), (True, True)])
def test_two_periods_in_one_grid_are_two_periods(periodic: tuple[bool, bool]) -> None:
    """Patterns with any fill and Ms are the same on one period and on two."""
    once = Grid(6, 5, 4e-9, 3e-9, 1e-9, periodic)
    twice = Grid(12, 5, 4e-9, 3e-9, 1e-9, periodic) if periodic[0] else Grid(6, 10, 4e-9, 3e-9, 1e-9, periodic)
    dim = -2 if periodic[0] else -1
    random = torch.Generator().manual_seed(3)
    fill = torch.rand(1, 6, 5, generator=random, dtype=torch.float64).clamp_min(0.2)
    fill[:, 2, 3] = 0.0
    ms = 1e6 * (0.5 + torch.rand(1, 6, 5, generator=random, dtype=torch.float64))
    film = Film(once, MATERIAL, fill, maps=ParameterMaps(saturation_magnetisation=ms))
    m = random_state(film, 2, random)
    double = Film(
        twice,
        MATERIAL,
        torch.cat((fill, fill), dim),
        maps=ParameterMaps(saturation_magnetisation=torch.cat((ms, ms), dim)),
    )
    ours, both = field(film, m), field(double, torch.cat((m, m), dim))
    assert torch.allclose(torch.cat((ours, ours), dim), both, atol=2e-9, rtol=0)


@pytest.mark.parametrize("periodic", [(True, False), (False, True), (True, True)])
def test_transforms_sum_the_tensor(periodic: tuple[bool, bool]) -> None:
    """The convolution by transforms is the sum over pairs of cells."""
    film = Film(Grid(6, 5, 4e-9, 3e-9, 1e-9, periodic), MATERIAL)
    m = random_state(film, 1, torch.Generator().manual_seed(4))
    n = film.demag_kernel / FULL
    xx, yy, zz, xy = n
    direct = torch.zeros_like(m)
    for i in range(6):
        for j in range(5):
            part = [u[5 - i : 11 - i, 4 - j : 9 - j] for u in (xx, yy, zz, xy)]
            x, y, z = m[0, :, i, j]
            direct[0, 0] += part[0] * x + part[3] * y
            direct[0, 1] += part[1] * y + part[3] * x
            direct[0, 2] += part[2] * z
    assert torch.allclose(field(film, m), direct, atol=1e-12, rtol=0)


def test_images_of_a_line_add_up() -> None:
    """The tensor is that of the open film summed over 2001 images, whose rest falls as the square of their number."""
    cells, images = (2, 3), 1000
    open_film = demagnetisation_tensor(2 * (images + 1), 3, 4.0, 4.0, 1.0)
    middle = 2 * (images + 1) - 1
    offsets = torch.arange(-1, 2)
    steps = torch.arange(-images, images + 1) * 2
    summed = open_film[:, middle + offsets[:, None] + steps].sum(2)
    ours = periodic_tensor(Grid(*cells, 4e-9, 4e-9, 1e-9, (True, False)))
    assert torch.allclose(ours, summed, atol=1e-8, rtol=0)


def test_tensor_is_kept_for_a_grid() -> None:
    first, second = (Film(Grid(5, 4, 4e-9, 4e-9, 1e-9, (True, True)), MATERIAL) for _ in range(2))
    assert first._tensor is second._tensor
