from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Film,
    Grid,
    domain_wall,
    material,
    material_names,
    random_state,
    simulate,
    uniform,
    vortex,
)
from barkhausen.micromagnetics.mumax3.script import mumax3_script
from barkhausen.micromagnetics.states import for_replicas

GRID = Grid(32, 8, 4e-9, 4e-9, 1e-9)
MATERIAL = material("cofeb-tantalum")
FILM = Film(GRID, MATERIAL)


def half_film(devices: int = 1) -> Film:
    """Device d lacks its first d + 1 columns."""
    fill = torch.ones(devices, 32, 8, dtype=torch.float64)
    for device in range(devices):
        fill[device, : device + 1] = 0.0
    return Film(GRID, MATERIAL, fill)


def unit(m: Tensor) -> bool:
    return bool(torch.allclose(torch.linalg.vector_norm(m, dim=1), torch.ones(()).double(), rtol=0, atol=1e-14))


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 2, -2), (1e-9, 0, 0), (-3.0, 4.0, 0.0)])
def test_uniform(direction: tuple[float, float, float]) -> None:
    m = uniform(FILM, direction)
    assert m.shape == (1, 3, 32, 8)
    assert m.dtype == torch.float64
    largest = max(map(abs, direction))
    scaled = [value / largest for value in direction]
    length = math.sqrt(sum(value * value for value in scaled))
    assert m[0, :, 5, 3].tolist() == pytest.approx([value / length for value in scaled], abs=1e-14)
    assert bool((m == m[:, :, :1, :1]).all())


@pytest.mark.parametrize("direction", [(0, 0, 0), (1, 0), (1, 0, 0, 0), (math.nan, 0, 1), (math.inf, 0, 0)])
def test_no_direction_is_refused(direction: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"^direction = \[.*\]: must be three numbers, not all zero$"):
        uniform(FILM, direction)


def test_simulation_of_every_material_preset_starts_without_an_initial_state() -> None:
    for name in material_names():
        film = Film(GRID, material(name))
        result = simulate(film, duration=1e-13, every=1e-13, dt=1e-14)
        m = torch.from_numpy(np.asarray(result["m"].isel(time=0, replica=0)))
        in_plane = film.material.effective_anisotropy <= 0
        assert m.tolist() == pytest.approx([1.0, 0.0, 0.0] if in_plane else [float(m[0]), 0.0, 0.0], abs=1e-6)
        assert in_plane or abs(float(m[0])) < 0.5
        assert ("m = Uniform(1, 0, 0)" in mumax3_script(film, duration=1e-12)) == in_plane


@pytest.mark.parametrize("left", [1, -1])
def test_wall_has_the_profile_asked_for(left: int) -> None:
    q, width, angle = [30e-9, 70e-9], 9e-9, 0.7
    m = domain_wall(FILM, q, width=width, left=left, angle=angle)
    assert m.shape == (2, 3, 32, 8)
    assert unit(m)
    for replica in range(2):
        u = (GRID.x - q[replica]) / width
        # Rounding of numbers up to 1.
        torch.testing.assert_close(m[replica, 2, :, 0], -left * torch.tanh(u), rtol=0, atol=1e-15)
        torch.testing.assert_close(m[replica, 0, :, 5], math.cos(angle) / torch.cosh(u), rtol=0, atol=1e-15)
        torch.testing.assert_close(m[replica, 1, :, 5], math.sin(angle) / torch.cosh(u), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("dmi", "left", "sign"), [(1e-3, 1, -1), (1e-3, -1, 1), (-1e-3, 1, 1), (-1e-3, -1, -1), (0.0, 1, 1), (0.0, -1, 1)]
)
def test_default_wall_is_in_the_middle_as_wide_and_of_the_handedness_that_the_material_prefers(
    dmi: float, left: int, sign: int
) -> None:
    film = Film(GRID, material("cofeb-tantalum", dmi=dmi))
    m = domain_wall(film, left=left)
    u = (GRID.x - GRID.length / 2) / film.material.wall_width
    torch.testing.assert_close(m[0, 0, :, 0], sign / torch.cosh(u), rtol=0, atol=1e-15)
    torch.testing.assert_close(m[0, 2, :, 0], -left * torch.tanh(u), rtol=0, atol=1e-15)


IMPOSSIBLE_WALLS: list[tuple[dict[str, Any], str]] = [
    *(({"left": left}, rf"left = {left}: must be 1 \(up\) or -1 \(down\)") for left in (0, 2)),
    ({"left": 0.5}, r"left = 0\.5: must be a whole number"),
    *(({"position": q}, r"position: a wall must lie within the film, 0 to 1\.28e-07 m")
      for q in (-1e-9, 129e-9, math.nan, [10e-9, 200e-9])),
    *(({"width": width}, rf"width = {width}: must be a positive length in m")
      for width in (0.0, -1e-9, math.nan, math.inf)),
    *(({"angle": angle}, rf"angle = {angle}: must be a finite angle in rad") for angle in (math.nan, math.inf)),
]  # fmt: skip


def test_impossible_wall_is_refused() -> None:
    for changes, message in IMPOSSIBLE_WALLS:
        with pytest.raises(InputError, match=f"^{message}$"):
            domain_wall(FILM, **changes)


def test_film_magnetised_in_its_plane_has_no_wall() -> None:
    with pytest.raises(InputError, match="the film has no perpendicular domain wall"):
        domain_wall(Film(GRID, material("permalloy")))
    assert unit(domain_wall(Film(GRID, material("permalloy")), width=5e-9))  # unless its width is given


@pytest.mark.parametrize(("circulation", "polarity"), [(1, 1), (-1, 1), (1, -1)])
def test_vortex_turns_about_the_middle(circulation: int, polarity: int) -> None:
    film = Film(Grid(21, 21, 4e-9, 4e-9, 20e-9), material("permalloy"))
    m = vortex(film, circulation, polarity)
    assert unit(m)
    assert m[0, :, 10, 10].tolist() == pytest.approx([0, 0, polarity], abs=1e-14)
    assert m[0, :, 20, 10].tolist() == pytest.approx([0, circulation, 0], abs=0.02)  # on +x it points to ±y
    assert m[0, :, 10, 20].tolist() == pytest.approx([-circulation, 0, 0], abs=0.02)


def test_random_states_are_uniform_on_the_sphere() -> None:
    m = random_state(FILM, 40, torch.Generator().manual_seed(0))
    assert m.shape == (40, 3, 32, 8)
    assert unit(m)
    # Each component uniform in [−1, 1]: mean 0 and variance 1/3, of 10 240 values; five standard errors.
    n = 40 * GRID.cells
    assert float(m.mean((0, 2, 3)).abs().max()) < 5 / math.sqrt(3 * n)
    assert float(((m**2).mean((0, 2, 3)) - 1 / 3).abs().max()) < 5 * math.sqrt(4 / 45 / n)
    assert torch.equal(m, random_state(FILM, 40, torch.Generator().manual_seed(0)))
    assert not torch.equal(m, random_state(FILM, 40, torch.Generator().manual_seed(1)))


def test_nothing_where_no_device_has_material() -> None:
    film = half_film(3)
    for m in (uniform(film, (0, 0, 1)), domain_wall(film), random_state(film, 2, torch.Generator()), vortex(film)):
        assert not m[:, :, 0].any()  # empty in all
        assert unit(m[:, :, 1:])  # filled in one: whoever is empty there is cut later


def test_start_is_of_unit_length_where_there_is_material_and_zero_elsewhere() -> None:
    film = half_film(3).assign([2, 0, 1, 0])
    m = for_replicas(film, 7.0 * torch.ones(3, 32, 8), 4)
    assert m.shape == (4, 3, 32, 8)
    for replica, device in enumerate([2, 0, 1, 0]):
        assert not m[replica, :, : device + 1].any()
        assert unit(m[replica : replica + 1, :, device + 1 :])
    assert unit(for_replicas(FILM, uniform(FILM, (0, 0, 1)), 3))


def holed(value: float) -> Tensor:
    m = uniform(FILM, (0, 0, 1))
    m[0, :, 3, 3] = value
    return m


IMPOSSIBLE_STARTS: list[tuple[Tensor, str]] = [
    (torch.ones(2, 3, 32, 8), r"shape \(2, 3, 32, 8\) is not \(3 or 1, 3, 32, 8\)"),
    (torch.ones(1, 3, 8, 32), r"shape \(1, 3, 8, 32\) is not \(3 or 1, 3, 32, 8\)"),
    (torch.ones(32, 8), r"shape \(32, 8\) is not \(3 or 1, 3, 32, 8\)"),
    (torch.ones(1, 2, 32, 8), r"shape \(1, 2, 32, 8\) is not \(3 or 1, 3, 32, 8\)"),
    (holed(math.nan), "not all values are finite"),
    (holed(math.inf), "not all values are finite"),
    (holed(0.0), "a filled cell has no direction"),
]


def test_impossible_start_is_refused() -> None:
    for m, message in IMPOSSIBLE_STARTS:
        with pytest.raises(InputError, match=f"^initial magnetisation: {message}$"):
            for_replicas(FILM, m, 3)
