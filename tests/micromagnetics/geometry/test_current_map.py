"""Local current densities: the same current through every column, and those of analytic flows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Film,
    Grid,
    ParameterMaps,
    SpinOrbitTorque,
    System,
    current_map,
    disc,
    material,
    rectangle,
    ring,
    shape_film,
    tapered_track,
    uniform,
)
from barkhausen.micromagnetics.excitation.drive import Drive

if TYPE_CHECKING:
    from tests.conftest import Report

MATERIAL = material("cofeb-tantalum")


def test_current_of_a_straight_track_is_uniform() -> None:
    for fill in (None, torch.full((7, 4), 0.5)):
        found = current_map(Film(Grid(7, 4, 4e-9, 3e-9, 1e-9), MATERIAL, fill))
        assert found.shape == (1, 2, 7, 4)
        torch.testing.assert_close(found[0, 0], torch.ones(7, 4).double(), rtol=0, atol=1e-12)
        assert float(found[0, 1].abs().max()) < 1e-12
    one = current_map(Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), MATERIAL))
    assert one.flatten().tolist() == pytest.approx([1, 0])


def test_same_current_through_every_column_and_none_through_the_edges() -> None:
    film = shape_film(tapered_track(200e-9, (25e-9, 105e-9)), MATERIAL, devices=2, sizes=[1.0, 1.1])
    assert film.fill is not None
    for method in ("laplace", "width"):
        j = current_map(film, method=method)  # type: ignore[arg-type]
        for device in range(2):
            through = (film.fill[device] * j[device, 0]).sum(1)
            through = through[through > 0]
            torch.testing.assert_close(through, through[:1].expand_as(through), rtol=1e-9, atol=0)
        assert not j[:, :, film.fill.amax(0) == 0].any()
    # Mirror images of each other.
    torch.testing.assert_close(j, j.flip(3) * torch.tensor([1.0, -1.0])[:, None, None], rtol=1e-6, atol=1e-9)


@pytest.mark.validation
def test_flow_in_a_wedge_is_the_radial_one(report: Report) -> None:
    # Edges y = ± s x: j = I/(2 atan(s) r) along r, away from the straight ends.
    slope, length = 0.2, 240e-9
    film = shape_film(tapered_track(length, lambda x: 2 * slope * (x + 100e-9)), MATERIAL, cell=2e-9, subcell=2e-9)
    grid = film.grid
    j = current_map(film, relative_to="left")[0]
    current = 2 * slope * (100e-9 + 1e-9)  # of the first column, whose density is 1
    x, y = torch.meshgrid(grid.x + 100e-9, grid.y - grid.width / 2, indexing="ij")
    r2 = x**2 + y**2
    radial = current / (2 * math.atan(slope) * r2)
    inside = (y.abs() < slope * x - 4e-9) & (grid.x > 60e-9)[:, None] & (grid.x < 180e-9)[:, None]
    error = torch.hypot(j[0] - radial * x, j[1] - radial * y) / (radial * r2.sqrt())
    report("current in a wedge, 2 nm cells, rms error", float(error[inside].pow(2).mean().sqrt()), 0.0, 0.01)
    assert float(error[inside].max()) < 0.02


def test_current_divides_between_the_arms_of_a_ring() -> None:
    film = shape_film(ring(120e-9, 60e-9), MATERIAL, cell=4e-9)
    assert film.fill is not None
    through = film.fill[0] * current_map(film, relative_to="narrowest")[0, 0]
    assert float(through[15, :15].sum()) == pytest.approx(float(through[15, 15:].sum()), rel=1e-9)
    # A narrower lower arm carries less: conductances 3 : 1 of straight arms joined at both ends.
    frame = rectangle(400e-9, 80e-9) - rectangle(340e-9, 40e-9).moved(0, -10e-9)
    film = shape_film(frame, MATERIAL, cell=2e-9, subcell=2e-9)
    assert film.fill is not None
    middle = film.grid.nx // 2
    through = film.fill[0, middle] * current_map(film)[0, 0, middle]
    assert float(through[20:].sum() / through[:20].sum()) == pytest.approx(3, rel=0.1)


def test_reference_and_stretch() -> None:
    film = shape_film(tapered_track(100e-9, (20e-9, 40e-9)), MATERIAL, cell=2e-9, subcell=2e-9)
    left, right, mean = (current_map(film, relative_to=end)[0, 0] for end in ("left", "right", "mean"))  # type: ignore[arg-type]
    assert float((left / right)[25, 10]) == pytest.approx(20.2 / 39.8, rel=1e-3)
    assert float((left / mean)[25, 10]) == pytest.approx(20.2 / 30, rel=1e-3)
    part = current_map(film, columns=(10, 30))[0]
    assert not part[:, :10].any()
    assert not part[:, 31:].any()


def test_map_scales_the_torque_of_a_current() -> None:
    shape = tapered_track(100e-9, (20e-9, 40e-9))
    plain = shape_film(shape, MATERIAL, subcell=4e-9)
    film = shape_film(shape, MATERIAL, subcell=4e-9, maps=ParameterMaps(current=current_map(plain, method="width")))
    drive = Drive(current_density=1e11)
    fields = []
    for own in (plain, film):
        system = System(own, drive)
        fields.append(SpinOrbitTorque().field(system.state(system.start(uniform(own, (0, 0, 1))))))
    ratio = (fields[1] / fields[0])[0, 0, :, 5]
    wide = 20e-9 + 20e-9 * plain.grid.x / 100e-9
    torch.testing.assert_close(ratio, wide[0] / wide, rtol=1e-2, atol=0)


def test_what_does_not_conduct_is_refused() -> None:
    apart = shape_film(disc(40e-9) | disc(40e-9).moved(60e-9, 0), MATERIAL)
    with pytest.raises(InputError, match=r"^current_map: no conducting path through device 0; a column is empty$"):
        current_map(apart)
    fill = torch.ones(6, 5)
    fill[:3, 2:] = 0
    fill[3:, :3] = 0
    with pytest.raises(InputError, match=r"^current_map: no conducting path through device 0$"):
        current_map(Film(Grid(6, 5, 4e-9, 4e-9, 1e-9), MATERIAL, fill))
    with pytest.raises(InputError, match=r"^method = 'laplas': must be laplace, width; did you mean 'laplace'\?$"):
        current_map(apart, method="laplas")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^columns = \(3, 99\): must be two columns of 0 to 24"):
        current_map(apart, columns=(3, 99))
