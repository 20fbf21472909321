"""Charge, position, radius, number and kind of textures made up so that the answer is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    TEXTURES,
    Energies,
    Energy,
    Exchange,
    Film,
    Grid,
    JunctionConductance,
    Material,
    SkyrmionCount,
    SkyrmionPosition,
    SkyrmionRadius,
    Texture,
    TopologicalCharge,
    TopologicalDensity,
    Zeeman,
    classify,
    random_state,
    simulate,
    topological_charge,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

MATERIAL = Material(saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.1, anisotropy=0.8e6, dmi=3e-3)
CELL = 2e-9
WALL = 5e-9


def film_of(nx: int, ny: int, periodic: tuple[bool, bool] = (False, False), fill: Tensor | None = None) -> Film:
    return Film(Grid(nx, ny, CELL, CELL, 1e-9, periodic), MATERIAL, fill=fill)


def skyrmion(
    film: Film,
    centre: tuple[float, float],
    radius: float,
    *,
    core: int = -1,
    winding: int = 1,
    helicity: float = 0.0,
    rings: int = 1,
) -> Tensor:
    """Texture [3, nx, ny] in which m turns by pi at each of ``rings`` circles, the nearest image across the edges."""
    grid = film.grid
    x, y = torch.meshgrid(grid.x - centre[0], grid.y - centre[1], indexing="ij")
    if grid.periodic[0]:
        x = torch.remainder(x + grid.length / 2, grid.length) - grid.length / 2
    if grid.periodic[1]:
        y = torch.remainder(y + grid.width / 2, grid.width) - grid.width / 2
    r, phi = torch.hypot(x, y), winding * torch.atan2(y, x) + helicity
    theta = sum((2 * torch.atan2(torch.tensor(math.sinh(k * radius / WALL)), torch.sinh(r / WALL))
                 for k in range(1, rings + 1)), torch.zeros_like(r))  # fmt: skip
    # theta falls from rings * pi at the centre to 0 far away.
    m = torch.stack((theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()))
    outside = -core if rings % 2 else core
    return m * torch.tensor([1.0, 1.0, float(outside)])[:, None, None]


PERIODIC = film_of(64, 48, (True, True))


@pytest.mark.validation
def test_charge_of_a_skyrmion_in_a_periodic_film_is_an_integer() -> None:
    """Also across the seams, for every helicity, and for strongly disturbed cells."""
    places = [(64e-9, 48e-9), (1e-9, 50e-9), (60e-9, 95.5e-9), (127.3e-9, 0.4e-9)]
    turned = [skyrmion(PERIODIC, q, 20e-9, helicity=0.9 * k) for k, q in enumerate(places)]
    m = torch.stack(
        [*turned, skyrmion(PERIODIC, places[3], 20e-9, core=1), skyrmion(PERIODIC, places[0], 20e-9, winding=-1)]
    )
    noise = torch.randn(m.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rough = m + 0.2 * noise
    for state in (m, rough / torch.linalg.vector_norm(rough, dim=1, keepdim=True)):
        assert TopologicalCharge().of(PERIODIC, state).tolist() == pytest.approx([-1, -1, -1, -1, 1, 1], abs=1e-6)
    single = TopologicalCharge().of(PERIODIC, m.to(torch.float32))
    assert single.tolist() == pytest.approx([-1, -1, -1, -1, 1, 1], abs=1e-6)


def test_any_state_of_a_periodic_film_has_an_integer_charge() -> None:
    m = random_state(PERIODIC, 6, torch.Generator().manual_seed(2))
    charge = topological_charge(m, PERIODIC)
    assert charge.tolist() == pytest.approx(charge.round().tolist(), abs=1e-9)
    assert float(charge.abs().max()) > 1


def test_charge_does_not_change_with_the_cell() -> None:
    """The solid angle of the rim of an open square of any grid: the tail of the profile at the distance of its rim."""
    for n in (20, 40, 80):
        film = Film(Grid(n, n, 80e-9 / n, 80e-9 / n, 1e-9), MATERIAL)
        charge = TopologicalCharge().of(film, skyrmion(film, (40e-9, 40e-9), 14e-9))
        # At the middle of a side theta = 2 atan(sinh(R/w)/sinh(40 nm/w)) = 0.011; at the corners it is less.
        assert -1 <= float(charge) < -1 + (1 - math.cos(2 * math.atan(math.sinh(2.8) / math.sinh(7.8)))) / 2


def test_skyrmionium_has_no_charge() -> None:
    film = film_of(100, 100, (True, True))
    assert float(TopologicalCharge().of(film, skyrmion(film, (1e-7, 1e-7), 25e-9, rings=2))) == pytest.approx(
        0, abs=1e-6
    )


def test_density_adds_up_to_the_charge() -> None:
    fill = torch.ones(64, 48, dtype=torch.float64)
    fill[:10, :7], fill[30, 20] = 0.0, 0.0
    for film in (PERIODIC, film_of(64, 48), film_of(64, 48, (True, False), fill)):
        m = random_state(film, 2, torch.Generator().manual_seed(3))
        density = TopologicalDensity().of(film, m)
        assert density.shape == (2, 64, 48)
        total = density.nan_to_num(0.0).sum((1, 2)) * CELL**2
        assert total.tolist() == pytest.approx(TopologicalCharge().of(film, m).tolist(), abs=1e-9)
        if film.filled is not None:
            assert torch.equal(density[0].isnan(), ~film.filled[0])


def test_empty_cells_count_nothing() -> None:
    """A film cut out of a larger grid has the charge of the smaller grid, and what lies beyond it does not matter."""
    small = film_of(30, 30)
    m = random_state(small, 3, torch.Generator().manual_seed(4))
    fill = torch.zeros(40, 40, dtype=torch.float64)
    fill[5:35, 5:35] = 0.7
    large = film_of(40, 40, fill=fill)
    held = torch.zeros(3, 3, 40, 40, dtype=torch.float64)
    held[:, :, 5:35, 5:35] = m
    assert torch.allclose(topological_charge(held, large), topological_charge(m, small), atol=1e-12)
    wrapped = Film(Grid(40, 40, CELL, CELL, 1e-9, (True, True)), MATERIAL, fill=fill)
    assert torch.allclose(topological_charge(held, wrapped), topological_charge(m, small), atol=1e-12)


def test_squares_with_one_empty_cell_keep_a_triangle() -> None:
    """A disc of a smooth texture: the triangles at its rim hold the solid angle of the rim to second order."""
    film = film_of(60, 60)
    x, y = torch.meshgrid(film.grid.x - 60e-9, film.grid.y - 60e-9, indexing="ij")
    disc = film_of(60, 60, fill=(torch.hypot(x, y) < 50e-9).to(torch.float64))
    theta = 2 * torch.atan(torch.hypot(x, y) / 60e-9)
    phi = torch.atan2(y, x)
    m = torch.stack((theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()))
    rim = 2 * math.atan(50 / 60)
    charge = float(TopologicalCharge().of(disc, m * disc.fill))
    # The rim runs through the centres of cells up to one cell inside.
    assert (1 - math.cos(2 * math.atan(48 / 60))) / 2 < charge < (1 - math.cos(rim)) / 2


def test_one_row_has_no_charge() -> None:
    film = film_of(32, 1, (True, True))
    assert TopologicalCharge().of(film, random_state(film, 2, torch.Generator().manual_seed(5))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("periodic", [False, True])
def test_position_and_radius(periodic: bool) -> None:
    """Centre to a hundredth of a cell and radius to a twentieth of a cell, wherever the centre lies in its cell."""
    film = film_of(64, 48, (periodic, periodic))
    centres = [(64e-9 + 0.31e-9 * k, 48e-9 + 0.17e-9 * k) for k in range(7)]
    radii = [8e-9 + 2.3e-9 * k for k in range(7)]
    if periodic:
        centres += [(0.6e-9, 95.1e-9), (127.9e-9, 3e-9)]
        radii += [20e-9, 15e-9]
    m = torch.stack([skyrmion(film, q, radius) for q, radius in zip(centres, radii, strict=True)])
    found = SkyrmionPosition().of(film, m)
    size = torch.tensor([film.grid.length, film.grid.width], dtype=torch.float64)
    off = torch.remainder(found - torch.tensor(centres, dtype=torch.float64) + size / 2, size) - size / 2
    assert float(off.abs().max()) < 0.01 * CELL
    assert SkyrmionRadius().of(film, m).tolist() == pytest.approx(radii, abs=0.05 * CELL)
    assert SkyrmionCount().of(film, m).tolist() == [1.0] * len(m)
    # The mirror image, told which core it has.
    assert SkyrmionRadius(core=1).of(film, m * torch.tensor([1, 1, -1.0])[:, None, None]).tolist() == pytest.approx(
        radii, abs=0.05 * CELL
    )


def test_count() -> None:
    """None, one, two, one across the seam of a periodic film, and none where an edge cuts it; noise is no skyrmion."""
    film = film_of(64, 48, (True, False))
    up = torch.zeros(3, 64, 48, dtype=torch.float64)
    up[2] = 1.0

    def with_discs(*discs: tuple[float, float, float]) -> Tensor:
        m = up.clone()
        for x, y, radius in discs:
            dx = torch.remainder(film.grid.x - x + 64e-9, 128e-9) - 64e-9
            m[2, torch.hypot(dx[:, None], film.grid.y[None, :] - y) < radius] = -1.0
        return m

    specks = up.clone()
    specks[2, ::7, 1:-1:7] = -1.0
    states = [up, with_discs((30e-9, 40e-9, 15e-9)), with_discs((30e-9, 40e-9, 15e-9), (90e-9, 50e-9, 10e-9)),
              with_discs((1e-9, 40e-9, 15e-9)), with_discs((60e-9, 1e-9, 15e-9)), specks]  # fmt: skip
    assert SkyrmionCount().of(film, torch.stack(states)).tolist() == [0, 1, 2, 1, 0, 0]
    # The tenth column of specks touches the first across the seam.
    assert SkyrmionCount(core=-1, smallest=1).of(film, specks).tolist() == [float(9 * 7)]
    radius = SkyrmionRadius().of(film, torch.stack(states))
    assert radius.isnan().tolist() == [True, False, True, False, True, True]
    assert SkyrmionPosition().of(film, torch.stack(states)).isnan().any(1).tolist() == radius.isnan().tolist()


def test_each_replica_of_a_family_has_its_own_edge() -> None:
    """The same state is enclosed in a full square and cut by the edge of a disc."""
    film = film_of(40, 40)
    x, y = torch.meshgrid(film.grid.x - 40e-9, film.grid.y - 40e-9, indexing="ij")
    fill = torch.stack((torch.ones_like(x), (torch.hypot(x, y) < 30e-9).to(torch.float64)))
    family = film_of(40, 40, fill=fill)
    m = skyrmion(film, (58e-9, 40e-9), 14e-9).expand(2, -1, -1, -1) * fill[:, None]
    assert SkyrmionCount().of(family, m).tolist() == [1.0, 0.0]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="core = 0: must be 1"):
        SkyrmionCount(core=0)
    with pytest.raises(InputError, match="smallest = 0"):
        SkyrmionRadius(smallest=0)


STABLE = Material(saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=3.3e-3)


def made_up() -> tuple[Film, Tensor, list[int]]:
    """Disc of 100 nm with one state of each kind, and their codes."""
    film = Film(Grid(50, 50, CELL, CELL, 1e-9), STABLE)
    x, y = torch.meshgrid(film.grid.x - 50e-9, film.grid.y - 50e-9, indexing="ij")
    disc = Film(film.grid, STABLE, fill=(torch.hypot(x, y) < 50e-9).to(torch.float64))
    up = torch.zeros(3, 50, 50, dtype=torch.float64)
    up[2] = 1.0
    middle = (50e-9, 50e-9)
    # The sense of rotation that D > 0 prefers: around a core that points down m points outwards.
    one = skyrmion(film, middle, 14e-9)
    left, right = (skyrmion(film, (x, 50e-9), 9e-9) for x in (26e-9, 74e-9))
    two = torch.where(film.grid.x[:, None] < 50e-9, left, right)
    wall = torch.stack((1 / torch.cosh(x / WALL), torch.zeros_like(x), -torch.tanh(x / WALL)))
    flipped = torch.tensor([-1.0, -1.0, -1.0])[:, None, None]
    states = [up, -up, one, one * flipped, two, skyrmion(film, middle, 14e-9, rings=2), wall,
              up.roll(1, 0)]  # fmt: skip
    return disc, torch.stack(states) * disc.fill, [0, 1, 2, 3, 4, 4, 4, 4]


def test_textures_are_told_apart() -> None:
    """As they are, in the noise of a temperature, and in single precision."""
    film, m, codes = made_up()
    assert classify(m, film).tolist() == codes
    noise = torch.randn(m.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    hot = m + 0.35 * noise * film.fill
    hot = hot / torch.linalg.vector_norm(hot, dim=1, keepdim=True).clamp_min(1e-12)
    assert Texture().of(film, hot).tolist() == codes
    assert Texture().of(film, hot.to(torch.float32)).tolist() == codes
    # Noise so strong that without the descent it is taken for texture.
    hotter = m + 0.7 * noise * film.fill
    hotter = hotter / torch.linalg.vector_norm(hotter, dim=1, keepdim=True).clamp_min(1e-12)
    assert Texture(descent=0).of(film, hotter[:4]).tolist() == [4, 4, 4, 4]
    assert Texture().of(film, hotter[:4]).tolist() == codes[:4]
    assert [TEXTURES[code] for code in codes[:4]] == ["up", "down", "skyrmion core down", "skyrmion core up"]


def test_a_bubble_without_winding_is_no_skyrmion() -> None:
    film, m, _ = made_up()
    bubble = m[2].clone()
    bubble[1], bubble[0] = 0.0, torch.hypot(m[2, 0], m[2, 1])
    assert classify(bubble[None], film).tolist() == [4]


def test_result_says_what_the_codes_mean() -> None:
    film, m, codes = made_up()
    result = simulate(film, duration=1e-13, every=1e-13, dt=2e-14, replicas=8, initial=m, observe=[Texture()])
    assert result.texture.values[-1].tolist() == codes
    assert result.texture.attrs["flag_meanings"].split()[2] == "skyrmion_core_down"
    assert result.texture.attrs["flag_values"] == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_textures_at_300_kelvin(report: Report) -> None:
    """After 0.3 ns at 300 K up, down and skyrmions are still what they were, in every one of 4 x 12 replicas."""
    film, m, codes = made_up()
    start = m[:4].repeat_interleave(12, 0)
    result = simulate(film, duration=0.3e-9, every=0.1e-9, replicas=48, seed=7, temperature=300.0, initial=start,
                      observe=[Texture(), SkyrmionRadius(core=-1)])  # fmt: skip
    right = result.texture.values == np.repeat(codes[:4], 12)
    report("textures told rightly at 300 K, share", right.mean(), 1.0, 0.0)


@pytest.mark.parametrize(("key", "value"), [("descent", -1), ("uniform", 1.0), ("smallest", 0)])
def test_wrong_thresholds_are_refused(key: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{key} = "):
        Texture(**{key: value})


def test_conductance_of_a_junction() -> None:
    """G_P, G_AP and the mean of both at 90 degrees; a window takes its share; a filled fraction conducts."""
    film = film_of(50, 20)
    full = film.grid.length * film.grid.width / 1e-11
    states = torch.zeros(3, 3, 50, 20, dtype=torch.float64)
    for k, direction in enumerate(((0, 0, 1.0), (0, 0, -1.0), (1.0, 0, 0))):
        states[k] = torch.tensor(direction)[:, None, None]
    found = JunctionConductance(resistance_area=1e-11, tmr=1.5).of(film, states)
    assert found.tolist() == pytest.approx([full, full / 2.5, (full + full / 2.5) / 2])
    tilted = JunctionConductance(1e-11, 1.5, fixed=(1.0, 0.0, 1.0)).of(film, states)
    assert tilted.tolist() == pytest.approx(
        [full / 2.5 * (1 + 0.75 * (1 + c)) for c in (0.5**0.5, -(0.5**0.5), 0.5**0.5)]
    )
    states[1, 2, :10] = 1.0
    window = JunctionConductance(1e-11, 1.5, window=(10e-9, 30e-9, 0.0, 40e-9)).of(film, states)
    assert window.tolist() == pytest.approx([full / 5, full / 10 * 1.4, full / 5 * 0.7])
    half = film_of(50, 20, fill=torch.full((50, 20), 0.5, dtype=torch.float64))
    assert JunctionConductance(1e-11, 1.5).of(half, states[:1]).tolist() == pytest.approx([full / 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [({"tmr": 0.0}, "tmr = 0"), ({"resistance_area": -1.0}, "resistance_area"), ({"fixed": (0, 0, 0)}, "not all zero"),
     ({"window": (2e-9, 1e-9, 0, 1e-9)}, "x from < x to"), ({"window": (0, 0.5e-9, 0, 40e-9)}, "holds no filled cell")],
)  # fmt: skip
def test_wrong_junctions_are_refused(change: dict[str, object], message: str) -> None:
    film = film_of(50, 20)
    with pytest.raises(InputError, match=message):
        JunctionConductance(**({"resistance_area": 1e-11, "tmr": 1.0} | change)).of(film, torch.ones(1, 3, 50, 20))


def test_energies_add_up() -> None:
    film = Film(Grid(16, 12, 4e-9, 4e-9, 1e-9), MATERIAL)
    m = random_state(film, 3, torch.Generator().manual_seed(8))
    each, total = Energies().of(film, m), Energy().of(film, m)
    names = Energies().coordinates(film)["term"]
    assert names == ["Exchange", "Demag", "UniaxialAnisotropy", "Zeeman", "InterfacialDMI"]
    assert each.sum(1).tolist() == pytest.approx(total.tolist(), rel=1e-12)
    flat = Energies().of(film, uniform(film, (0, 0, 1)))
    assert float(flat[0, 2]) == pytest.approx(-MATERIAL.anisotropy * film.grid.cells * film.grid.cell_volume)
    result = simulate(film, duration=1e-13, every=1e-13, dt=5e-14, initial=m[:1], observe=[Energies(), Energy()])
    assert result.energies.sel(term="Exchange").values[0, 0] == pytest.approx(float(each[0, 0]), rel=1e-5)
    with pytest.raises(InputError, match=r"use Energies\(terms=\('Exchange', 'Zeeman'\)\)"):
        Energies().of(film, m, terms=(Exchange(), Zeeman()))
    assert (
        Energies(("Zeeman", "Exchange")).of(film, m, terms=(Exchange(), Zeeman()))[:, 1].tolist() == each[:, 0].tolist()
    )
