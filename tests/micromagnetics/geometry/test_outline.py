"""Outlines: filled fractions, roughness, and pinning that does not depend on the cells."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    EdgeRoughness,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    MeanMagnetisation,
    Notch,
    System,
    TrackOutline,
    UniaxialAnisotropy,
    compiled,
    domain_wall,
    graded_notches,
    material,
    simulate,
    track_film,
)

MATERIAL = material("cofeb-tantalum")
ROUGH = TrackOutline(length=280e-9, roughness=EdgeRoughness())


def area(outline: TrackOutline, cell: float) -> float:
    """Filled area in nm²."""
    grid = outline.grid(1e-9, cell)
    return float(outline.coverage(grid).sum() * grid.dx * grid.dy * 1e18)


@pytest.mark.parametrize("cell", [4e-9, 2e-9, 1e-9])
@pytest.mark.parametrize(
    ("shape", "bite"), [("triangular", 8 * 20.0), ("rectangular", 2 * 8 * 20.0), ("semicircular", math.pi / 2 * 8 * 20)]
)
def test_a_notch_takes_away_its_area(shape: str, bite: float, cell: float) -> None:
    notch = Notch(position=201e-9, depth=8e-9, half_length=20e-9, shape=shape, side="upper")
    # Across the track the overlap is exact; along it the edge is sampled eight times a cell, which at the vertical
    # sides of a rectangle leaves at most one sample's strip at each end.
    strip = 2 * 8 * cell * 1e9 / 8 if shape == "rectangular" else 0.02 * bite
    assert area(TrackOutline(notches=(notch,)), cell) == pytest.approx(512 * 64 - bite, abs=strip)


def test_hardly_filled_cells_are_left_empty() -> None:
    outline = TrackOutline(length=100e-9, width=10.2e-9)
    grid = Grid(25, 5, 4e-9, 4e-9, 1e-9)
    assert torch.allclose(outline.coverage(grid)[0, 3], torch.tensor([0, 0.775, 1, 0.775, 0], dtype=torch.float64))
    narrow = TrackOutline(length=100e-9, width=12.3e-9)
    assert torch.allclose(narrow.coverage(grid)[0, 3, 0], torch.tensor(0.0375, dtype=torch.float64))
    assert torch.equal(narrow.fill(grid)[0, 3], torch.tensor([0.0, 1, 1, 1, 0], dtype=torch.float64))


def test_a_notch_on_both_sides_takes_twice_as_much_and_lies_where_it_should() -> None:
    notch = Notch(position=100e-9, depth=8e-9, half_length=20e-9)
    outline = TrackOutline(notches=(notch,))
    assert area(outline, 2e-9) == pytest.approx(512 * 64 - 2 * 8 * 20, rel=1e-4)
    grid = outline.grid(1e-9, 2e-9)
    width = outline.fill(grid)[0].sum(1) * grid.dy
    assert abs(float(grid.x[width.argmin()]) - 100e-9) <= grid.dx
    assert torch.allclose(width[:39], torch.tensor(64e-9, dtype=torch.float64))


def test_taper_widens_to_the_right() -> None:
    outline = TrackOutline(taper=0.1)
    grid = outline.grid(1e-9, 4e-9)
    width = outline.fill(grid)[0].sum(1) * grid.dy
    assert torch.allclose(width, 64e-9 * (1 + 0.1 * grid.x / 512e-9), rtol=1e-9)


def test_graded_notches_need_as_many_lengths_as_places() -> None:
    notches = graded_notches([100e-9, 170e-9], 8e-9, [40e-9, 24e-9], side="lower")
    assert [n.half_length for n in notches] == [40e-9, 24e-9]
    assert all(n.side == "lower" for n in notches)
    with pytest.raises(InputError, match="2 positions but 1 half-lengths"):
        graded_notches([1e-9, 2e-9], 8e-9, [4e-9])


def test_roughness_has_the_amplitude_and_the_correlation_asked_for() -> None:
    rough = EdgeRoughness(rms=1.5e-9, correlation_length=20e-9)
    length, devices = 2000e-9, 200
    x = torch.arange(0, length, 1e-9, dtype=torch.float64)
    edges = rough.edges(x, length, devices, seed=1)
    # 400 edges of some 2000/(20 sqrt(pi/2)) = 80 independent pieces each: 32 000 pieces, so that the variance is known
    # to sqrt(2/32000) = 0.8 % and its root to 0.4 %. Linear interpolation between 16 knots a correlation length takes
    # away up to 0.1 %. Limits at four sigmas.
    assert float(edges.std()) == pytest.approx(1.5e-9, rel=0.016)
    for lag in (10, 20, 40):
        correlation = float((edges[..., lag:] * edges[..., :-lag]).mean()) / 1.5e-9**2
        assert correlation == pytest.approx(math.exp(-((lag / 20) ** 2)), abs=0.04)
    between = float((edges[:, 0] * edges[:, 1]).mean()) / 1.5e-9**2
    # 200 pairs of 80 pieces: sigma 1/sqrt(16000) = 0.8 %.
    assert abs(between) < 0.032


def test_a_device_has_the_same_edges_in_any_company_and_on_any_cells() -> None:
    x = torch.linspace(0, 400e-9, 300, dtype=torch.float64)
    few, many = (ROUGH.edges(x, devices, seed=3) for devices in (2, 5))
    assert torch.equal(few[0], many[0][:2])
    assert torch.equal(few[1], many[1][:2])
    assert not torch.equal(many[0][0], many[0][1])
    assert not torch.equal(few[0], ROUGH.edges(x, 2, seed=4)[0])
    sub = x[::7]
    assert torch.allclose(ROUGH.edges(sub, 2, seed=3)[0], few[0][:, ::7], atol=1e-20)


def test_the_grid_leaves_room_for_the_roughest_edge() -> None:
    outline = TrackOutline(roughness=EdgeRoughness(rms=2e-9))
    grid = outline.grid(1e-9, 4e-9)
    assert grid.ny * grid.dy >= 64e-9 + 2 * 3 * 2e-9
    # On average the roughness takes away as much as it adds. An edge's mean over 512 nm wanders by
    # rms sqrt(20 sqrt(pi)/512) = 0.5 nm, two edges of 64 devices: 0.5 sqrt(2)/8 = 0.09 nm in the width; four sigmas.
    width = outline.fill(grid, devices=64, seed=0).sum(2).mean() * grid.dy
    assert float(width) == pytest.approx(64e-9, abs=0.4e-9)


def test_bad_outlines_are_refused() -> None:
    with pytest.raises(InputError, match="cut the track in two"):
        track_film(TrackOutline(notches=(Notch(position=100e-9, depth=40e-9, half_length=20e-9),)), MATERIAL)
    with pytest.raises(InputError, match="devices = 0"):
        TrackOutline().fill(Grid(8, 8, 4e-9, 4e-9, 1e-9), devices=0)
    with pytest.raises(InputError, match="cell = 1e-07: is larger than the track"):
        TrackOutline().grid(1e-9, 100e-9)
    with pytest.raises(InputError, match="subcell = 8e-09"):
        track_film(TrackOutline(), MATERIAL, subcell=8e-9)
    with pytest.raises(InputError, match=r"^smallest_fill = -0\.1: must be 0 to 1$"):
        track_film(TrackOutline(), MATERIAL, smallest_fill=-0.1)
    with pytest.raises(InputError, match=r"^TrackOutline: a notch at position = 4e-07 m does not touch the track"):
        TrackOutline(length=256e-9, notches=(Notch(position=400e-9, depth=8e-9, half_length=20e-9),))
    for wrong in ({"depth": -1e-9}, {"shape": "round"}, {"half_length": math.nan}):
        with pytest.raises(ValidationError):
            Notch.model_validate({"position": 1e-7, "depth": 8e-9, "half_length": 2e-8, **wrong})


@pytest.mark.parametrize("smallest", [0.0, 0.05, 0.3])
def test_cells_below_the_smallest_fill_are_left_empty(smallest: float) -> None:
    film = track_film(ROUGH, MATERIAL, cell=4e-9, smallest_fill=smallest)
    default, everything = (track_film(ROUGH, MATERIAL, cell=4e-9, **more) for more in ({}, {"smallest_fill": 0.0}))
    assert film.fill is not None
    assert default.fill is not None
    assert everything.fill is not None
    assert torch.equal(film.fill, everything.fill * (everything.fill >= smallest))
    assert bool(((everything.fill > 0) & (everything.fill < 0.05)).any())
    assert (film.origin == default.origin) == (smallest == 0.05)
    if smallest == 0.05:
        assert torch.equal(film.fill, default.fill)


def test_stray_field_of_a_uniformly_magnetised_rough_track_is_that_of_the_resolved_one() -> None:
    coarse = track_film(ROUGH, MATERIAL, cell=4e-9, subcell=1e-9)
    grid = coarse.grid
    subgrid = Grid(grid.nx * 4, grid.ny * 4, 1e-9, 1e-9, 1e-9)
    resolved = Film(subgrid, MATERIAL, ROUGH.coverage(subgrid))
    assert coarse.fill is not None
    assert resolved.fill is not None
    pooled = torch.nn.functional.avg_pool2d
    full = coarse.fill[0] > 0
    factors = []
    for film in (coarse, resolved):
        for axis in (0, 2):
            m = torch.zeros(1, 3, *film.grid.shape, dtype=torch.float64)
            m[:, axis] = 1
            factors.append(
                System(film, terms=(Demag(),)).field(m)[0, axis]
                - System(film, terms=(Demag(),)).field(m.roll(1 - axis, 1))[0, 1]
            )  # relative to y, as torques see it
    for ours, exact in ((factors[0], factors[2]), (factors[1], factors[3])):
        material_share = pooled(resolved.fill, 4)[0]
        average = pooled((exact * resolved.fill[0])[None], 4)[0] / material_share.clamp_min(1e-9)
        assert torch.allclose(ours[full], average[full], atol=1e-9)


def landscape(film: Film) -> torch.Tensor:
    """Energy of a rigid wall at places along the track, less its mean; J."""
    terms = (Exchange(), UniaxialAnisotropy(), InterfacialDMI(), Demag())
    places = torch.linspace(80e-9, 200e-9, 24, dtype=torch.float64)
    parts = [System(film, terms=terms, replicas=len(q)).energy(domain_wall(film, q)) for q in places.split(6)]
    energy = torch.cat(parts)
    return energy - energy.mean()


def test_pinning_converges_with_the_cells_where_a_staircase_does_not() -> None:
    """The landscape that rough edges of 1 nm make for a wall, against the same edges on 1 nm cells."""
    exact = landscape(track_film(ROUGH, MATERIAL, cell=1e-9, subcell=0.25e-9))

    def error(film: Film) -> float:
        return float((landscape(film) - exact).std() / exact.std())

    ours, scaled, staircase = {}, {}, {}
    for cell in (2e-9, 4e-9):
        film = track_film(ROUGH, MATERIAL, cell=cell)
        assert film.fill is not None
        ours[cell] = error(film)
        scaled[cell] = error(Film(film.grid, MATERIAL, film.fill))
        staircase[cell] = error(Film(film.grid, MATERIAL, (film.fill >= 0.5).to(torch.float64)))
    # Measured: 2 % and 6 %; filled fractions without the edges' stray field 21 % and 50 %; staircase 80 % and 100 %
    # (on 4 nm cells it does not see the edges at all).
    assert ours[2e-9] < 0.05
    assert ours[4e-9] < 0.12
    assert ours[2e-9] < ours[4e-9]
    assert scaled[4e-9] > 3 * ours[4e-9]
    assert staircase[4e-9] > 5 * ours[4e-9]
    assert staircase[2e-9] > 5 * ours[2e-9]


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason=str(compiled.unavailable_reason()))
def test_depinning_field_does_not_depend_on_the_cells() -> None:
    """Field that drives a wall past a notch, at zero temperature, on 4 and on 2 nm cells."""
    outline = TrackOutline(length=256e-9, width=48e-9, notches=(Notch(position=136e-9, depth=6e-9, half_length=12e-9),))
    damped = material("cofeb-tantalum", damping=0.5)
    fields = torch.linspace(2e-3, 32e-3, 16, dtype=torch.float64)
    step = float(fields[1] - fields[0])

    def threshold(film: Film) -> float:
        result = simulate(
            film, Drive(field_z=fields), duration=4e-9, every=1e-9, replicas=16, observe=[MeanMagnetisation()],
            initial=domain_wall(film, 100e-9),
        )  # fmt: skip
        passed = result["m"].sel(component="z").values[-1] > 0.5
        assert passed[-1]
        assert not passed[0]
        return float(fields[int(passed.argmax())])

    films = {cell: track_film(outline, damped, cell=cell) for cell in (4e-9, 2e-9)}
    ours = {cell: threshold(film) for cell, film in films.items()}
    # Resolved to one step of the field, on which a threshold between two cells sizes may fall either way.
    assert abs(ours[4e-9] - ours[2e-9]) <= 1.01 * step
