"""A run that was killed goes on to the same last bit."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import xarray as xr

import forked
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    MeanMagnetisation,
    PerpendicularMap,
    StrainGate,
    WallPosition,
    Waveform,
    compiled,
    domain_wall,
    ensemble,
    material,
    simulate,
    standard_terms,
)
from barkhausen.micromagnetics.checkpoints import Checkpoint, digest

MATERIAL = material("cofeb-tantalum")
GRID = Grid(16, 4, 4e-9, 4e-9, 1e-9)

BACKENDS = ["torch", pytest.param("compiled", marks=pytest.mark.skipif(
    not compiled.available(), reason=compiled.unavailable_reason() or ""))]  # fmt: skip
each_backend = pytest.mark.parametrize("backend", BACKENDS)


pytestmark = pytest.mark.usefixtures("one_thread")


def run(directory: Path | None, *, records: int = 20, **changes: Any) -> xr.Dataset:
    """35 replicas in chunks of 16 (each of two groups that share a random stream)."""
    arguments: dict[str, Any] = {
        "film": Film(GRID, MATERIAL), "duration": records * 1e-13, "every": 1e-13, "replicas": 35, "chunk": 16,
        "temperature": 300.0, "seed": 3, "checkpoint": directory, "observe": [MeanMagnetisation(), PerpendicularMap()],
        "drive": Drive(current_density=Waveform.pulse(torch.linspace(0, 2e11, 35), width=5e-13)),
    }  # fmt: skip
    return simulate(**(arguments | changes))


@functools.cache
def undisturbed_run(backend: str, records: int = 20) -> xr.Dataset:
    """What a run that nothing disturbs gives."""
    return run(None, backend=backend, records=records)


class StoppedError(Exception):
    pass


class StopAfter:
    """Progress that ends the run after so many reports, as Ctrl-C would, and counts what is reported."""

    def __init__(self, reports: int) -> None:
        self.left, self.made, self.total = reports, 0, 0

    @contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        self.total = total

        def advance(steps: int) -> None:
            self.made += steps
            if self.left == 0:
                raise StoppedError
            self.left -= 1

        yield advance


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Chunks that are computed, with the number of records that each begins from."""
    seen: list[tuple[int, int]] = []
    execute = ensemble._Chunk.execute

    def watched(self: Any, number: int, keep: Checkpoint | None, advance: Any) -> Any:
        kept = None if keep is None else keep.running(number)
        seen.append((number, 0 if kept is None else int(kept["done"])))
        return execute(self, number, keep, advance)

    monkeypatch.setattr(ensemble._Chunk, "execute", watched)
    return seen


@pytest.mark.parametrize("stop", [0, 7, 19, 20, 33, 58])
@each_backend
def test_an_interrupted_run_goes_on_to_the_same_last_bit(
    backend: str, stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(ensemble, "KEEP_SECONDS", 0.0)
    undisturbed = undisturbed_run(backend)
    with pytest.raises(StoppedError):
        run(tmp_path / "kept", backend=backend, progress=StopAfter(stop))
    computed.clear()
    watched = StopAfter(1000)
    xr.testing.assert_identical(run(tmp_path / "kept", backend=backend, progress=watched), undisturbed)
    # Finished chunks are not computed again, the one under way goes on from its last record kept, later ones start
    # afresh.
    chunk, within = divmod(stop, 20)
    assert [number for number, _ in computed] == list(range(chunk, 3))
    assert computed[0][1] == within
    assert [done for _, done in computed[1:]] == [0] * (2 - chunk)
    assert watched.made == watched.total == 35 * 20
    computed.clear()
    xr.testing.assert_identical(run(tmp_path / "kept", backend=backend), undisturbed)
    assert computed == []


@pytest.mark.parametrize("arguments", [
    {"backend": "torch", "dtype": torch.float64},
    {"integrator": "dormand-prince", "temperature": 0.0},
])  # fmt: skip
def test_other_integrations_go_on_likewise(
    arguments: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(ensemble, "KEEP_SECONDS", 0.0)
    undisturbed = run(None, **arguments)
    for stop in (5, 9):
        with pytest.raises(StoppedError):
            run(tmp_path, **arguments, progress=StopAfter(stop))
    computed.clear()
    xr.testing.assert_identical(run(tmp_path, **arguments), undisturbed)
    assert computed[0][1] > 5


SCRIPT = """
import sys, time
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1])
import test_checkpoints
from barkhausen.micromagnetics import ensemble

target = int(sys.argv[4])
execute = ensemble._Chunk.execute

def slowly(self, number, keep, advance):
    # Every record takes the same time, however fast the machine, and the last ones of the chunk wait for the kill.
    kept = keep.running(number)
    done = 0 if kept is None else int(kept["done"])

    def slow(steps):
        nonlocal done
        done += 1
        time.sleep(0.02 if number != target or done < 90 else 3600)

    return execute(self, number, keep, slow)

ensemble._Chunk.execute = slowly
ensemble.KEEP_SECONDS = 0.03
torch.set_num_threads(1)
test_checkpoints.run(Path(sys.argv[2]), backend=sys.argv[3], records=100)
"""


def killed(directory: Path, backend: str, chunk: int, delay: float) -> None:
    """Start a run and kill it within a chunk, a delay in seconds after the state of that chunk was first kept."""
    child = forked.start(Path(__file__).parent, directory, backend, chunk, code=SCRIPT)
    try:
        limit = time.monotonic() + 600
        while not (directory / f"running-{chunk:05d}.safetensors").exists():
            assert child.poll() is None, "the run ended before it was killed"
            assert time.monotonic() < limit
            time.sleep(0.005)
        time.sleep(delay)
    finally:
        child.send_signal(signal.SIGKILL)
    assert child.result().returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@each_backend
def test_a_killed_run_goes_on_to_the_same_last_bit(
    backend: str, tmp_path: Path, computed: list[tuple[int, int]]
) -> None:
    """Kill within the second chunk, at a moment that differs from run to run of this test."""
    killed(tmp_path / "kept", backend, 1, random.uniform(0.0, 1.0))
    finished = tmp_path / "kept" / "chunk-00000.safetensors"
    before = finished.stat()
    found = run(tmp_path / "kept", backend=backend, records=100)
    assert [number for number, _ in computed] == [1, 2]
    assert 0 < computed[0][1] < 100
    assert (finished.stat().st_mtime_ns, finished.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert not list((tmp_path / "kept").glob(".*"))  # nothing half-written is left
    xr.testing.assert_identical(found, undisturbed_run(backend, 100))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@each_backend
def test_a_run_killed_again_and_again_goes_on_to_the_same_last_bit(backend: str, tmp_path: Path) -> None:
    for chunk, delay in ((0, random.uniform(0, 1)), (0, random.uniform(0, 0.5)), (1, 0.0), (2, random.uniform(0, 1))):
        killed(tmp_path / "kept", backend, chunk, delay)
    found = run(tmp_path / "kept", backend=backend, records=100)
    xr.testing.assert_identical(found, undisturbed_run(backend, 100))


def test_the_state_is_kept_no_more_often_than_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    monkeypatch.setattr(Checkpoint, "keep", lambda self, chunk, state: kept.append(chunk))
    run(tmp_path / "never")
    assert kept == []
    monkeypatch.setattr(ensemble, "KEEP_SECONDS", 0.0)
    run(tmp_path / "always")
    assert kept == [0] * 19 + [1] * 19 + [2] * 19  # after each of the 20 records but the last


def test_nothing_of_a_finished_chunk_is_left_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "KEEP_SECONDS", 0.0)
    run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"chunk-{k:05d}.safetensors" for k in range(3)), "plan.json",
    ]  # fmt: skip


# Whose directory it is.

FILM = Film(GRID, MATERIAL)
OTHER: list[tuple[dict[str, Any], str]] = [
    ({"seed": 4}, "seed"),
    ({"temperature": 301.0}, "temperature"),
    ({"dt": 1e-14}, "dt"),
    ({"duration": 1e-12}, "duration, times"),
    ({"every": 2e-13}, "dt, times"),
    ({"replicas": 34, "drive": None}, "drive, initial, replicas"),
    ({"chunk": 8}, "chunk"),
    ({"observe": [WallPosition()]}, "observe"),
    ({"terms": [term for term in standard_terms(MATERIAL) if type(term).__name__ != "InterfacialDMI"]}, "terms"),
    ({"initial": domain_wall(FILM, 20e-9)}, "initial"),
    ({"drive": Drive(current_density=1e11)}, "drive"),
    ({"drive": Drive(gate=StrainGate())}, "drive"),
    ({"film": Film(GRID, MATERIAL, torch.full(GRID.shape, 0.9))}, "film"),
    ({"film": Film(GRID, MATERIAL, anisotropy=torch.full(GRID.shape, 0.8e6))}, "film"),
    ({"film": Film(GRID, MATERIAL).assign([0] * 35)}, "film"),
    ({"film": Film(GRID, MATERIAL.model_copy(update={"dmi": 0.5e-3}))}, r"material\.dmi"),
    ({"film": Film(Grid(16, 4, 4e-9, 4e-9, 1.1e-9), MATERIAL)}, "cell_size"),
    ({"dtype": torch.float64}, "precision"),
    ({"integrator": "dormand-prince", "temperature": 0.0}, "integrator, temperature"),
]


@pytest.mark.parametrize(("changes", "keys"), OTHER, ids=[keys for _, keys in OTHER])
def test_another_simulation_is_refused_with_what_differs(changes: dict[str, Any], keys: str, tmp_path: Path) -> None:
    """One difference, and only that, is named. (The step follows from the field where it is not given.)"""
    base: dict[str, Any] = {"records": 2, "duration": 5e-13, "backend": "torch", "dt": 2e-14}
    if "every" in changes:
        base.update(duration=4e-13, dt=None)
    run(tmp_path, **base)
    with pytest.raises(InputError) as caught:
        run(tmp_path, **(base | changes))
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}: holds another simulation (differs in ")
    named = text.removeprefix(f"{tmp_path}: holds another simulation (differs in ").removesuffix(")").split(", ")
    assert named == [key.replace("\\", "") for key in keys.split(", ")]
    run(tmp_path, **base)  # still the first's


@pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")
def test_another_backend_is_another_simulation(tmp_path: Path) -> None:
    run(tmp_path, records=2, backend="torch")
    with pytest.raises(InputError, match=r"holds another simulation \(differs in backend\)$"):
        run(tmp_path, records=2, backend="compiled")


def test_a_directory_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError) as caught:
        run(tmp_path, records=2)
    assert str(caught.value) == f"{tmp_path}: is not empty and holds no simulation of ours"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError) as caught:
        run(tmp_path / "thesis.tex", records=2)
    assert str(caught.value) == f"{tmp_path / 'thesis.tex'}: is not a directory"
    with pytest.raises(InputError, match="cannot be written"):
        run(tmp_path / "thesis.tex" / "below", records=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", r"is damaged \(.*\)"), ("[1]", "holds no plan of a simulation"), ("\xff", "is not UTF-8 text"),
     ("{}", r"holds another simulation \(differs in .*\)")],
)  # fmt: skip
def test_a_damaged_plan_is_reported(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=rf"^{tmp_path}(/plan\.json)?: {message}") as caught:
        run(tmp_path, records=2)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("damage", [b"", b"not tensors", None])
@pytest.mark.parametrize("name", ["chunk-00001.safetensors", "running-00002.safetensors"])
def test_a_damaged_part_is_reported_and_can_be_deleted(
    name: str, damage: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "KEEP_SECONDS", 0.0)
    with pytest.raises(StoppedError):
        run(tmp_path, progress=StopAfter(45))
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(InputError) as caught:
        run(tmp_path)
    assert str(caught.value).startswith(f"{path}: is damaged (")
    assert str(caught.value).endswith("); delete it to compute this part again")
    assert len(str(caught.value).splitlines()) == 1
    path.unlink()
    xr.testing.assert_identical(run(tmp_path), run(None))


def test_the_plan_is_readable_and_the_directory_is_removed_on_request(tmp_path: Path) -> None:
    run(tmp_path / "kept", records=2)
    plan = json.loads((tmp_path / "kept" / "plan.json").read_text(encoding="utf-8"))
    assert (plan["seed"], plan["replicas"], plan["cells"]) == (3, 35, [16, 4])
    Checkpoint(tmp_path / "kept", plan).remove()
    assert not (tmp_path / "kept").exists()


def test_fingerprints_tell_apart_what_differs() -> None:
    values: list[tuple[object, ...]] = [
        (torch.zeros(4),), (torch.zeros(2, 2),), (torch.zeros(4, dtype=torch.float64),), (torch.ones(4),),
        (torch.zeros(0),), (None,), (1,), (1.0,), ("1",), (1, 1), (torch.zeros(2), torch.zeros(2)),
    ]  # fmt: skip
    assert len({digest(*value) for value in values}) == len(values)
    assert digest(torch.zeros(3, 2).T) == digest(torch.zeros(2, 3))  # what counts is not how it lies in memory
