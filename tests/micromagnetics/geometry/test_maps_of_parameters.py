"""Grains, gradients, regions, patches, and the ends of a track."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Demag,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    MeanMagnetisation,
    ParameterMaps,
    System,
    UniaxialAnisotropy,
    absorbing_ends,
    disc,
    domain_wall,
    edge_patches,
    frozen_ends,
    grain_structure,
    material,
    minimize,
    parameter_map,
    random_state,
    rectangle,
    shape_film,
    simulate,
    uniform,
    with_ends,
)

MATERIAL = material("cofeb-tantalum")
GRID = Grid(60, 20, 2e-9, 2e-9, 1e-9)


def test_grains_depend_on_seed_and_device_alone() -> None:
    fine, coarse = Grid(60, 31, 2e-9, 2e-9, 1e-9), Grid(20, 10, 6e-9, 6e-9, 1e-9)
    few, many = (grain_structure(grid, size=15e-9, devices=n, seed=4) for grid, n in ((fine, 2), (coarse, 3)))
    # The middle of a coarse cell is the middle of one fine cell; the fine grid is one cell wider.
    centre = grain_structure(Grid(60, 30, 2e-9, 2e-9, 1e-9), size=15e-9, devices=2, seed=4)
    for quantity in ("anisotropy", "dmi"):
        a, b = centre.values(1.0, 0.1, quantity), many.values(1.0, 0.1, quantity)
        assert torch.equal(a[:, 1::3, 1::3], b[:2])
    assert torch.equal(many.easy_axis(0.1)[:2], centre.easy_axis(0.1)[:, :, 1::3, 1::3])
    longer = grain_structure(Grid(300, 31, 2e-9, 2e-9, 1e-9), size=15e-9, devices=1, seed=4)
    assert torch.equal(longer.values(1.0, 0.1)[:, :60], few.values(1.0, 0.1)[:1])
    assert not torch.equal(few.values(1.0, 0.1)[0], few.values(1.0, 0.1)[1])
    other = grain_structure(fine, size=15e-9, devices=2, seed=5)
    assert not torch.equal(other.values(1.0, 0.1), few.values(1.0, 0.1))
    # A disc keeps its grains on other cells, if x counts from the middle.
    middle = [grain_structure(Grid(n, n, 100e-9 / n, 100e-9 / n, 1e-9), size=20e-9, centred=True) for n in (25, 75)]
    assert torch.equal(middle[0].values(1.0, 0.1), middle[1].values(1.0, 0.1)[:, 1::3, 1::3])


def test_size_and_spread_of_grains() -> None:
    grains = grain_structure(Grid(400, 400, 1e-9, 1e-9, 1e-9), size=10e-9, seed=1)
    number = len(grains.grain.unique())
    # 1600 grains in the film and some 160 at its edge that reach in.
    assert number == pytest.approx(1600 + 4 * 40 / 2, abs=5 * 40)
    drawn = [grains.normal[0, grains.grain.unique(), k] for k in range(7)]
    for k, values in enumerate(drawn):
        assert float(values.mean()) == pytest.approx(0, abs=5 / math.sqrt(number))
        assert float(values.std()) == pytest.approx(1, abs=5 / math.sqrt(2 * number))
        assert abs(float((values * drawn[k - 1]).mean())) < 5 / math.sqrt(number)
    ku = grains.values(8e5, 0.05)
    assert float((ku / 8e5 - 1).abs().max()) <= 0.15 + 1e-12
    axis = grains.easy_axis(0.1, (1, 0, 1))
    torch.testing.assert_close(axis.norm(dim=1), torch.ones(1, 400, 400).double())
    tilt = torch.acos((axis[:, 0] + axis[:, 2]) / math.sqrt(2))
    assert float(tilt.pow(2).mean().sqrt()) == pytest.approx(0.1 * math.sqrt(2), rel=0.1)


def test_bonds_are_weak_between_grains_alone() -> None:
    grains = grain_structure(GRID, size=12e-9, seed=2)
    maps = ParameterMaps(**grains.bonds(0.25))
    film = Film(GRID, MATERIAL, maps=maps)
    same_x = grains.grain[0, 1:] == grains.grain[0, :-1]
    assert maps.bond_x is not None
    assert torch.equal(maps.bond_x[0, :-1] == 1, same_x)
    assert 0 < int((~same_x).sum()) < same_x.numel() / 3
    # Exchange energy of a random state, bond by bond.
    m = random_state(film, 1, torch.Generator().manual_seed(0))
    a, total = MATERIAL.exchange_stiffness, 0.0
    for axis, name in ((1, "bond_x"), (2, "bond_y")):
        difference = (m[0].narrow(axis, 1, m.shape[axis + 1] - 1) - m[0].narrow(axis, 0, m.shape[axis + 1] - 1)) ** 2
        strength = getattr(maps, name)[0].narrow(axis - 1, 0, m.shape[axis + 1] - 1)
        total += float((strength * difference.sum(0)).sum()) * a * 1e-9
    assert float(Exchange().energy(System(film).state(m))[0]) == pytest.approx(total, rel=1e-9)


def test_gradients_profiles_and_steps() -> None:
    torch.testing.assert_close(
        parameter_map(GRID, 2.0, gradient=(3e7, -1e7)),
        2.0 + 3e7 * GRID.x[:, None] - 1e7 * GRID.y[None],
        rtol=0,
        atol=1e-12,
    )
    leak = parameter_map(Grid(425, 1, 2e-9, 40e-9, 1e-9), 0.0, profile=[(25e-9, 1.6e6), (825e-9, 0.8e6)], step=10e-9)[
        :, 0
    ]
    assert leak[:12].tolist() == pytest.approx([1.6e6] * 10 + [1.6e6] * 2)
    assert leak[-12:].tolist() == pytest.approx([0.8e6] * 12)
    assert leak[100:105].tolist() == pytest.approx([1.6e6 - 1e12 * (205e-9 - 25e-9)] * 5)
    assert len(leak.unique()) == 81
    assert parameter_map(GRID, 0.0, profile=[(0.0, 5.0)]).unique().tolist() == [5.0]


def test_regions_are_stretches_or_shapes() -> None:
    found = parameter_map(GRID, 1.0, regions=[((21e-9, 41e-9), 3.0), (disc(20e-9).moved(80e-9, 20e-9), -1.0)])
    assert found[:, 0].tolist()[9:22] == pytest.approx([1.0, 2.0, *[3.0] * 9, 2.0, 1.0])
    assert float((1.0 - found[30:]).sum()) * 4e-18 / 2 == pytest.approx(math.pi * 100e-18, rel=1e-5)
    patches = edge_patches(GRID, width=36e-9, pitch=20e-9, length=8e-9, depth=6e-9)
    assert len(patches) == 12
    ku = parameter_map(GRID, 1.0, regions=[(patch, 2.0) for patch in patches])
    assert float((ku - 1).sum()) * 4 == pytest.approx(12 * 48)
    assert ku[5].tolist() == pytest.approx([1.0, *[2.0] * 3, *[1.0] * 12, *[2.0] * 3, 1.0])
    assert len(edge_patches(GRID, width=36e-9, pitch=20e-9, length=8e-9, depth=6e-9, side="upper")) == 6


def test_dmi_of_opposite_sign_in_two_regions_makes_walls_of_opposite_handedness() -> None:
    grid = Grid(80, 1, 2e-9, 10e-9, 1e-9)
    dmi = parameter_map(grid, 1.5e-3, regions=[((80e-9, 160e-9), -1.5e-3)])
    film = Film(grid, MATERIAL.model_copy(update={"dmi": 1.5e-3}), maps=ParameterMaps(dmi=dmi))
    # Up, down, up: without DMI of two signs both walls would turn the same way, with opposite m_x.
    m = domain_wall(film, 40e-9, angle=1.3)
    m[:, :, 40:] = domain_wall(film, 120e-9, left=-1, angle=1.3)[:, :, 40:]
    at_rest = minimize(System(film), m, torque=1e-4, on_maximum="ignore")
    assert float(at_rest[0, 0, 18:22].min()) < -0.8
    assert float(at_rest[0, 0, 58:62].min()) < -0.8
    assert float(at_rest[0, 0].max()) < 0.6


@pytest.mark.parametrize("axis", [0, 1])
def test_cells_without_moment_do_not_act_on_their_neighbours(axis: int) -> None:
    shape, part = ((12, 9), (7, 9)) if axis == 0 else ((9, 12), (9, 7))
    fill = torch.zeros(*shape, dtype=torch.float64)
    fill[: part[0], : part[1]] = 1.0
    dmi = MATERIAL.model_copy(update={"dmi": 2e-3})
    whole, alone = Film(Grid(*shape, 4e-9, 4e-9, 1e-9), dmi, fill), Film(Grid(*part, 4e-9, 4e-9, 1e-9), dmi)
    m = random_state(alone, 1, torch.Generator().manual_seed(3))
    wide = torch.zeros(1, 3, *shape, dtype=torch.float64)
    wide[:, :, : part[0], : part[1]] = m
    for term in (Exchange(), InterfacialDMI(), Demag()):
        found = term.field(System(whole).state(wide))[:, :, : part[0], : part[1]]
        torch.testing.assert_close(found, term.field(System(alone).state(m)), rtol=0, atol=1e-10)


def test_absorbing_ends() -> None:
    found = absorbing_ends(GRID, 0.02, length=20e-9, largest=0.5)
    assert found.shape == (60, 20)
    profile = found[:, 0]
    assert profile[10:50].tolist() == pytest.approx([0.02] * 40)
    assert float(profile[0]) == pytest.approx(0.02 + 0.48 * (19 / 20) ** 2)
    torch.testing.assert_close(profile, profile.flip(0), rtol=0, atol=1e-12)
    one = absorbing_ends(GRID, 0.02, length=20e-9, ends="right")[:, 0]
    assert one[:50].tolist() == pytest.approx([0.02] * 50)


def test_absorbing_ends_take_a_spin_wave_up() -> None:
    grid = Grid(80, 1, 5e-9, 5e-9, 1e-9)
    base = material("cofeb-tantalum", dmi=0.0, damping=1e-3)
    m = uniform(Film(grid, base), (0, 0, 1))
    hit = 0.2 * torch.exp(-(((grid.x - 200e-9) / 10e-9) ** 2))
    m[0, 0, :, 0] = torch.sin(hit)
    m[0, 2, :, 0] = torch.cos(hit)
    left = []
    for damping in (None, absorbing_ends(grid, 1e-3, length=140e-9)):
        film = Film(grid, base, maps=None if damping is None else ParameterMaps(damping=damping))
        result = simulate(
            film, duration=0.3e-9, every=0.3e-9, initial=m, terms=(Exchange(), UniaxialAnisotropy()), backend="torch",
            dtype=torch.float64,
            integrator="dormand-prince", observe=[MeanMagnetisation()], tolerance=1e-4,
        )  # fmt: skip
        left.append(1 - float(result["m"].sel(component="z").values[-1].item()))
    assert left[1] < 0.5 * left[0]


def test_frozen_ends_hold_their_domains() -> None:
    mask = frozen_ends(GRID, length=8e-9)
    assert mask[:, 0].nonzero().flatten().tolist() == [0, 1, 2, 3, 56, 57, 58, 59]
    m = with_ends(uniform(Film(GRID, MATERIAL), (0, 0, 1)), GRID, length=8e-9, left=(0, 0, -2), right=(1, 0, 0))
    assert m[0, :, 3, 7].tolist() == [0, 0, -1]
    assert m[0, :, 4, 7].tolist() == [0, 0, 1]
    assert m[0, :, 56, 7].tolist() == [1, 0, 0]
    film = shape_film(rectangle(100e-9, 30e-9), MATERIAL, grid=GRID)
    cut = with_ends(uniform(film, (0, 0, 1)), GRID, length=20e-9, left=(0, 0, -1))
    assert not cut[0, :, :5].any()
    assert cut[0, 2, 5:11, 9].tolist() == [-1, -1, -1, -1, -1, 1]


IMPOSSIBLE: list[tuple[Callable[[], Any], str]] = [
    (lambda: grain_structure(GRID, size=15), r"grains.size = 15 m is no length; 15e-9 \(15 nm\)\?"),
    (lambda: grain_structure(GRID, size=1e-8, devices=0), "devices = 0: must be 1 or more"),
    (lambda: grain_structure(GRID, size=1e-8).values(1.0, 0.1, "ku"), "quantity = 'ku': must be one of anisotropy, .*"),
    (lambda: grain_structure(GRID, size=1e-8).values(1.0, 0.5, "dmi"), "spread = 0.5: must be below 1/3, or dmi .*"),
    (lambda: grain_structure(GRID, size=1e-8).bonds(-1), "strength = -1: must be zero or positive"),
    (lambda: grain_structure(GRID, size=1e-8).easy_axis(9.0), "spread = 9.0: must be 0 to 1 rad"),
    (lambda: parameter_map(GRID, math.nan), "parameter_map: base and gradient must be finite numbers, .*"),
    (lambda: parameter_map(GRID, 1.0, profile=[(0, 1)]), "profile: stands in place of base and gradient; .*"),
    (lambda: parameter_map(GRID, 0.0, profile=[(1, 1), (1, 2)]), "profile: x must grow from point to point"),
    (
        lambda: parameter_map(GRID, 0.0, regions=[((2e-8, 1e-8), 1.0)]),
        r"regions\[0\]: stop = 1e-08 must lie beyond start = 2e-08",
    ),
    (
        lambda: frozen_ends(GRID, length=1.0),
        r"length = 1.0: must be positive and at most that of the film, 1.2e-07 m",
    ),
    (lambda: absorbing_ends(GRID, 2.0, length=1e-8), "damping = 2.0, largest = 1.0: must be 0 to 10, .*"),
]


def test_impossible_maps_are_refused() -> None:
    for make, message in IMPOSSIBLE:
        with pytest.raises(InputError, match=f"^{message}$"):
            make()
