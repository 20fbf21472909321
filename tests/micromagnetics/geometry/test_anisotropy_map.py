"""Regions, gradients and grains of anisotropy."""

from __future__ import annotations

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Grid, Region, anisotropy_map, grains

GRID = Grid(64, 16, 4e-9, 4e-9, 1e-9)


def test_gradient_and_regions() -> None:
    ku = anisotropy_map(GRID, 8e5, gradient=1e11, regions=[Region(start=102e-9, stop=150e-9, anisotropy=6e5)])
    assert ku.shape == (64, 16)
    assert float(ku[0, 0]) == pytest.approx(8e5 + 1e11 * 2e-9)
    assert float(ku[30, 5]) == pytest.approx(6e5)
    # The cell from 100 to 104 nm is half in the region.
    assert float(ku[25, 0]) == pytest.approx(0.5 * 6e5 + 0.5 * (8e5 + 1e11 * 102e-9))
    assert float(ku[63, 15]) == pytest.approx(8e5 + 1e11 * 254e-9)


def test_grains_have_the_spread_and_the_size_asked_for() -> None:
    maps = grains(GRID, 8e5, size=20e-9, spread=0.05, devices=50, seed=1)
    assert maps.shape == (50, 64, 16)
    # 50 films of 256 × 64 nm hold some 50 × 41 grains; those at the border are cut: about 1500 independent ones by
    # area, so that mean and spread are known to 0.05/sqrt(1500) = 0.13 % and 1/sqrt(3000) = 1.8 %. Four sigmas.
    assert float(maps.mean()) == pytest.approx(8e5, rel=0.0052)
    assert float(maps.std()) == pytest.approx(0.05 * 8e5, rel=0.075)
    # A straight line meets the borders of Voronoi cells of density 1/d² every d pi/4 (Møller 1989: 4/pi per d).
    borders = (maps[:, 1:] != maps[:, :-1]).to(torch.float64).mean() / GRID.dx
    assert float(1 / borders) == pytest.approx(20e-9 * torch.pi / 4, rel=0.1)


def test_a_device_has_the_same_grains_in_any_company_and_on_any_cells() -> None:
    few, many = (grains(GRID, 8e5, size=20e-9, spread=0.05, devices=n, seed=2) for n in (2, 4))
    assert torch.equal(few, many[:2])
    fine = grains(Grid(192, 48, 4e-9 / 3, 4e-9 / 3, 1e-9), 8e5, size=20e-9, spread=0.05, devices=2, seed=2)
    # The middle of three subcells is the centre of the cell.
    assert torch.equal(fine[:, 1::3, 1::3], few)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0.0}, "grains.size = 0.0: must be a positive length"),
        ({"spread": -0.1}, "grains.spread = -0.1: must be zero or positive"),
        ({"devices": 0}, "devices = 0: must be 1 or more"),
    ],
)
def test_bad_grains_are_refused(changes: dict[str, float], message: str) -> None:
    arguments = {"size": 20e-9, "spread": 0.05, "devices": 1} | changes
    with pytest.raises(InputError, match=message):
        grains(GRID, 8e5, **arguments)  # type: ignore[arg-type]


def test_a_region_must_have_an_extent() -> None:
    with pytest.raises(InputError, match="must lie beyond start"):
        anisotropy_map(GRID, 8e5, regions=[Region(start=2e-8, stop=1e-8, anisotropy=1e5)])
