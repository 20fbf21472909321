"""Observables of states made up so that the answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    Energy,
    Film,
    Grid,
    MeanMagnetisation,
    Observable,
    PerpendicularMap,
    System,
    WallAngle,
    WallCount,
    WallPosition,
    WallTilt,
    default_observables,
    domain_wall,
    material,
    random_state,
    uniform,
)
from barkhausen.micromagnetics.observables import check_observables

MATERIAL = material("cofeb-tantalum")
GRID = Grid(64, 16, 4e-9, 4e-9, 1e-9)
WIDTH = 8e-9
FILM = Film(GRID, MATERIAL)


def seen(observable: Observable, film: Film, m: Tensor) -> list[float]:
    system = System(film, replicas=len(m))
    found: list[float] = observable(system, system.state(m)).tolist()
    return found


def walls(positions: list[float], film: Film = FILM, left: int = 1) -> Tensor:
    """One replica with straight walls at these places (m)."""
    mz = torch.full((film.grid.nx,), float(left), dtype=torch.float64)
    for q in positions:
        mz = -mz * torch.tanh((film.grid.x - q) / WIDTH)
    m = torch.stack((torch.sqrt(1 - mz**2), torch.zeros_like(mz), mz))
    return m[None, :, :, None].expand(1, 3, film.grid.nx, film.grid.ny).clone()


def leaning(angle: float, film: Film = FILM) -> Tensor:
    """A wall whose line leans from +y towards +x."""
    x, y = torch.meshgrid(film.grid.x, film.grid.y, indexing="ij")
    distance = ((x - film.grid.length / 2) - math.tan(angle) * (y - film.grid.width / 2)) * math.cos(angle)
    mz = -torch.tanh(distance / WIDTH)
    return torch.stack((torch.sqrt(1 - mz**2), torch.zeros_like(mz), mz))[None]


def test_position_is_found_within_a_cell() -> None:
    """The straight line through tanh(−s h) and tanh((1 − s) h), h = cell/Delta = 1/2, crosses zero not at s but off by
    h²/3 s |s³ + (1 − s)³ − s²| of a cell to leading order: at most 0.8 % of 4 nm.
    """
    positions = [40e-9 + k * 0.37e-9 for k in range(40)] + [3e-9, 253e-9]
    for left in (1, -1):
        m = torch.cat([walls([q], left=left) for q in positions])
        assert seen(WallPosition(), FILM, m) == pytest.approx(positions, abs=0.033e-9)
        assert seen(WallCount(), FILM, m) == [1.0] * len(positions)
    # Exactly between cells, and exactly on one: by symmetry without any error but rounding.
    m = torch.cat([walls([q]) for q in (100e-9, 102e-9)])
    assert seen(WallPosition(), FILM, m) == pytest.approx([100e-9, 102e-9], rel=1e-12)


def test_position_of_the_default_start_is_the_middle() -> None:
    assert seen(WallPosition(), FILM, domain_wall(FILM)) == pytest.approx([GRID.length / 2], rel=1e-9)


def test_position_is_the_mean_over_the_width() -> None:
    # A straight line through the middle, whatever its slope, crosses in the mean at the middle: by symmetry.
    assert seen(WallPosition(), FILM, leaning(0.3)) == pytest.approx([GRID.length / 2], rel=1e-9)
    # Half of the width each: m_z averaged is zero in the middle of the two.
    m = torch.cat((walls([100e-9])[..., :8], walls([112e-9])[..., 8:]), dim=3)
    assert seen(WallPosition(), FILM, m) == pytest.approx([106e-9], rel=1e-9)


def test_no_wall_and_several_walls_are_no_position() -> None:
    m = torch.cat(
        (walls([]), walls([], left=-1), walls([80e-9, 160e-9]), walls([60e-9, 120e-9, 200e-9]), walls([90e-9]))
    )
    position = seen(WallPosition(), FILM, m)
    assert [math.isnan(q) for q in position] == [True, True, True, True, False]
    assert seen(WallCount(), FILM, m) == [0, 0, 2, 3, 1]
    tilt = seen(WallTilt(), FILM, m)
    assert [math.isnan(angle) for angle in tilt] == [True, True, True, True, False]


@pytest.mark.parametrize(("cell", "error"), [(4e-9, 1.6e-3), (2e-9, 2e-4)])
@pytest.mark.parametrize("degrees", [-40.0, -10.0, -1.0, 0.0, 3.0, 25.0, 45.0])
def test_tilt_is_that_of_the_line(degrees: float, cell: float, error: float) -> None:
    """Crossings off by e (above) tilt the fit by at most 3 e/width: 1.5e-3 rad on cells of 4 nm, a hundredth of 10
    degrees; on cells of 2 nm e is an eighth.
    """
    film = Film(Grid.of_track(256e-9, 64e-9, 1e-9, cell), MATERIAL)
    angle = math.radians(degrees)
    assert seen(WallTilt(), film, leaning(angle, film)) == pytest.approx([angle], abs=error)


def test_tilt_leans_to_x_towards_y_and_ignores_rows_without_the_wall() -> None:
    m = leaning(0.2)
    assert seen(WallTilt(), FILM, m)[0] > 0.19
    assert seen(WallTilt(), FILM, m.flip(3))[0] < -0.19
    m[:, 2, :, 3] = 1.0  # a row reversed throughout, and one with three walls
    m[:, 2, :5, 9] = -1.0
    assert seen(WallTilt(), FILM, m) == pytest.approx([0.2], abs=1.6e-3)
    m[:, 2, :, 1:] = 1.0
    assert math.isnan(seen(WallTilt(), FILM, m)[0])


@pytest.mark.parametrize("angle", [0.0, 0.5, math.pi / 2, 3.0, -2.5, -math.pi / 2])
def test_angle_is_that_of_the_magnetisation_in_the_wall(angle: float) -> None:
    m = domain_wall(FILM, angle=angle)
    # In the domains m is tilted somewhere else, as by an applied field; 1 − m_z² weighs the wall.
    assert seen(WallAngle(), FILM, m) == pytest.approx([angle], abs=1e-9)
    m[:, 0, :8], m[:, 1, :8], m[:, 2, :8] = 0.05, 0.0, 1.0
    assert seen(WallAngle(), FILM, m) == pytest.approx([angle], abs=0.01)


def cut_film() -> Film:
    """Narrower at the left, one row half filled, and three columns away altogether."""
    fill = torch.ones(GRID.shape, dtype=torch.float64)
    fill[:20, :4] = 0.0
    fill[:, 15] = 0.5
    fill[60:63] = 0.0
    return Film(GRID, MATERIAL, fill)


def test_empty_cells_take_no_part() -> None:
    film = cut_film()
    assert film.fill is not None
    filled = film.filled
    assert filled is not None
    m = walls([100e-9], film) * filled[:, None]
    assert seen(WallPosition(), film, m) == pytest.approx([100e-9], rel=1e-12)
    assert seen(WallCount(), film, m) == [1.0]
    assert seen(WallTilt(), film, m) == pytest.approx([0.0], abs=1e-12)
    # A wall that would stand in the empty columns is none: what is beyond is another piece.
    beyond = walls([246e-9], film) * filled[:, None]
    assert seen(WallCount(), film, beyond) == [0.0]
    # Weighted by the material: half of the last row.
    up = uniform(film, (0, 0, 1)).clone()
    up[:, 2, :, 15] *= -1
    share = float(film.fill[0, :, 15].sum() / film.fill.sum())
    assert seen(MeanMagnetisation(), film, up)[0] == pytest.approx([0.0, 0.0, 1 - 2 * share], abs=1e-12)
    seen_map = torch.tensor(seen(PerpendicularMap(), film, m))
    assert torch.equal(torch.isnan(seen_map), ~filled)
    assert torch.equal(seen_map[filled], m[:, 2][filled].to(torch.float32).to(seen_map.dtype))


def test_mean_magnetisation_of_known_states() -> None:
    m = torch.cat((uniform(FILM, (1, 2, 2)), domain_wall(FILM, position=GRID.length / 4, width=1e-12)))
    # The second: up on the left quarter, down on the right three; a wall far narrower than a cell.
    assert seen(MeanMagnetisation(), FILM, m) == [
        pytest.approx([1 / 3, 2 / 3, 2 / 3], abs=1e-12),
        pytest.approx([0.0, 0.0, 0.25 - 0.75], abs=1e-12),
    ]


def test_energy_is_that_of_the_system_with_its_drive() -> None:
    system = System(FILM, Drive(field_z=[0.0, 0.1]), replicas=2)
    m = uniform(FILM, (0, 0, 1)).expand(2, -1, -1, -1)
    energy = Energy()(system, system.state(m))
    # −Ms V B for all cells.
    assert float(energy[1] - energy[0]) == pytest.approx(-1e6 * 1024 * 1.6e-26 * 0.1, rel=1e-9)
    assert torch.equal(energy, system.energy(m))


@pytest.mark.parametrize("shape", [(1, 1), (1, 16), (16, 1), (2, 1)])
def test_default_observables_take_any_grid(shape: tuple[int, int]) -> None:
    film = Film(Grid(*shape, 4e-9, 4e-9, 1e-9), MATERIAL)
    m = random_state(film, 4, torch.Generator().manual_seed(0))
    system = System(film, replicas=4)
    for item in default_observables():
        values = item(system, system.state(m))
        assert values.shape[0] == 4
        if shape[0] == 1 and item.name in ("wall_position", "wall_tilt"):
            assert bool(values.isnan().all())
        if shape[1] == 1 and item.name == "wall_tilt":
            assert bool(values.isnan().all())


def test_lists_of_observables_are_checked() -> None:
    check_observables(default_observables())
    with pytest.raises(InputError, match=r"^observe: 'wall_count' is named twice$"):
        check_observables([WallCount(), WallPosition(), WallCount()])
    with pytest.raises(InputError, match=r"^observe: 'm' is not an Observable$"):
        check_observables(["m"])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"^observe: <class '.*WallCount'> is not an Observable$"):
        check_observables([WallCount])  # type: ignore[list-item]


def test_head_to_head_wall() -> None:
    """The zero crossing of m_x, where that of m_z finds nothing, and the same along y."""
    places = [70e-9, 101.3e-9]
    m = torch.cat([walls([q]) for q in places])
    along_x = torch.stack((m[:, 2], m[:, 0], m[:, 1]), 1)
    assert seen(WallPosition("x"), FILM, along_x) == pytest.approx(places, abs=0.033e-9)
    assert seen(WallCount("x"), FILM, along_x) == [1.0, 1.0]
    assert seen(WallCount(), FILM, along_x) == [0.0, 0.0]
    assert seen(WallPosition("y"), FILM, torch.stack((m[:, 0], m[:, 2], m[:, 1]), 1)) == pytest.approx(
        places, abs=0.033e-9
    )
    with pytest.raises(InputError, match="component = 'mx'"):
        WallPosition("mx")
    # What a checkpoint knows a run by is unchanged for the default.
    assert repr(WallPosition()) == "WallPosition()"
    assert repr(WallCount("x")) == "WallCount(component='x')"


def test_a_ring_holds_an_even_number_of_walls() -> None:
    ring = Film(Grid(64, 16, 4e-9, 4e-9, 1e-9, (True, False)), MATERIAL)
    assert seen(WallCount(), ring, torch.cat((walls([70e-9]), walls([70e-9, 150e-9])))) == [2.0, 2.0]
