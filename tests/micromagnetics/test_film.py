from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Film, Grid, material

GRID = Grid(4, 3, 2e-9, 3e-9, 1e-9)
MATERIAL = material("cofeb-tantalum")


def random_fill(devices: int, seed: int = 0) -> Tensor:
    """A third of the cells empty, a third full, a third in between."""
    generator = torch.Generator().manual_seed(seed)
    fill = torch.rand(devices, *GRID.shape, dtype=torch.float64, generator=generator)
    return torch.where(fill < 1 / 3, 0.0, torch.where(fill > 2 / 3, 1.0, fill))


def with_one(value: float) -> Tensor:
    fill = torch.ones(GRID.shape)
    fill[1, 2] = value
    return fill


IMPOSSIBLE_FILMS: list[tuple[dict[str, Any], str]] = [
    ({"fill": torch.ones(3, 4)}, r"film\.fill: shape \(1, 3, 4\) is not \(device, 4, 3\)"),
    ({"fill": torch.ones(2, 2, 4, 3)}, r"film\.fill: shape \(2, 2, 4, 3\) is not \(device, 4, 3\)"),
    ({"fill": torch.tensor(1.0)}, r"film\.fill: shape \(\) is not \(device, 4, 3\)"),
    ({"anisotropy": torch.ones(5, 4, 4)}, r"film\.anisotropy: shape \(5, 4, 4\) is not \(device, 4, 3\)"),
    ({"edge_demag": torch.ones(2, 4, 3)}, r"film\.edge_demag: shape \(1, 2, 4, 3\) is not \(device, 3, 4, 3\)"),
    *(({name: with_one(value)}, rf"film\.{name}: not all values are finite")
      for name in ("fill", "anisotropy") for value in (math.nan, math.inf)),
    ({"edge_demag": with_one(math.nan).expand(3, -1, -1)}, r"film\.edge_demag: not all values are finite"),
    *(({"fill": with_one(value)}, r"film\.fill: filled fractions must lie between 0 and 1")
      for value in (-0.1, 1.1)),
    ({"fill": torch.stack((torch.ones(4, 3), torch.zeros(4, 3)))}, r"film\.fill: a device has no filled cell"),
    ({"fill": torch.ones(2, 4, 3), "anisotropy": torch.full((3, 4, 3), 1e5)},
     r"film: fill and anisotropy are given for different numbers of devices \[2, 3\]"),
    ({"device_of_replica": torch.zeros(2, 2, dtype=torch.int64)},
     r"film\.device_of_replica: must be one device number for each replica"),
    ({"device_of_replica": torch.zeros(2)}, r"film\.device_of_replica: must be one device number for each replica"),
    *(({"fill": torch.ones(2, 4, 3), "device_of_replica": torch.tensor(index)},
       r"film\.device_of_replica: device numbers must be 0 to 1") for index in ([0, 2], [-1, 0])),
]  # fmt: skip


def test_impossible_film_is_refused() -> None:
    for family, message in IMPOSSIBLE_FILMS:
        with pytest.raises(InputError, match=f"^{message}$"):
            Film(GRID, MATERIAL, **family)


def test_numbers_of_devices_and_replicas_must_fit() -> None:
    family = Film(GRID, MATERIAL, anisotropy=torch.full((3, 4, 3), 1e5))
    family.check_replicas(3)
    for replicas in (1, 2, 4):
        with pytest.raises(InputError, match=rf"^replicas = {replicas}: the film has 3 devices; use film\.assign"):
            family.check_replicas(replicas)
    assigned = family.assign([0, 1, 2, 2, 1])
    assigned.check_replicas(5)
    with pytest.raises(InputError, match=r"^replicas = 3: film\.device_of_replica names 5 replicas$"):
        assigned.check_replicas(3)
    for replicas in (1, 7):
        Film(GRID, MATERIAL).check_replicas(replicas)


def test_one_device_may_be_given_as_a_plane_and_whole_numbers_are_numbers() -> None:
    film = Film(GRID, MATERIAL, fill=torch.ones(4, 3, dtype=torch.int64), anisotropy=torch.full((4, 3), 7e5))
    assert film.fill is not None
    assert film.fill.shape == (1, 4, 3)
    assert film.fill.dtype == torch.float64
    assert film.devices == 1


def test_selection_takes_what_each_replica_is() -> None:
    anisotropy = 1e5 * torch.arange(3.0)[:, None, None].expand(3, 4, 3)
    shared = random_fill(1)
    family = Film(GRID, MATERIAL, fill=shared, anisotropy=anisotropy)

    def chosen(film: Film, replicas: list[int]) -> list[float]:
        selected = film.select(torch.tensor(replicas))
        assert selected.device_of_replica is None
        assert selected.fill is not None
        assert selected.anisotropy is not None
        assert torch.equal(selected.fill, shared)  # one for all stays one
        return (selected.anisotropy[:, 0, 0] / 1e5).tolist()

    assert chosen(family, [0, 1, 2]) == [0, 1, 2]
    assert chosen(family, [2, 0]) == [2, 0]
    assigned = family.assign([2, 2, 0, 1])
    assert chosen(assigned, [0, 1, 2, 3]) == [2, 2, 0, 1]
    assert chosen(assigned, [1, 3]) == [2, 1]


def test_selection_of_one_device_keeps_it() -> None:
    film = Film(GRID, MATERIAL, fill=random_fill(1)).assign([0, 0, 0])
    selected = film.select(torch.tensor([1]))
    assert torch.equal(selected.weights, film.weights)
    assert selected.device_of_replica is None


def test_bonds_carry_the_smaller_filled_fraction_and_act_equally_on_both_cells() -> None:
    film = Film(GRID, MATERIAL, fill=random_fill(2))
    assert film.fill is not None
    assert film.bonds is not None
    fill = film.fill
    (next_x, previous_x), (next_y, previous_y) = film.bonds
    along_x, along_y = torch.minimum(fill[:, 1:], fill[:, :-1]), torch.minimum(fill[..., 1:], fill[..., :-1])
    # Action and reaction: weighted by the moments, both ends of a bond feel the same. Rounding of a division.
    torch.testing.assert_close(next_x * fill[:, :-1], along_x, rtol=1e-15, atol=0)
    torch.testing.assert_close(previous_x * fill[:, 1:], along_x, rtol=1e-15, atol=0)
    torch.testing.assert_close(next_y * fill[..., :-1], along_y, rtol=1e-15, atol=0)
    torch.testing.assert_close(previous_y * fill[..., 1:], along_y, rtol=1e-15, atol=0)
    for bond, here, there in ((next_x, fill[:, :-1], fill[:, 1:]), (previous_y, fill[..., 1:], fill[..., :-1])):
        assert not bond[(here == 0) | (there == 0)].any()
        assert bond.max() <= 1
    assert Film(GRID, MATERIAL).bonds is None


def test_weights_are_shares_of_the_volume() -> None:
    film = Film(GRID, MATERIAL, fill=random_fill(2).to(torch.float32))
    assert film.fill is not None
    assert film.weights.dtype == torch.float64
    torch.testing.assert_close(film.weights.sum((1, 2)), torch.ones(2, dtype=torch.float64), rtol=1e-14, atol=0)
    assert torch.equal(film.weights == 0, film.fill == 0)
    torch.testing.assert_close(Film(GRID, MATERIAL).weights, torch.full((1, 4, 3), 1 / 12, dtype=torch.float64))


def test_precision_is_converted_everywhere() -> None:
    film = Film(GRID, MATERIAL, fill=random_fill(2), anisotropy=torch.full((2, 4, 3), 1e5)).to(torch.float32)
    assert film.dtype == torch.float32
    assert film.anisotropy_field.dtype == torch.float32
    assert film.inverse_fill is not None
    assert film.inverse_fill.dtype == torch.float32
    assert Film(GRID, MATERIAL).to(torch.float32).dtype == torch.float32
    assert Film(GRID, MATERIAL).to(torch.float32).anisotropy_field.dtype == torch.float32
    assert film.demag_kernel.dtype == torch.float64  # computed and kept exactly


def test_description_names_grid_family_and_every_constant() -> None:
    described = Film(GRID, MATERIAL, fill=random_fill(2)).describe()
    assert described["cells"] == [4, 3]
    assert described["cell_size"] == [2e-9, 3e-9, 1e-9]
    assert described["devices"] == 2
    assert {key.removeprefix("material.") for key in described if key.startswith("material.")} == set(MATERIAL.stated())
