"""Fields that differ from cell to cell, the field of a strip, and currents in any direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    MeanMagnetisation,
    ParameterMaps,
    Simulation,
    SpinOrbitTorque,
    System,
    Waveform,
    Zeeman,
    ZhangLi,
    compiled,
    material,
    random_state,
    simulate,
    strip_field,
)

GRID = Grid(10, 10, 4e-9, 4e-9, 1e-9)
CONSTANTS = material("cofeb-tantalum", spin_polarisation=0.5, non_adiabaticity=0.06, field_like_ratio=-0.5)
FILM = Film(GRID, CONSTANTS)
STATE = random_state(FILM, 1, torch.Generator().manual_seed(0))

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("along", ["x", "y"])
@pytest.mark.parametrize("gap", [2e-9, -3e-9])
def test_field_of_a_strip_is_the_sum_over_its_filaments(along: str, gap: float) -> None:
    """Biot and Savart: mu0 I/(2 pi r) around each of 2000 x 40 wires, midpoint rule: errors of the step squared."""
    width, thickness, centre = 13e-9, 5e-9, 17e-9
    field = strip_field(GRID, width=width, thickness=thickness, gap=gap, centre=centre, along=along)
    place = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000 * width - width / 2 + centre
    depth = (torch.arange(40, dtype=torch.float64) + 0.5) / 40 * thickness - thickness / 2
    middle = math.copysign(abs(gap) + (GRID.dz + thickness) / 2, gap)
    u = (GRID.y if along == "x" else GRID.x)[:, None, None] - place[:, None]
    z = middle + depth
    r2 = u * u + z * z
    scale = VACUUM_PERMEABILITY / (2 * math.pi)
    # B = mu0/(2 pi r²) current × r.
    across, up = (scale * (part / r2).mean((1, 2)) for part in (z.expand_as(r2), u))
    row = field[:, 3] if along == "x" else field[:, :, 3]
    expected = torch.stack((0 * up, -across, up) if along == "x" else (across, 0 * up, -up))
    torch.testing.assert_close(row, expected, rtol=0, atol=3e-5 * float(expected.abs().max()))
    other = field[:, 7] if along == "x" else field[:, :, 7]
    assert torch.equal(other, row)


def test_field_of_a_strip_near_and_far() -> None:
    """Above a wide sheet mu0 I/(2 w); far away that of a wire, with corrections of (w/r)²/24."""
    wide = strip_field(Grid(1, 101, 4e-9, 4e-9, 1e-9), width=100e-6, thickness=2e-9, gap=1e-9)
    assert float(wide[1, 0, 50]) == pytest.approx(-VACUUM_PERMEABILITY / (2 * 100e-6), rel=1e-4)
    far = strip_field(Grid(1, 1, 4e-9, 4e-9, 1e-9), width=10e-9, thickness=10e-9, gap=1e-9, centre=-400e-9)
    r = math.hypot(402e-9, 6.5e-9)
    assert float(torch.linalg.vector_norm(far)) == pytest.approx(VACUUM_PERMEABILITY / (2 * math.pi * r), rel=1e-4)


def test_a_local_field_acts_where_it_is_and_has_its_energy() -> None:
    """Field and energy are those of a uniform field, cell by cell."""
    profile = torch.zeros(3, 10, 10, dtype=torch.float64)
    profile[:, 4:] = torch.tensor([0.1, -0.2, 0.3])[:, None, None]
    drive = Drive(field_x=0.05, local_field=Waveform([0.0, 1e-9], [[0.0, 1.0], [2.0, 1.0]]), field_profile=profile)
    system = System(FILM, drive, (Zeeman(),), replicas=2)
    m = STATE.expand(2, -1, -1, -1)
    field = system.field(m, 0.5e-9)
    uniform = torch.tensor([0.05, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(field[0, :, 0, 0], uniform)
    torch.testing.assert_close(field[:, :, 5, 5], (uniform + profile[:, 5, 5]).expand(2, 3))
    torch.testing.assert_close(system.energy(m, 0.5e-9), -FILM.moment * (m * field).sum((1, 2, 3)))
    late = system.field(m, 1e-9)
    torch.testing.assert_close(late[0, :, 5, 5] - uniform, 2 * profile[:, 5, 5])


def test_a_local_field_moves_only_what_it_reaches() -> None:
    """Two cells without exchange, one in the field: Larmor precession there, rest here."""
    film = Film(Grid(2, 1, 4e-9, 4e-9, 1e-9), CONSTANTS)
    profile = torch.zeros(3, 2, 1)
    profile[2, 1] = 1.0
    start = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 2, 1)
    drive = Drive(local_field=0.1, field_profile=profile)
    run = Simulation(film, drive, terms=[Zeeman()], initial=start, dt=1e-13)
    run.advance(20e-12)
    alone = Simulation(film, Drive(field_z=0.1), terms=[Zeeman()], initial=start, dt=1e-13, backend="torch")
    alone.advance(20e-12)
    assert torch.equal(run.m[..., 0, 0], start[..., 0, 0])
    torch.testing.assert_close(run.m[..., 1, 0], alone.m[..., 1, 0])
    assert float(run.m[0, 1, 1, 0]) > 0.3
    later = Simulation(film, terms=[Zeeman()], initial=start, dt=1e-13, backend="torch")
    later.advance(20e-12, drive)
    torch.testing.assert_close(later.m, run.m)


# Currents.


def turned(values: torch.Tensor) -> torch.Tensor:
    """A quarter turn of the film and its vectors, x to y."""
    x, y, z = values.transpose(2, 3).flip(2).unbind(1)
    return torch.stack((-y, x, z), dim=1)


@pytest.mark.parametrize("term", [SpinOrbitTorque(), ZhangLi()], ids=["SOT", "STT"])
def test_turning_current_and_state_turns_the_torque(term: Any) -> None:
    signals = {"current_density": 3e11, "magnet_current_density": 2e12}
    along = System(FILM, Drive(**signals), (term,)).field(STATE)  # type: ignore[arg-type]
    across = System(FILM, Drive(**signals, current_direction=(0.0, 2.0)), (term,)).field(turned(STATE))  # type: ignore[arg-type]
    assert float(along.abs().max()) > 1e-3
    torch.testing.assert_close(across, turned(along), rtol=1e-12, atol=1e-15)
    # 45 degrees: for fields that are linear in the direction, the mean of both times sqrt(2).
    slanted = System(FILM, Drive(**signals, current_direction=(1.0, 1.0)), (term,)).field(STATE)  # type: ignore[arg-type]
    other = System(FILM, Drive(**signals, current_direction=(0.0, 1.0)), (term,)).field(STATE)  # type: ignore[arg-type]
    torch.testing.assert_close(slanted, (along + other) / math.sqrt(2), rtol=1e-12, atol=1e-15)


def test_the_direction_turns_the_map_of_currents() -> None:
    maps = torch.zeros(2, 10, 10)
    maps[0], maps[1] = 0.6, 0.8
    film = Film(GRID, CONSTANTS, maps=ParameterMaps(current=maps))
    mapped = System(film, Drive(current_density=3e11, current_direction=(0.0, 1.0)), (SpinOrbitTorque(),)).field(STATE)
    plain = System(FILM, Drive(current_density=3e11, current_direction=(-0.8, 0.6)), (SpinOrbitTorque(),)).field(STATE)
    torch.testing.assert_close(mapped, plain, rtol=1e-6, atol=1e-9)


@pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")
def test_the_kernel_turns_the_spin_orbit_torque() -> None:
    film = Film(GRID, material("cofeb-tantalum", field_like_ratio=-0.5))
    arguments: dict[str, Any] = {"duration": 2e-12, "every": 2e-12, "observe": [MeanMagnetisation()]}
    drive = Drive(current_density=2e12, current_direction=(1.0, 2.0))
    ends = [simulate(film, drive, **arguments, backend=name)["m"].values[-1] for name in ("torch", "compiled")]
    np.testing.assert_allclose(*ends, atol=1e-5)
    plain = simulate(film, Drive(current_density=2e12), **arguments)["m"].values[-1]
    assert np.abs(ends[0] - plain).max() > 1e-3
    turning = Simulation(film, dt=8e-14)
    turning.advance(8e-14 * 10, drive)
    fixed = Simulation(film, drive, dt=8e-14)
    fixed.advance(8e-14 * 10)
    assert torch.equal(turning.m, fixed.m)


def test_what_is_refused() -> None:
    for arguments, message in (
        ({"local_field": 1.0}, r"drive\.local_field: needs drive\.field_profile, the field of each cell"),
        ({"field_profile": torch.ones(2, 3)}, r"drive\.field_profile: must be finite numbers of shape \(3, nx, ny\)"),
        ({"local_field": 1.0, "field_profile": torch.full((3, 2, 2), 1e5)}, r"drive\.local_field × .* is no field.*"),
        ({"current_direction": (0.0, 0.0)}, r"drive\.current_direction = \(0\.0, 0\.0\): must be a direction \(x, y\)"),
        ({"current_direction": (1.0, math.nan)}, r"drive\.current_direction = .*: must be a direction \(x, y\)"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            Drive(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^drive\.field_profile: shape \(2, 2\) is not the grid's \(10, 10\)$"):
        System(FILM, Drive(local_field=1.0, field_profile=torch.ones(3, 2, 2)))
    for arguments, message in (
        ({"width": 0.0, "thickness": 1e-9}, "width = 0.0: must be a positive length in m"),
        ({"width": 1e-9, "thickness": 1e-9, "along": "z"}, "along = 'z': must be x or y"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            strip_field(GRID, **arguments)  # type: ignore[arg-type]
