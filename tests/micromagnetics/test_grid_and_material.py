from __future__ import annotations

import math
from typing import Any

import pydantic
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import Grid, Material, material, material_names
from barkhausen.micromagnetics.grid import MAXIMAL_CELLS
from barkhausen.micromagnetics.material import source_in_words

NAN, INF = math.nan, math.inf


IMPOSSIBLE_GRIDS: list[tuple[dict[str, Any], str]] = [
    *(({name: value}, rf"grid\.{name} = {value}: must be a whole number of cells, 1 or more")
      for name in ("nx", "ny") for value in (0, -3, 2.5, NAN)),
    *(({name: value}, rf"grid\.{name} = {value}: must be a positive length in metres, below 1 mm")
      for name in ("dx", "dy", "dz") for value in (0.0, -1e-9, NAN, INF)),
    ({"dx": 4.0}, r"grid\.dx = 4 m is no cell size; 4e-9 \(4 nm\)\?"),
    ({"dz": 0.6}, r"grid\.dz = 0.6 m is no film thickness; 0.6e-9 \(0.6 nm\)\?"),
    ({"nx": 1 << 13, "ny": 1 << 12}, f"grid: 8192 x 4096 cells are more than {MAXIMAL_CELLS}"),
]  # fmt: skip


def test_impossible_grid_is_refused() -> None:
    for change, message in IMPOSSIBLE_GRIDS:
        sound = {"nx": 4, "ny": 2, "dx": 1e-9, "dy": 2e-9, "dz": 3e-9}
        Grid(**sound)
        with pytest.raises(InputError, match=f"^{message}$"):
            Grid(**(sound | change))


@pytest.mark.parametrize("name", ["length", "width", "thickness", "cell"])
def test_impossible_track_is_refused(name: str) -> None:
    sound = {"length": 512e-9, "width": 64e-9, "thickness": 1e-9, "cell": 4e-9}
    for value in (0.0, -1e-9, NAN, INF):
        with pytest.raises(InputError, match=f"^{name} = {value}: must be a positive length in metres, below 1 mm$"):
            Grid.of_track(**(sound | {name: value}))
    in_nanometres = 1e9 * sound[name]
    with pytest.raises(InputError, match=rf"^{name} = {in_nanometres:g} m is no .*; {in_nanometres:g}e-9 \("):
        Grid.of_track(**(sound | {name: in_nanometres}))


def test_cell_wider_than_the_track_is_refused() -> None:
    with pytest.raises(InputError, match=r"^cell = 6e-08: is larger than the track \(5\.12e-07 x 5e-08 m\)$"):
        Grid.of_track(512e-9, 50e-9, 1e-9, 60e-9)


@pytest.mark.parametrize(
    ("length", "width", "cell", "cells"),
    [
        # 512e-9 / 4e-9 is 128.00000000000003 in floating point: not 129 cells.
        (512e-9, 64e-9, 4e-9, (128, 16)),
        (512e-9, 64e-9, 2e-9, (256, 32)),
        (513e-9, 65e-9, 4e-9, (129, 17)),
        (511e-9, 63e-9, 4e-9, (128, 16)),
        (10e-9, 3e-9, 3e-9, (4, 1)),
    ],
)
def test_track_is_covered_by_whole_cells(length: float, width: float, cell: float, cells: tuple[int, int]) -> None:
    grid = Grid.of_track(length, width, 1e-9, cell)
    assert grid.shape == cells
    assert (grid.dx, grid.dy, grid.dz) == (cell, cell, 1e-9)


def test_measures_of_a_grid() -> None:
    grid = Grid(5, 2, 2e-9, 3e-9, 1.5e-9)
    assert grid.cells == 10
    # Products of three numbers round in the last digit.
    assert (grid.length, grid.width, grid.cell_volume) == pytest.approx((10e-9, 6e-9, 9e-27), rel=1e-15)
    torch.testing.assert_close(grid.x, torch.tensor([1e-9, 3e-9, 5e-9, 7e-9, 9e-9], dtype=torch.float64))
    torch.testing.assert_close(grid.y, torch.tensor([1.5e-9, 4.5e-9], dtype=torch.float64))


IMPOSSIBLE_MATERIALS: list[tuple[str, float]] = [
    *(("saturation_magnetisation", value) for value in (0.0, -1e6, NAN, INF)),
    *(("exchange_stiffness", value) for value in (0.0, -1e-11, NAN, INF)),
    *(("damping", value) for value in (-0.1, 11.0, NAN, INF)),
    *(("spin_polarisation", value) for value in (-1.1, 1.1, NAN, INF)),
    *((name, value) for name in ("anisotropy", "dmi", "spin_hall_angle", "field_like_ratio", "non_adiabaticity")
      for value in (NAN, INF)),
    ("gilbert", 0.1),
]  # fmt: skip


def test_impossible_material_is_refused() -> None:
    for name, value in IMPOSSIBLE_MATERIALS:
        sound = {"saturation_magnetisation": 1e6, "exchange_stiffness": 1e-11, "damping": 0.1}
        with pytest.raises(InputError, match=f"^Material: (unknown key '{name}'|{name} = {value})"):
            Material(**(sound | {name: value}))


def test_constants_cannot_be_changed_unchecked() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        material("permalloy").damping = -1.0


def test_the_source_of_a_changed_preset_is_said_to_be_that_of_the_rest() -> None:
    source = material("cofeb-tungsten", damping=0.1, dmi=4e-4).source
    words = source_in_words(f"material: {source}")
    assert words.startswith(
        "material: damping, dmi as given; other constants of the preset: assumed; within the ranges"
    )
    assert source_in_words("edges: 1 nm rms") == "edges: 1 nm rms"


def test_unknown_preset_and_unknown_constant_get_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"^no material preset 'permaloy'; did you mean 'permalloy'\?$"):
        material("permaloy")
    with pytest.raises(InputError, match=r"^material 'permalloy': no constant 'dampin'; did you mean 'damping'\?$"):
        material("permalloy", dampin=0.1)
    with pytest.raises(InputError, match=r"^Material: damping = -0\.1: input should be greater than or equal to 0$"):
        material("permalloy", damping=-0.1)


@pytest.mark.parametrize("name", material_names())
def test_a_changed_preset_says_so(name: str) -> None:
    preset = material(name)
    assert preset.source
    changed = material(name, damping=0.5, dmi=1e-3)
    assert changed.source == f"{preset.source}; changed: damping, dmi"
    assert changed.model_dump(exclude={"source", "damping", "dmi"}) == preset.model_dump(
        exclude={"source", "damping", "dmi"}
    )
    assert (changed.damping, changed.dmi) == (0.5, 1e-3)


def test_what_follows_from_the_constants() -> None:
    # mu0 Ms²/2 = 2e-7 pi × 1e12 = 628.3 kJ/m³; so Keff = 371.7 kJ/m³ and Delta = sqrt(1.5e-11 / 3.717e5) = 6.353 nm.
    film = Material(
        saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.03, anisotropy=1e6, dmi=-1e-3,
    )  # fmt: skip
    assert film.effective_anisotropy == pytest.approx(371_681.47, rel=1e-8)
    assert film.wall_width == pytest.approx(6.3527e-9, rel=1e-4)
    # 4 sqrt(A Keff) − pi |D| = 9.4448e-3 − 3.1416e-3.
    assert film.wall_energy == pytest.approx(6.3032e-3, rel=1e-4)
    # sqrt(2 A / (mu0 Ms²)) = sqrt(3e-11 / 1.25664e6).
    assert film.exchange_length == pytest.approx(4.8860e-9, rel=1e-4)
    assert film.dmi_field == pytest.approx(-1e-3 / (1e6 * 6.3527e-9), rel=1e-4)


def test_film_magnetised_in_its_plane_has_no_perpendicular_wall() -> None:
    limit = 0.5 * VACUUM_PERMEABILITY * 1e12
    soft = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.1, anisotropy=limit)
    with pytest.raises(InputError, match=r"^anisotropy = 628319 J/m3: below mu0 Ms²/2 = 628319, .*no perpendicular"):
        _ = soft.wall_width
    assert soft.model_copy(update={"anisotropy": limit * 1.01}).wall_width > 0
