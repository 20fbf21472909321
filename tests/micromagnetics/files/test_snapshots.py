"""Snapshots that an ensemble saves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    PerpendicularMap,
    Snapshots,
    domain_wall,
    load_ovf,
    material,
    random_state,
    read_ovf,
    simulate,
    write_ovf,
)

GRID = Grid(7, 3, 2e-9, 3e-9, 1.5e-9)
FILM = Film(GRID, material("cofeb-tantalum"))
M = random_state(FILM, 1, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (5, 1), (1, 1)])
def test_written_magnetisation_is_read_back_to_the_last_bit(shape: tuple[int, int], tmp_path: Path) -> None:
    film = Film(Grid(*shape, 2e-9, 3e-9, 1.5e-9), FILM.material)
    m = random_state(film, 1, torch.Generator().manual_seed(1))
    m[0, :, 0, 0] = 0.0  # an empty cell
    write_ovf(tmp_path / "m.ovf", film, m[0], 1e-9)
    assert torch.equal(read_ovf(tmp_path / "m.ovf"), m)
    assert [path.name for path in tmp_path.iterdir()] == ["m.ovf"]


def test_single_precision_and_any_order_in_memory_are_written_as_they_are(tmp_path: Path) -> None:
    single = M[0].to(torch.float32).transpose(1, 2).contiguous().transpose(1, 2)
    write_ovf(tmp_path / "m.ovf", FILM, single)
    assert torch.equal(read_ovf(tmp_path / "m.ovf")[0], single.to(torch.float64))


@pytest.mark.parametrize("backend", ["torch", "auto"])
def test_an_ensemble_saves_what_is_asked_for(backend: str, tmp_path: Path) -> None:
    data = simulate(FILM, Drive(field_x=0.2), duration=6e-13, every=1e-13, replicas=18, chunk=8, temperature=300.0,
                    backend=backend, observe=[PerpendicularMap()], initial=domain_wall(FILM),
                    snapshots=Snapshots(tmp_path / "new", every=3, replicas=[0, 9, 17]))  # fmt: skip
    names = [path.name for path in sorted((tmp_path / "new").iterdir())]
    assert names == [f"m_replica{r:05d}_{k:04d}.ovf" for r in (0, 9, 17) for k in (0, 3, 6)]
    for replica in (0, 9, 17):
        for record in (0, 3, 6):
            m = read_ovf(tmp_path / "new" / f"m_replica{replica:05d}_{record:04d}.ovf")
            np.testing.assert_array_equal(m[0, 2].to(torch.float32), data["mz"].values[record, replica])


def test_snapshots_for_paraview(tmp_path: Path) -> None:
    simulate(FILM, duration=2e-13, every=1e-13, replicas=2, initial=M, snapshots=Snapshots(tmp_path, format="vti"))
    assert len(list(tmp_path.glob("m_replica0000[01]_000[012].vti"))) == 6
    with pytest.raises(InputError, match=r"^snapshots\.format = 'vtk': must be ovf or vti$"):
        Snapshots(tmp_path, format="vtk")  # type: ignore[arg-type]


def test_the_time_of_a_snapshot_is_in_its_file(tmp_path: Path) -> None:
    simulate(FILM, duration=2e-13, every=1e-13, initial=M, snapshots=Snapshots(tmp_path))
    times = [load_ovf(path).time for path in sorted(tmp_path.iterdir())]
    assert times == pytest.approx([0, 1e-13, 2e-13], abs=1e-25)


def test_a_snapshot_is_a_start(tmp_path: Path) -> None:
    write_ovf(tmp_path / "m.ovf", FILM, M[0])
    first, second = (simulate(FILM, duration=1e-13, every=1e-13, initial=start, observe=[PerpendicularMap()])
                     for start in (M, read_ovf(tmp_path / "m.ovf")))  # fmt: skip
    np.testing.assert_array_equal(first["mz"], second["mz"])


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"m\.ovf: cannot be written \("):
        write_ovf(tmp_path / "file" / "m.ovf", FILM, M[0])


@pytest.mark.parametrize("every", [0, -1, 0.5, math.nan])
def test_impossible_interval_is_refused(every: Any) -> None:
    with pytest.raises(InputError, match=rf"^snapshots\.every = {every}: must be a whole number, 1 or more$"):
        Snapshots(Path("nowhere"), every=every)


def test_a_replica_that_is_not_there_cannot_be_saved(tmp_path: Path) -> None:
    for replica in (-1, 8):
        with pytest.raises(InputError, match=rf"^snapshots\.replicas: there is no replica {replica}, they are 0 to 7$"):
            simulate(
                FILM, duration=1e-13, every=1e-13, replicas=8, snapshots=Snapshots(tmp_path, replicas=[3, replica])
            )
