"""Shapes of any outline: exact filled fractions, families of devices, stray field of the edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import j1

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    BoundedRoughness,
    Demag,
    EdgeRoughness,
    Film,
    Grid,
    Mask,
    Polygon,
    Shape,
    System,
    TrackOutline,
    disc,
    ellipse,
    material,
    rectangle,
    ring,
    shape_film,
    tapered_track,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

MATERIAL = material("cofeb-tantalum")
NANO = 1e-9


def covered(shape: Shape, cell: float = 4e-9) -> torch.Tensor:
    """Coverage on a grid with room around the shape, which lies off its middle."""
    x0, y0, x1, y1 = shape.bounds
    nx, ny = (math.ceil((b - a) / cell) + 3 for a, b in ((x0, x1), (y0, y1)))
    return shape.coverage(Grid(nx, ny, cell, cell, 1e-9), (x0 - 1.3 * cell, y0 - 0.7 * cell))


AREAS: list[tuple[Shape, float]] = [
    (disc(100e-9), math.pi * 2500),
    (ring(120e-9, 60e-9), math.pi * (3600 - 900)),
    (ellipse(120e-9, 60e-9), math.pi * 60 * 30),
    (ellipse(120e-9, 60e-9).rotated(0.7), math.pi * 60 * 30),
    (rectangle(150e-9, 60e-9, 20e-9), 150 * 60 - (4 - math.pi) * 400),
    (rectangle(150e-9, 60e-9).rotated(1.1).moved(3e-9, 5e-9), 150 * 60),
    (tapered_track(200e-9, (25e-9, 105e-9)), 200 * 65),
    (tapered_track(200e-9, (25e-9, 105e-9), profile="exponential"), 200 * 80 / math.log(105 / 25)),
    (tapered_track(200e-9, lambda x: 50e-9 + 20e-9 * torch.sin(x * math.pi / 100e-9)), 200 * 50),
    (disc(50e-9).scaled(2.0), math.pi * 2500),
    (
        Polygon([[0, 0], [90e-9, 0], [90e-9, 40e-9], [0, 40e-9]], [[[10e-9, 10e-9], [30e-9, 10e-9], [20e-9, 30e-9]]]),
        90 * 40 - 200,
    ),
]


@pytest.mark.parametrize(("shape", "area"), AREAS, ids=lambda value: str(value)[:40])
def test_the_filled_area_is_the_exact_one(shape: Shape, area: float) -> None:
    assert isinstance(shape, Polygon)
    assert shape.area * 1e18 == pytest.approx(area, rel=1e-5)
    for cell in (4e-9, 1.7e-9):
        assert float(covered(shape, cell).sum()) * cell**2 * 1e18 == pytest.approx(area, rel=1e-5)


def test_each_filled_fraction_is_the_exact_one() -> None:
    # A triangle: the cells under the line y = x/2 hold 1/4 and 3/4.
    triangle = Polygon([[0, 0], [4e-9, 0], [4e-9, 2e-9]])
    wanted = [[0.25, 0.0], [0.75, 0.0], [1.0, 0.25], [1.0, 0.75]]
    found = triangle.coverage(Grid(4, 2, 1e-9, 1e-9, 1e-9))
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float64), rtol=0, atol=1e-12)
    # Parts of a shape beyond the grid do not count, on any side.
    big = rectangle(100e-9, 100e-9) - disc(3e-9)
    part = big.coverage(Grid(5, 7, 1e-9, 1e-9, 1e-9), (10e-9, -3e-9))
    assert bool((part == 1).all())
    # Random points agree with the fractions of cells.
    shape = ring(37e-9, 13e-9).moved(1e-9, -2e-9)
    grid = Grid(11, 11, 4e-9, 4e-9, 1e-9)
    fractions = shape.coverage(grid, (-22e-9, -22e-9))
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(11, 11, 2, 4000, dtype=torch.float64, generator=generator) * 4e-9
    x = places[:, :, 0] + (torch.arange(11) * 4e-9 - 22e-9)[:, None, None] - 1e-9
    y = places[:, :, 1] + (torch.arange(11) * 4e-9 - 22e-9)[None, :, None] + 2e-9
    r = torch.hypot(x, y)
    hits = ((r < 18.5e-9) & (r > 6.5e-9)).double().mean(2)
    assert float((hits - fractions).abs().max()) < 5 * math.sqrt(0.25 / 4000)


def test_a_mask_is_resampled_by_area() -> None:
    pixels = torch.rand(9, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).numpy()
    mask = Mask(pixels, (3e-9, 2e-9), (5e-9, 1e-9))
    same = mask.coverage(Grid(9, 6, 3e-9, 2e-9, 1e-9), (5e-9, 1e-9))
    torch.testing.assert_close(same, torch.from_numpy(pixels), rtol=0, atol=1e-12)
    other = mask.coverage(Grid(7, 5, 5e-9, 4e-9, 1e-9))
    assert float(other.sum()) * 20 == pytest.approx(pixels.sum() * 6, rel=1e-12)
    assert mask.scaled(2.0).bounds == pytest.approx((-8.5e-9, -5e-9, 45.5e-9, 19e-9))
    image = np.full((4, 3), 255, dtype=np.uint8)
    image[0, 2] = 0  # top right
    drawn = Mask.of_image(image, 10e-9)
    assert drawn.fractions.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert Mask.of_image(np.repeat(image[:, :, None], 4, 2), 10e-9, filled="bright").fractions.sum() == 11


COMBINED: list[tuple[Callable[[Any, Any], Shape], float]] = [
    (lambda a, b: a | b, 60 * 40 + 60 * 40 - 30 * 40),
    (lambda a, b: a & b, 30 * 40),
    (lambda a, b: a - b, 30 * 40),
]


@pytest.mark.parametrize(("combine", "area"), COMBINED, ids=["union", "intersection", "difference"])
def test_combinations_have_their_area(combine: Callable[[Any, Any], Shape], area: float) -> None:
    a, b = rectangle(60e-9, 40e-9).rotated(0.4, (0, 0)), rectangle(60e-9, 40e-9).moved(30e-9, 0).rotated(0.4, (0, 0))
    combined = combine(a, b)
    assert float(covered(combined, 2e-9).sum()) * 4 == pytest.approx(area, rel=2e-3)
    assert float(covered(combined.rotated(1.0), 2e-9).sum()) * 4 == pytest.approx(area, rel=2e-3)


def test_no_crack_between_two_shapes_that_touch() -> None:
    left, right = rectangle(40e-9, 40e-9), rectangle(40e-9, 40e-9).moved(40e-9, 0)
    both = (left | right).coverage(Grid(23, 10, 3.5e-9, 4e-9, 1e-9), (-20e-9, -20e-9))
    assert bool((both[:22] == 1).all())
    whole = rectangle(80e-9, 40e-9)
    for angle in (0.3, 1.0):
        parts = rectangle(40e-9, 40e-9).moved(-20e-9, 0) | rectangle(40e-9, 40e-9).moved(20e-9, 0)
        difference = covered(parts.rotated(angle), 2e-9).sum() - covered(whole.rotated(angle), 2e-9).sum()
        assert abs(float(difference)) < 4


def demagnetising_factor(film: Film) -> float:
    """N_z of a uniform film with N_x = N_y and N_x + N_y + N_z = 1, from the energies along z and x."""
    system = System(film)
    assert film.fill is not None
    energies = [float(Demag().energy(system.state(uniform(film, axis)))[0]) for axis in ((0, 0, 1), (1, 0, 0))]
    unit = 0.5 * 4e-7 * math.pi * MATERIAL.saturation_magnetisation**2 * film.grid.cell_volume * float(film.fill.sum())
    return (2 * (energies[0] - energies[1]) / unit + 1) / 3


@pytest.mark.validation
def test_disc_has_its_area_and_its_demagnetising_factor(report: Report) -> None:
    # N_z = 2 ∫ J1(kR)²/k (1 − exp(−kt))/(kt) dk of a disc of radius R and thickness t.
    def integrand(k: float) -> float:
        return 2 * j1(50 * k) ** 2 / k * -math.expm1(-k) / k

    edges = np.linspace(1e-9, 8, 400)
    exact = sum(quad(integrand, a, b)[0] for a, b in itertools.pairwise(edges))
    exact += quad(lambda k: 2 / (math.pi * 50 * k) / k**2, 8, np.inf)[0]
    assert exact == pytest.approx(0.9650, abs=1e-4)
    for cell, area in ((4e-9, 1e-3), (2e-9, 2e-4)):
        film = shape_film(disc(100e-9), MATERIAL, cell=cell)
        assert film.grid.shape == (round(100e-9 / cell),) * 2
        assert film.fill is not None
        size = f"disc of 100 nm, {cell * 1e9:g} nm cells"
        report(f"{size}, area in nm²", float(film.fill.sum()) * cell**2 * 1e18, math.pi * 2500, area * math.pi * 2500)
        report(f"{size}, N_z of 1 nm", demagnetising_factor(film), exact, 5e-4 * exact)


def test_cells_of_little_moment_are_left_empty() -> None:
    for smallest in (0.0, 0.05, 0.3):
        film = shape_film(disc(100e-9), MATERIAL, smallest_fill=smallest)
        assert film.fill is not None
        filled = film.fill[film.fill > 0]
        assert float(filled.min()) >= smallest
        assert (float(filled.min()) < 0.05) == (smallest == 0.0)
        # The stray field stays that of the outline.
        assert demagnetising_factor(film) == pytest.approx(0.9650, rel=3e-3)
    with pytest.raises(InputError, match=r"^smallest_fill = 1\.5: must be 0 to 1$"):
        shape_film(disc(100e-9), MATERIAL, smallest_fill=1.5)


def test_sizes_of_a_family() -> None:
    film = shape_film(disc(80e-9), MATERIAL, devices=200, size_spread=0.05, subcell=4e-9, seed=2)
    assert film.fill is not None
    diameters = 2 * (film.fill.sum((1, 2)) * 16 / math.pi).sqrt()
    assert float(diameters.mean()) == pytest.approx(80, abs=5 * 4 / math.sqrt(200))
    assert float(diameters.std()) == pytest.approx(4, rel=5 / math.sqrt(400))
    few = shape_film(disc(80e-9), MATERIAL, grid=film.grid, devices=3, size_spread=0.05, subcell=4e-9, seed=2)
    assert few.fill is not None
    assert torch.equal(few.fill, film.fill[:3])
    given = shape_film(disc(80e-9), MATERIAL, devices=3, sizes=[0.9, 1, 1.1])
    assert given.fill is not None
    found = (2 * (given.fill.sum((1, 2)) * 16 / math.pi).sqrt()).tolist()
    assert found == pytest.approx([72, 80, 88], rel=2e-3)


@pytest.mark.parametrize("combined", [False, True])
def test_rough_edges_have_their_rms_whatever_the_cells(combined: bool) -> None:
    roughness = EdgeRoughness(rms=1.5e-9, correlation_length=10e-9)
    shape: Shape = rectangle(300e-9, 60e-9)
    if combined:
        shape = shape & rectangle(400e-9, 60e-9)
    grid = Grid(84, 24, 4e-9, 4e-9, 1e-9)
    film = shape_film(shape, MATERIAL, grid=grid, devices=2, roughness=roughness, subcell=2e-9, seed=5)
    assert film.fill is not None
    # Upper edge of each column away from the ends, in nm; the mean over 4 nm takes 4 % of the variance away.
    upper = 4 * film.fill[:, 8:-8, 12:].sum(2) - 30
    lower = 4 * film.fill[:, 8:-8, :12].sum(2) - 30
    for edge in (upper, lower):
        # 2 x 270 nm are about 30 correlation lengths: the variance to 5 standard errors.
        assert float(edge.std()) == pytest.approx(1.5, rel=5 * 0.5 * math.sqrt(2 / 30))
    finer = Grid(168, 48, 2e-9, 2e-9, 1e-9)
    other = shape_film(shape, MATERIAL, grid=finer, devices=1, roughness=roughness, subcell=2e-9, seed=5)
    assert other.fill is not None
    pooled = other.fill[0].reshape(84, 2, 24, 2).mean((1, 3))
    assert float((pooled - film.fill[0]).abs().max()) < 0.06  # slivers below 5 %
    assert not torch.equal(film.fill[0], film.fill[1])


def test_roughness_that_may_cut_a_track_is_refused_unless_it_is_bounded() -> None:
    wild = EdgeRoughness(rms=5e-9, correlation_length=10e-9)
    with pytest.raises(ValueError, match=r"roughness\.rms = 5e-09 m may cut a track of 2e-08 m; must be at most 3"):
        TrackOutline(length=200e-9, width=20e-9, roughness=wild)
    with pytest.raises(ValueError, match=r"roughness\.bound = 1e-08 m may cut a track of 2e-08 m"):
        TrackOutline(length=200e-9, width=20e-9, roughness=BoundedRoughness(rms=5e-9, bound=10e-9))
    bounded = BoundedRoughness(rms=5e-9, correlation_length=10e-9, bound=6e-9)
    outline = TrackOutline(length=200e-9, width=20e-9, roughness=bounded)
    assert outline.roughness == bounded
    assert TrackOutline.model_validate(outline.model_dump()) == outline
    lower, upper = outline.edges(torch.linspace(0, 200e-9, 2001, dtype=torch.float64), 20, 0)
    assert float((upper - lower).min()) >= 8e-9 - 1e-15
    assert float(upper.max()) == pytest.approx(16e-9)
    with pytest.raises(InputError, match=r"^roughness: rms = 5e-09 m cuts device \d+ apart; give a smaller rms or a b"):
        shape_film(rectangle(400e-9, 14e-9), MATERIAL, devices=8, roughness=wild, subcell=1e-9)


IMPOSSIBLE: list[tuple[Callable[[], Any], str]] = [
    (lambda: disc(100), r"diameter = 100 m is no length; 100e-9 \(100 nm\)\?"),
    (lambda: disc(-1e-9), "diameter = -1e-09: must be a positive length in m"),
    (lambda: ring(1e-8, 2e-8), "inner_diameter = 2e-08: must be smaller than outer_diameter"),
    (lambda: rectangle(1e-8, 1e-8, 6e-9), "corner_radius = 6e-09: must be 0 to 5e-09 m, half of the shorter side"),
    (lambda: tapered_track(1e-7, (1e-8, 2e-8), profile="x"), "profile = 'x': must be linear or exponential"),
    (lambda: tapered_track(1e-7, lambda x: x), "width: must be positive and finite all along the track"),
    (lambda: Polygon([[0, 0], [1e-9, 0]]), r"polygon\.points: must be three points \(x, y\) or more, in m"),
    (lambda: Polygon([[0, 0], [1e-9, 0], [2e-9, 0]]), r"polygon\.points: encloses no area"),
    (lambda: Polygon([[0, 0], [1e-9, math.nan], [2e-9, 0]]), r"polygon\.points: not all values are finite"),
    (
        lambda: shape_film(Polygon([[0, 0], [1e-7, 1e-7], [1e-7, 0], [0, 7e-8]]), MATERIAL),
        "polygon: the outline crosses itself, or a hole reaches beyond it",
    ),
    (lambda: Mask(np.zeros((3, 3)), (1e-9, 1e-9)), "mask: nothing is filled"),
    (lambda: Mask(np.full((3, 3), 2.0), (1e-9, 1e-9)), "mask: filled fractions must lie between 0 and 1"),
    (lambda: Mask(np.ones((3, 3)), (1e-9, 1e-9)).rotated(0.1), "mask: cannot be turned; turn the raster itself"),
    (lambda: shape_film(disc(1e-7), MATERIAL, cell=0.0), "cell = 0.0: must be a positive length in metres, below 1 mm"),
    (lambda: shape_film(disc(1e-7), MATERIAL, devices=0), "devices = 0: must be 1 or more"),
    (lambda: shape_film(disc(1e-7), MATERIAL, size_spread=0.4), "size_spread = 0.4: must be 0 or more and below 1/3"),
    (
        lambda: shape_film(disc(1e-7), MATERIAL, sizes=[1, 2]),
        r"sizes = \[1.0, 2.0\]: must be 1 positive numbers, one for each device",
    ),
    (lambda: shape_film(disc(1e-7) & disc(1e-8).moved(1e-6, 0), MATERIAL), "shape: the intersection is empty"),
]


def test_impossible_shapes_are_refused() -> None:
    for make, message in IMPOSSIBLE:
        with pytest.raises(InputError, match=f"^{message}$"):
            make()


def test_raster_of_subcells_is_bounded() -> None:
    with pytest.raises(InputError, match="would take about"):
        shape_film(disc(40e-6), MATERIAL, cell=50e-9)
